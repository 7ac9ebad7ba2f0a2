import FathomCore
import Foundation
import Testing

/// A trainer of a small network under a defense.
func guardedTrainer(
    _ settings: DefenseSettings, _ images: ImageSet, model: String = "linear",
    training: TrainingSettings = TrainingSettings(epochs: 4, batch: 16, learningRate: 0.02),
    seed: UInt64 = 3
) throws -> Trainer {
    // One thread of BLAS, whichever test comes first: others round otherwise.
    NumericClass.enterSlot()
    let network = try ModelRegistry.classifier(
        ModelSettings(name: model, width: model == "resnet18" ? 2 : nil),
        channels: images.channels, height: images.height, width: images.width,
        classes: images.classCount)
    return Trainer(
        network: network, settings: training, images: images, random: RandomStream(seed: seed),
        defense: try DefenseRegistry.training(settings, on: images))
}

private let shapes = [PoisonFixtures.colour, PoisonFixtures.grey]

/// Images of one level each, the next one level brighter.
private func levels(_ shape: ImageShape, count: Int, from first: Int = 20) -> ImageSet {
    let pixels = (0..<count).flatMap { image in
        [UInt8](repeating: UInt8((first + image) % 256), count: shape.elements)
    }
    return ImageSet(
        channels: shape.channels, height: shape.height, width: shape.width, classCount: 5,
        pixels: pixels, labels: (0..<count).map { Int32($0 % 5) }, indices: Array(0..<count))
}

private func viewed(
    _ settings: DefenseSettings, _ images: ImageSet, count: Int? = nil
) throws -> BatchView {
    let order = Array(0..<(count ?? images.count))
    return try guardedTrainer(settings, images).view(order[...])
}

@Suite("Cutout, Mixup and CutMix")
struct MixingDefenseTests {
    @Test(
        "cutout blackens one square in all channels, of the area that counting gives",
        arguments: shapes)
    func cutoutArea(shape: ImageShape) throws {
        let count = 3_000
        let view = try viewed(
            DefenseSettings(name: "cutout"), levels(shape, count: count, from: 0))
        #expect(view.shares.allSatisfy { $0 == 0 })
        let side = shape.height / 2
        var total = 0
        for image in 0..<count where image % 256 != 0 {
            let own = view.images[image * shape.elements..<(image + 1) * shape.elements]
            let black = own.indices.filter { own[$0] == 0 }.map { $0 - own.startIndex }
            let first = Set(black.filter { $0 < shape.positions })
            #expect((side * side / 4...side * side).contains(first.count))
            #expect(black.count == first.count * shape.channels)
            #expect(Set(black.map { $0 % shape.positions }) == first)
            let rows = Set(first.map { $0 / shape.width })
            let columns = Set(first.map { $0 % shape.width })
            #expect(rows.count * columns.count == first.count)
            total += first.count
        }
        func reach(_ count: Int) -> Int {
            (0..<count).reduce(0) { sum, centre in
                sum + min(count, centre - side / 2 + side) - max(0, centre - side / 2)
            }
        }
        let expected = Double(reach(shape.height) * reach(shape.width)) / Double(shape.positions)
        let images = (0..<count).count { $0 % 256 != 0 }
        #expect(abs(Double(total) / Double(images) / expected - 1) < 0.01)
    }

    @Test(
        "cutmix pastes a box of the partner, and its area is the label's share", arguments: shapes)
    func cutmixShare(shape: ImageShape) throws {
        let images = levels(shape, count: 200)
        let view = try viewed(DefenseSettings(name: "cutmix"), images)
        var shares: [Float] = []
        for image in 0..<images.count where view.partners[image] != image {
            let own = view.images[image * shape.elements..<(image + 1) * shape.elements]
            let pasted = Float(20 + view.partners[image]) / 255
            let kept = Float(20 + image) / 255
            let changed = own.count { $0 == pasted }
            #expect(own.allSatisfy { $0 == pasted || $0 == kept })
            #expect(Float(changed) / Float(shape.elements) == view.shares[image])
            shares.append(view.shares[image])
        }
        // A uniform share, a little less for whole pixels.
        let mean = shares.reduce(0, +) / Float(shares.count)
        #expect((0.38...0.55).contains(mean), "\(mean)")
        #expect(Set(view.partners).count == images.count)
        let none = DefenseSettings(name: "cutmix", numbers: ["probability": 0])
        let plain = try viewed(none, images)
        #expect(plain.images == (try viewed(DefenseSettings(), images)).images)
        #expect(plain.shares.allSatisfy { $0 == 0 })
    }

    @Test("mixup stays on the segment between two images, by the label's share", arguments: shapes)
    func mixupSegment(shape: ImageShape) throws {
        let images = PoisonFixtures.images(shape, count: 100, classes: 5)
        let plain = try viewed(DefenseSettings(), images).images
        let view = try viewed(DefenseSettings(name: "mixup"), images)
        for image in 0..<images.count {
            let share = view.shares[image]
            #expect((0..<1).contains(share))
            for place in stride(from: 0, to: shape.elements, by: 7) {
                let own = plain[image * shape.elements + place]
                let other = plain[view.partners[image] * shape.elements + place]
                let mixed = view.images[image * shape.elements + place]
                #expect(abs(mixed - ((1 - share) * own + share * other)) < 1e-6)
            }
        }
        let mean = view.shares.reduce(0, +) / Float(images.count)
        #expect((0.4...0.6).contains(mean), "\(mean)")
    }

    @Test("the loss is linear in the share", arguments: ["mixup", "cutmix"])
    func linearLoss(name: String) throws {
        let images = PoisonFixtures.images(PoisonFixtures.grey, count: 24, classes: 5)
        let trainer = try guardedTrainer(DefenseSettings(name: name), images, model: "lenet5")
        let order = Array(0..<24)
        let view = trainer.view(order[...])
        let executor = trainer.executor
        executor.forward(mode: .training)
        let logits = executor.prediction(0).values.values
        var expected = 0.0
        for image in 0..<24 {
            let row = logits[image * 5..<(image + 1) * 5].map { Double($0) }
            let total = log(row.reduce(0) { $0 + exp($1) })
            let own = total - row[Int(images.labels[image])]
            let other = total - row[Int(images.labels[view.partners[image]])]
            expected += own + Double(view.shares[image]) * (other - own)
        }
        let loss = trainer.step(order[...]).loss
        #expect(abs(loss - expected) < 1e-4 * expected)
    }

    @Test("gradients of mixed labels are those of central differences")
    func mixedGradient() throws {
        let images = PoisonFixtures.images(PoisonFixtures.grey, count: 8, classes: 5)
        let settings = DefenseSettings(name: "mixup")
        // Without momentum or decay a step is the gradient itself.
        let training = TrainingSettings(
            epochs: 1, batch: 8, learningRate: 1, momentum: 0, weightDecay: 0)
        let order = Array(0..<8)
        func loss(bias change: Float, _ place: Int) throws -> Double {
            let trainer = try guardedTrainer(settings, images, training: training)
            var state = trainer.state
            let bias = try #require(state.arrays.firstIndex { $0.shape == [5] })
            state.arrays[bias].values[place] += change
            try trainer.restore(state)
            return trainer.step(order[...]).mean
        }
        let trainer = try guardedTrainer(settings, images, training: training)
        let bias = try #require(trainer.parameters.named.firstIndex { $0.shape == [5] })
        let before = trainer.parameters.named[bias].values
        _ = trainer.step(order[...])
        let after = trainer.parameters.named[bias].values
        for place in 0..<5 {
            let slope = try (loss(bias: 0.01, place) - loss(bias: -0.01, place)) / 0.02
            #expect(abs(Double(before[place] - after[place]) - slope) < 1e-4)
        }
    }
}

@Suite("Displacement and sharpening")
struct SampleDefenseTests {
    @Test(
        "COIN without displacement changes nothing; else it keeps to the range and differs by epoch",
        arguments: shapes)
    func coin(shape: ImageShape) throws {
        let images = PoisonFixtures.images(shape, count: 40, classes: 5)
        let plain = try viewed(DefenseSettings(), images).images
        let still = DefenseSettings(name: "coin", numbers: ["alpha": 0])
        #expect(try viewed(still, images).images == plain)
        let trainer = try guardedTrainer(DefenseSettings(name: "coin"), images)
        let order = Array(0..<40)
        let first = trainer.view(order[...]).images
        #expect(first == trainer.view(order[...]).images)
        #expect(first != plain)
        for image in 0..<images.count {
            let range = image * shape.elements..<(image + 1) * shape.elements
            let (low, high) = (plain[range].min() ?? 0, plain[range].max() ?? 0)
            #expect(first[range].allSatisfy { (low - 1e-6...high + 1e-6).contains($0) })
        }
        _ = trainer.trainEpoch()
        let second = trainer.view(order[...]).images
        #expect(zip(first, second).count { $0 != $1 } > first.count / 2)
    }

    @Test(
        "what is drawn for an image depends on its epoch, not on its place in a batch",
        arguments: ["cutout", "coin", "rsk-ff"])
    func placesDoNotMatter(name: String) throws {
        let shape = PoisonFixtures.grey
        let images = PoisonFixtures.images(shape, count: 12, classes: 4)
        let trainer = try guardedTrainer(DefenseSettings(name: name), images)
        let forward = trainer.view([3, 7, 9][...]).images
        let backward = trainer.view([9, 3][...]).images
        #expect(Array(forward.prefix(shape.elements)) == Array(backward.suffix(shape.elements)))
        #expect(Array(forward.suffix(shape.elements)) == Array(backward.prefix(shape.elements)))
    }

    @Test("all frequencies and a kernel without spread leave plain sharpening", arguments: shapes)
    func sharpening(shape: ImageShape) throws {
        let images = PoisonFixtures.images(shape, count: 6, classes: 3)
        let plain = try viewed(DefenseSettings(), images).images
        let settings = DefenseSettings(name: "rsk-ff", numbers: ["keep": 1, "spread": 0])
        let sharp = try viewed(settings, images).images
        let width = shape.width
        for plane in 0..<(images.count * shape.channels) {
            let base = plane * shape.positions
            for row in 0..<shape.height {
                for column in 0..<width {
                    let place = base + row * width + column
                    let isBorder =
                        row == 0 || column == 0 || row == shape.height - 1 || column == width - 1
                    let sides =
                        isBorder
                        ? 0
                        : plain[place - 1] + plain[place + 1] + plain[place - width]
                            + plain[place + width]
                    let expected =
                        isBorder ? 0 : min(max(2.5 * plain[place] - 0.375 * sides, 0), 1)
                    #expect(abs(sharp[place] - expected) < 1e-5)
                }
            }
        }
    }

    @Test(
        "a constant image stays constant under the mean kernel, whatever is filtered",
        arguments: shapes)
    func constant(shape: ImageShape) throws {
        let images = levels(shape, count: 3, from: 100)
        let settings = DefenseSettings(name: "rsk-ff", numbers: ["spread": 0])
        let view = try viewed(settings, images).images
        for image in 0..<3 {
            let middle = image * shape.elements + shape.positions / 2 + shape.width / 2
            #expect(abs(view[middle] - Float(100 + image) / 255) < 1e-5)
        }
        // Drawn kernels sum to 1 on average: five draws of a deviation of 0.1.
        let drawn = try viewed(
            DefenseSettings(name: "rsk-ff", numbers: ["keep": 1]),
            levels(shape, count: 100, from: 80))
        let ratios = (0..<100).map { image in
            drawn.images[image * shape.elements + shape.positions / 2 + shape.width / 2] * 255
                / Float(80 + image)
        }
        #expect(abs(ratios.reduce(0, +) / 100 - 1) < 0.08)
        #expect(Set(ratios).count == 100)
    }
}
