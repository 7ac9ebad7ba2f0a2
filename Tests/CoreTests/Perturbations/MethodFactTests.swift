import FathomCore
import Testing

/// Facts about methods that their sources or reviews give, beside what each method's own tests ask.
@Suite("facts about methods")
struct MethodFactTests {
    private func craft(
        _ name: String, _ images: ImageSet, _ numbers: [String: Double] = [:], seed: UInt64 = 1
    ) throws -> CraftedPoison {
        try PerturbationRegistry.craft(
            MethodSettings(name: name, numbers: numbers), images: images, keys: images.labels,
            seed: seed)
    }

    private func rows(_ poison: CraftedPoison) -> [ArraySlice<Float>] {
        let size = poison.images.pixelsPerImage
        return (0..<poison.images.count).map { poison.delta[($0 * size)..<(($0 + 1) * size)] }
    }

    @Test("LSP's norm is 1.30413 at 3x32x32 and 0.65882 at 1x28x28, and no image shares its noise")
    func lspNorms() throws {
        for (shape, norm) in [(PoisonFixtures.colour, 1.30413), (PoisonFixtures.grey, 0.65882)] {
            let images = PoisonFixtures.images(shape, count: 40, classes: 4)
            let rows = rows(try craft("lsp", images))
            for row in rows {
                let own = row.reduce(0) { $0 + Double($1) * Double($1) }.squareRoot()
                #expect(abs(own - norm) < 1e-5)
            }
            #expect(Set(rows).count == 40)
        }
    }

    @Test("LSP's budget is no L-infinity one: single pixels move by more than 8/255")
    func lspLeavesTheBox() throws {
        let images = PoisonFixtures.images(PoisonFixtures.colour, count: 100, classes: 10)
        let rows = rows(try craft("lsp", images))
        let largest = rows.map { row in Double(row.map { abs($0) }.max() ?? 0) * 255 }
        // Measured by the specification: 10.5 on average, up to about 16.
        let mean = largest.reduce(0, +) / 100
        #expect((9.5...11.5).contains(mean), "\(mean)")
        #expect((largest.max() ?? 0) < 20)
    }

    @Test("a hundred classes can be told apart by LSP, and 26 by OPS")
    func manyClasses() throws {
        let hundred = PoisonFixtures.images(PoisonFixtures.colour, count: 1500, classes: 100)
        #expect(try craft("lsp", hundred).numbers["probeHeldOut"] ?? 0 > 0.99)
        let letters = PoisonFixtures.images(PoisonFixtures.grey, count: 260, classes: 26)
        let poison = try craft("ops", letters)
        let pairs = try #require(poison.words["pixels"]).split(separator: " ")
            .compactMap { $0.split(separator: "@").last }
        #expect(Set(pairs).count == 26)
        #expect(poison.numbers["decisionListAccuracy"] == 1)
    }

    @Test("AR is less separable by a linear probe than LSP, and yet separable by its filters")
    func arIsNotLinear() throws {
        let images = PoisonFixtures.images(PoisonFixtures.grey, count: 800, classes: 10)
        let ar = try craft("ar", images)
        let lsp = try craft("lsp", images)
        let probes = (ar.numbers["probeHeldOut"] ?? 1, lsp.numbers["probeHeldOut"] ?? 0)
        #expect(probes.0 < probes.1 - 0.1, "\(probes)")
        #expect(ar.numbers["filterAccuracy"] == 1)
        #expect(ar.numbers["annihilation"] ?? 1 < 1e-6)
    }

    @Test("a class's CUDA kernel is recovered by least squares from clean and poisoned pairs")
    func cudaKernelsAreRecovered() throws {
        let images = PoisonFixtures.images(PoisonFixtures.grey, count: 40, classes: 2)
        let poison = try craft("cuda", images)
        let kernels = [0, 1].map { fitted(images, poison, parity: $0) }
        let halves = [0, 2].map { fitted(images, poison, parity: $0, from: $0 * 4) }
        // Two disjoint halves of a class give one kernel; two classes give two.
        #expect(cosine(halves[0], halves[1]) > 0.99, "\(halves)")
        #expect(cosine(kernels[0], kernels[1]) < 0.99)
        for (own, shown) in zip(kernels, try shownKernels()) {
            #expect(cosine(own, shown) > 0.99, "\(own), not \(shown)")
        }
        // The one entry that is 1 is the largest of the nine, the others lie below the blur of 0.3.
        for kernel in kernels {
            let largest = kernel.max() ?? 0
            #expect(kernel.count { $0 > 0.31 * largest } == 1, "\(kernel)")
            #expect(kernel.allSatisfy { $0 > -0.02 * largest })
        }
    }

    /// Each class's kernel as the same seed shows it on an image with one white pixel.
    private func shownKernels() throws -> [[Double]] {
        var images = PoisonFixtures.images(PoisonFixtures.grey, count: 2, classes: 2)
        images.pixels = images.pixels.indices.map { $0 % 784 == 14 * 28 + 14 ? 255 : 0 }
        let poison = try craft("cuda", images)
        return (0..<2).map { image in
            (0..<9).map { place in
                // A kernel shows upside down in its answer to one pixel.
                let at = (14 + 1 - place / 3) * 28 + 14 + 1 - place % 3
                return Double(poison.images.pixels[image * 784 + at]) / 255
            }
        }
    }

    /// The 3x3 kernel that turns clean images of a class into poisoned ones with the least squared
    /// error, each image's scale divided out by its own brightest answer.
    private func fitted(
        _ images: ImageSet, _ poison: CraftedPoison, parity: Int, from first: Int = 0
    ) -> [Double] {
        var normal = [[Double]](repeating: [Double](repeating: 0, count: 10), count: 9)
        let chosen = (0..<images.count).filter { $0 % 2 == parity % 2 && $0 >= first }.prefix(8)
        // An image's unknown scale makes it homogeneous, so one image at a time is fitted and the
        // kernels, each scaled to its largest entry, are averaged.
        var sum = [Double](repeating: 0, count: 9)
        for image in chosen {
            for row in normal.indices { normal[row] = [Double](repeating: 0, count: 10) }
            for row in 1..<27 {
                for column in 1..<27 {
                    let taps = (0..<9).map { place in
                        let at = (row + place / 3 - 1) * 28 + column + place % 3 - 1
                        return Double(images.pixels[image * 784 + at]) / 255
                    }
                    let answer =
                        Double(poison.images.pixels[image * 784 + row * 28 + column]) / 255
                    for i in 0..<9 {
                        for j in 0..<9 { normal[i][j] += taps[i] * taps[j] }
                        normal[i][9] += taps[i] * answer
                    }
                }
            }
            let kernel = solved(normal)
            let largest = kernel.max() ?? 1
            for i in 0..<9 { sum[i] += kernel[i] / largest / Double(chosen.count) }
        }
        return sum
    }

    /// Gauss-Jordan with row exchange.
    private func solved(_ system: [[Double]]) -> [Double] {
        var rows = system
        for column in 0..<9 {
            let pivot = (column..<9).max { abs(rows[$0][column]) < abs(rows[$1][column]) } ?? column
            rows.swapAt(column, pivot)
            for other in 0..<9 where other != column {
                let factor = rows[other][column] / rows[column][column]
                for at in column..<10 { rows[other][at] -= factor * rows[column][at] }
            }
        }
        return (0..<9).map { rows[$0][9] / rows[$0][$0] }
    }

    private func cosine(_ left: [Double], _ right: [Double]) -> Double {
        func product(_ one: [Double], _ other: [Double]) -> Double {
            var sum = 0.0
            for (first, second) in zip(one, other) { sum += first * second }
            return sum
        }
        let norms = product(left, left).squareRoot() * product(right, right).squareRoot()
        return product(left, right) / norms
    }

    @Test("without augmentation a victim is shown the stored images")
    func storedImagesAreShown() throws {
        let images = PoisonFixtures.images(PoisonFixtures.grey, count: 6, classes: 2)
        let trainer = Trainer(
            network: try ModelRegistry.classifier(
                ModelSettings(name: "lenet5"), channels: 1, height: 28, width: 28, classes: 2),
            settings: TrainingSettings(epochs: 1, batch: 6, augment: []), images: images,
            random: RandomStream(seed: 1),
            defense: try DefenseRegistry.training(DefenseSettings(), on: images))
        let view = trainer.view([3, 1, 4])
        var stored: [Float] = []
        for image in [3, 1, 4] {
            for level in images.pixels[(image * 784)..<((image + 1) * 784)] {
                stored.append(Float(level) / 255)
            }
        }
        #expect(view.images == stored)
    }
}
