import FathomCore
import Testing

@Suite("perturbation methods")
struct PerturbationMethodTests {
    private func craft(
        _ name: String, _ images: ImageSet, numbers: [String: Double] = [:],
        words: [String: String] = [:], seed: UInt64 = 1
    ) throws -> CraftedPoison {
        try PerturbationRegistry.craft(
            MethodSettings(name: name, numbers: numbers, words: words), images: images,
            keys: images.labels, seed: seed)
    }

    private func rows(_ poison: CraftedPoison) -> [[Float]] {
        let size = poison.images.pixelsPerImage
        return (0..<poison.images.count).map {
            Array(poison.delta[($0 * size)..<(($0 + 1) * size)])
        }
    }

    private func norm(_ row: [Float]) -> Double {
        row.reduce(0) { $0 + Double($1) * Double($1) }.squareRoot()
    }

    @Test("clean changes nothing and refuses a probe")
    func cleanIsIdentity() throws {
        let images = PoisonFixtures.images(PoisonFixtures.grey, count: 20, classes: 5)
        let poison = try craft("clean", images)
        #expect(poison.images.pixels == images.pixels && poison.images.labels == images.labels)
        #expect(poison.numbers["probeHeldOut"] == nil && poison.words["probe"] != nil)
        #expect(poison.numbers["ssim"] == 1 && poison.numbers["linf"] == 0)
    }

    @Test("rand-c has one pattern a class, and a probe reads it")
    func randomPatterns() throws {
        let images = PoisonFixtures.images(PoisonFixtures.grey, count: 700, classes: 7)
        let classWise = try craft("rand-c", images)
        #expect(Set(rows(classWise)).count == 7)
        #expect(classWise.numbers["probeHeldOut"] == 1)
        let sampleWise = try craft("rand-s", images)
        #expect(Set(rows(sampleWise)).count == 700)
        #expect(sampleWise.numbers["linf"] == 8.0 / 255)
        let average = rows(sampleWise).map { norm($0) }.reduce(0, +) / 700
        #expect(abs(average - 0.5072) < 0.002, "expected norm at 1x28x28")
        let gauss = try craft("rand-s", images, words: ["variant": "gauss"])
        #expect(rows(gauss).allSatisfy { abs(norm($0) - 0.25259) < 1e-5 })
        let sign = try craft("rand-c", images, words: ["variant": "sign"])
        #expect(rows(sign).allSatisfy { abs(norm($0) - 0.8784) < 1e-4 })
    }

    @Test("what an image gets depends on its original index alone, not on the subset")
    func subsetsAgree() throws {
        let images = PoisonFixtures.images(PoisonFixtures.grey, count: 40, classes: 4)
        for name in ["rand-s", "lsp"] {
            let whole = rows(try craft(name, images))
            let part = rows(try craft(name, images.selecting([31, 5, 12])))
            #expect(part == [whole[31], whole[5], whole[12]], "\(name)")
        }
    }

    @Test(
        "LSP keeps its norm, paints constant patches and can be read",
        arguments: [
            (PoisonFixtures.grey, 7, 10), (PoisonFixtures.grey, 4, 10),
            (PoisonFixtures.colour, 8, 20),
        ])
    func lspIsLinear(shape: ImageShape, patch: Int, classes: Int) throws {
        let images = PoisonFixtures.images(shape, count: 1000, classes: classes)
        let poison = try craft("lsp", images, numbers: ["patch": Double(patch)])
        let expected = 6.0 / 255 * Double(shape.elements).squareRoot()
        for row in rows(poison) {
            #expect(abs(norm(row) - expected) <= 1e-5 * expected)
        }
        for row in rows(poison).prefix(30) {
            for element in row.indices {
                let column = element % shape.width
                let line = element / shape.width % shape.height
                let corner =
                    element - column % patch - (line % patch) * shape.width
                if row[element] != row[corner] {
                    Issue.record("patch is not constant at \(element)")
                    return
                }
            }
        }
        #expect(poison.numbers["probeHeldOut"] ?? 0 >= 0.995, "\(poison.numbers)")
    }

    @Test("OPS sets one pixel of one colour per class, unlike any other class's, seed or no seed")
    func opsSetsOnePixel() throws {
        for shape in [PoisonFixtures.grey, PoisonFixtures.colour] {
            let images = PoisonFixtures.images(shape, count: 120, classes: 12)
            let poison = try craft("ops", images)
            let words = try #require(poison.words["pixels"]).split(separator: " ")
            let pairs = words.compactMap { $0.split(separator: "@").last }
            #expect(Set(pairs).count == 12)
            #expect(poison.numbers["changedPixels"] ?? 2 <= 1)
            #expect(poison.numbers["decisionListAccuracy"] ?? 0 == 1)
            #expect(poison.numbers["decisionListTies"] == 0)
            #expect(try craft("ops", images, seed: 99).delta == poison.delta)
        }
    }

    /// The score of the source, by definition: mean over deviation of |colour - x|.
    private func score(_ images: ImageSet, key: Int32, position: Int, colour: Int) -> Double {
        var values: [Double] = []
        let plane = images.height * images.width
        for image in 0..<images.count where images.labels[image] == key {
            for channel in 0..<images.channels {
                let at = image * images.pixelsPerImage + channel * plane + position
                let wanted = Double(colour >> channel & 1)
                values.append(abs(wanted - Double(images.pixels[at]) / 255))
            }
        }
        let mean = values.reduce(0, +) / Double(values.count)
        let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count)
        return mean < 1e-3 ? 0 : mean / max(variance.squareRoot(), 1.0 / 255)
    }

    @Test("OPS chooses what scoring every position and colour of every class would choose")
    func opsAgreesWithBruteForce() throws {
        let shape = ImageShape(channels: 3, height: 9, width: 6)
        let images = PoisonFixtures.images(shape, count: 200, classes: 6)
        let poison = try craft("ops", images)
        var used: Set<[Int]> = []
        var expected: [String] = []
        for key in Int32(0)..<6 {
            let pairs = (0..<54).flatMap { position in (0..<8).map { [position, $0] } }
                .filter { !used.contains($0) }
            let scored = pairs.map {
                ($0, score(images, key: key, position: $0[0], colour: $0[1]))
            }
            let top = scored.map(\.1).max() ?? 0
            // Whole sums and plain ones differ in the last bits, so near equals are ties.
            let ties = scored.filter { abs($0.1 - top) < 1e-9 * top }.map(\.0)
            let best = try #require(
                ties.min { (distance($0[0]), $0[0], $0[1]) < (distance($1[0]), $1[0], $1[1]) })
            used.insert(best)
            let bits = (0..<3).map { String(best[1] >> $0 & 1) }.joined()
            expected.append("\(key)@\(best[0] / 6),\(best[0] % 6)=\(bits)")
        }
        #expect(poison.words["pixels"] == expected.joined(separator: " "))
    }

    private func distance(_ position: Int) -> Int {
        let (row, column) = (2 * (position / 6) - 8, 2 * (position % 6) - 5)
        return row * row + column * column
    }

    @Test("constant pixels never make OPS choose the colour that is there already")
    func opsAvoidsNoOps() throws {
        let black = ImageSet(
            channels: 1, height: 5, width: 5, classCount: 2,
            pixels: [UInt8](repeating: 0, count: 250), labels: (0..<10).map { Int32($0 % 2) },
            indices: Array(0..<10))
        let poison = try craft("ops", black)
        // The centre first, then the first of the next nearest, both white.
        #expect(poison.words["pixels"] == "0@2,2=1 1@1,2=1")
        #expect(poison.numbers["changedPixels"] == 1)
    }

    @Test("OPS counts clean images that show another class's pixel already")
    func opsCountsTies() throws {
        // Class 0 is black but for image 0, which is white where class 1 will be marked.
        var pixels = [UInt8](repeating: 0, count: 40 * 9)
        pixels[1] = 255
        let images = ImageSet(
            channels: 1, height: 3, width: 3, classCount: 2, pixels: pixels,
            labels: (0..<40).map { Int32($0 % 2) }, indices: Array(0..<40))
        let poison = try craft("ops", images)
        #expect(poison.words["pixels"] == "0@1,1=1 1@0,1=1")
        #expect(poison.numbers["decisionListTies"] == 1)
        #expect(poison.numbers["decisionListAccuracy"] == 1)
    }

    @Test("rounding moves all grey levels alike and keeps within the budget")
    func quantisationIsEven() throws {
        let ramp = ImageSet(
            channels: 1, height: 16, width: 16, classCount: 1, pixels: (0...255).map { UInt8($0) },
            labels: [0], indices: [0])
        for seed in UInt64(0)..<4 {
            let poison = try craft("rand-c", ramp, words: ["variant": "sign"], seed: seed)
            for (level, pixel) in poison.images.pixels.enumerated() {
                let expected = level + (poison.delta[level] > 0 ? 8 : -8)
                #expect(Int(pixel) == min(max(expected, 0), 255))
            }
        }
    }
}
