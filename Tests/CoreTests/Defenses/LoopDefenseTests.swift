import FathomCore
import Foundation
import Testing

private let shapes = [PoisonFixtures.colour, PoisonFixtures.grey]

@Suite("UEraser")
struct UEraserTests {
    @Test("plasma maps lie within 0...1 around a half", arguments: [28, 32])
    func plasma(side: Int) {
        var fractal = PlasmaFractal()
        var random = RandomStream(seed: 4)
        var sum = 0.0
        var spreads: [Double] = []
        for _ in 0..<400 {
            let roughness = random.uniform(0.3, 0.7)
            fractal.draw(height: side, width: side, roughness: roughness, random: &random)
            let values = (0..<side * side).map { Double(fractal[$0 / side, $0 % side]) }
            #expect(values.allSatisfy { (0...1).contains($0) })
            let mean = values.reduce(0, +) / Double(values.count)
            sum += mean
            spreads.append(
                values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count))
        }
        #expect(abs(sum / 400 - 0.5) < 0.02)
        #expect(spreads.allSatisfy { $0 > 1e-4 })
    }

    @Test("the draw with the largest loss is taken for each image", arguments: shapes)
    func hardest(shape: ImageShape) throws {
        let images = PoisonFixtures.images(shape, count: 32, classes: 4)
        let trainer = try guardedTrainer(
            DefenseSettings(name: "ueraser"), images, model: "resnet18")
        _ = trainer.trainEpoch()
        let before = trainer.parameters.named.map(\.values)
        let order = Array(0..<32)
        let view = trainer.view(order[...])
        #expect(view.images.allSatisfy { (0...1).contains($0) })
        #expect(trainer.parameters.named.map(\.values) == before, "running statistics moved")
        #expect(view.drawLosses.count == 5)
        let single = try (0..<5).map { draw in
            #expect(view.drawLosses[draw].count == 32)
            return try #require(view.drawLosses[draw].max())
        }
        #expect(Set(single).count == 5, "draws are alike")
        // Every draw is the hardest of some image, and what is shown is no single draw.
        let winners = (0..<32).map { image in
            (0..<5).max { view.drawLosses[$0][image] < view.drawLosses[$1][image] } ?? 0
        }
        #expect(Set(winners).count > 1)
        let first = try guardedTrainer(
            DefenseSettings(name: "ueraser", numbers: ["draws": 1]), images, model: "resnet18")
        try first.restore(trainer.state)
        let lone = first.view(order[...]).images
        for image in 0..<32 {
            let range = image * shape.elements..<(image + 1) * shape.elements
            #expect((lone[range] == view.images[range]) == (winners[image] == 0))
        }
    }

    @Test("lite is one draw, normal is max for its leading epochs and lite after them")
    func modes() throws {
        let images = PoisonFixtures.images(PoisonFixtures.grey, count: 24, classes: 4)
        func trained(
            _ mode: String, _ numbers: [String: Double] = [:], epochs: Int = 2
        ) throws -> [[Float]] {
            let settings = DefenseSettings(
                name: "ueraser", numbers: numbers, words: ["mode": mode])
            let trainer = try guardedTrainer(settings, images, model: "lenet5")
            for _ in 0..<epochs { _ = trainer.trainEpoch() }
            return trainer.parameters.named.map(\.values)
        }
        let lite = try trained("lite")
        let most = try trained("max")
        #expect(lite != most)
        #expect(try trained("max", ["draws": 1]) == lite)
        #expect(try trained("normal", ["leadingEpochs": 0]) == lite)
        #expect(try trained("normal", ["leadingEpochs": 2]) == most)
        let one = try trained("normal", ["leadingEpochs": 1])
        #expect(one != lite && one != most)
        #expect(
            try trained("normal", ["leadingEpochs": 1], epochs: 1) == trained("max", epochs: 1))
    }

    @Test("with JPEG before it images are others, still within 0...1", arguments: shapes)
    func compressed(shape: ImageShape) throws {
        let images = PoisonFixtures.images(shape, count: 64, classes: 4)
        let order = Array(0..<64)
        let lite = ["mode": "lite"]
        let plain = try guardedTrainer(DefenseSettings(name: "ueraser", words: lite), images)
            .view(order[...]).images
        let jpeg = try guardedTrainer(DefenseSettings(name: "ueraser-jpeg", words: lite), images)
            .view(order[...]).images
        #expect(jpeg.allSatisfy { (0...1).contains($0) })
        #expect(zip(plain, jpeg).count { $0 != $1 } > plain.count / 2)
    }
}

@Suite("Adversarial training")
struct AdversarialTrainingTests {
    @Test("images move within epsilon and 0...1, and almost all get harder", arguments: shapes)
    func attack(shape: ImageShape) throws {
        let images = PoisonFixtures.images(shape, count: 40, classes: 4)
        for words in [
            ["tier": "paper"], ["tier": "cpu"], ["start": "uniform", "tier": "cpu"],
        ] {
            let trainer = try guardedTrainer(
                DefenseSettings(name: "at", words: words), images, model: "resnet18")
            for _ in 0..<3 { _ = trainer.trainEpoch() }
            let order = Array(0..<40)
            let clean = try guardedTrainer(DefenseSettings(), images).view(order[...]).images
            let before = trainer.parameters.named.map(\.values)
            let moved = trainer.view(order[...]).images
            #expect(trainer.parameters.named.map(\.values) == before)
            #expect(zip(clean, moved).allSatisfy { abs($0 - $1) <= 8 / 255 + 1e-6 })
            #expect(moved.allSatisfy { (0...1).contains($0) })
            let (easy, hard) = (
                losses(trainer, clean, shape, images), losses(trainer, moved, shape, images)
            )
            let harder = zip(easy, hard).count { $1 > $0 }
            #expect(harder >= 38, "\(harder) of 40 with \(words)")
        }
    }

    /// Each image's cross-entropy in evaluation mode.
    private func losses(
        _ trainer: Trainer, _ values: [Float], _ shape: ImageShape, _ images: ImageSet
    ) -> [Double] {
        let executor = trainer.executor
        executor.prepare(batch: 1)
        return (0..<images.count).map { image in
            let own = values[image * shape.elements..<(image + 1) * shape.elements]
            executor.image.copy(from: Array(own))
            executor.forward(mode: .evaluation)
            let logits = executor.prediction(0).values.values.map { Double($0) }
            return log(logits.reduce(0) { $0 + exp($1) }) - logits[Int(images.labels[image])]
        }
    }

    @Test("tiers set what is not given")
    func tiers() throws {
        func resolved(_ settings: DefenseSettings) throws -> DefenseSettings {
            try DefenseRegistry.resolve(settings, channels: 3, height: 32, width: 32)
        }
        let paper = try resolved(DefenseSettings(name: "at"))
        #expect(paper.numbers["steps"] == 10 && paper.numbers["stepSize"] == 2.0 / 255)
        let cpu = try resolved(DefenseSettings(name: "at", words: ["tier": "cpu"]))
        #expect(cpu.numbers["steps"] == 3 && cpu.numbers["stepSize"] == 4.0 / 255)
        let own = try resolved(
            DefenseSettings(name: "at", numbers: ["steps": 7], words: ["tier": "cpu"]))
        #expect(own.numbers["steps"] == 7 && own.numbers["stepSize"] == 4.0 / 255)
    }
}

@Suite("Defenses in training")
struct GuardedTrainingTests {
    /// Every defense that acts on batches, at its defaults.
    static let guarding = DefenseRegistry.defenses
        .filter { ![.none, .dataSet].contains($0.stage) }.map(\.name)

    @Test("stopping after an epoch and going on gives the same bits", arguments: guarding)
    func resuming(name: String) throws {
        for (shape, model) in [
            (PoisonFixtures.colour, "resnet18"), (PoisonFixtures.grey, "lenet5"),
        ] {
            let images = PoisonFixtures.images(shape, count: 20, classes: 4)
            let training = TrainingSettings(
                epochs: 2, batch: 8, learningRate: 0.02,
                augment: model == "lenet5" ? [] : [.crop, .flip])
            func trainer() throws -> Trainer {
                try guardedTrainer(
                    DefenseSettings(name: name), images, model: model, training: training)
            }
            let whole = try trainer()
            for _ in 0..<2 { _ = whole.trainEpoch() }
            let first = try trainer()
            _ = first.trainEpoch()
            let second = try trainer()
            try second.restore(first.state)
            // Looking at a batch changes nothing that comes after.
            _ = second.view([1, 2, 3][...])
            _ = second.trainEpoch()
            #expect(second.parameters.named.map(\.values) == whole.parameters.named.map(\.values))
            let plain = try guardedTrainer(
                DefenseSettings(), images, model: model, training: training)
            for _ in 0..<2 { _ = plain.trainEpoch() }
            #expect(plain.parameters.named.map(\.values) != whole.parameters.named.map(\.values))
        }
    }

    static let identities = [
        DefenseSettings(name: "cutout", numbers: ["side": 0]),
        DefenseSettings(name: "mixup", numbers: ["lambdaMax": 0]),
        DefenseSettings(name: "cutmix", numbers: ["probability": 0]),
        DefenseSettings(name: "coin", numbers: ["alpha": 0]),
        DefenseSettings(name: "at", numbers: ["epsilon": 0], words: ["tier": "cpu"]),
        DefenseSettings(name: "gaussian-released"),
        DefenseSettings(name: "bdr", numbers: ["bits": 8]),
    ]

    @Test(
        "settings that do nothing give training and SAL equal to none's, bit for bit",
        arguments: identities)
    func identity(settings: DefenseSettings) throws {
        for (shape, model) in [
            (PoisonFixtures.colour, "resnet18"), (PoisonFixtures.grey, "lenet5"),
        ] {
            let images = PoisonFixtures.images(shape, count: 24, classes: 4)
            #expect(
                try results(settings, images, model) == results(DefenseSettings(), images, model))
        }
    }

    /// Losses of two epochs, the weights after them, and SAL of the last layers.
    private func results(
        _ settings: DefenseSettings, _ images: ImageSet, _ model: String
    ) throws -> [[Float]] {
        let rewriting = try DefenseRegistry.rewriting(
            settings, fittedTo: images, random: RandomStream(seed: 1))
        let shown = rewriting?.rewritten(images) ?? images
        let training = TrainingSettings(
            epochs: 2, batch: 10, learningRate: 0.02, augment: [.crop, .flip])
        let trainer = try guardedTrainer(settings, shown, model: model, training: training)
        let losses = (0..<2).map { _ in Float(trainer.trainEpoch().loss) }
        let engine = SALEngine(
            network: trainer.executor.network, parameters: trainer.parameters, images: shown,
            settings: SALSettings(images: 24, batch: 24, steps: 2))
        let last = engine.layerCount - 2..<engine.layerCount
        let measured = engine.measure(layers: last).map { Float($0.sal) }
        return [losses, measured] + trainer.parameters.named.map(\.values)
    }

    @Test("defenses that mix or move images are refused beside targets at every pixel")
    func denseTargets() throws {
        let moving: Set<String> = [
            "coin", "cutmix", "mixup", "rsk-ff", "ueraser", "ueraser-jpeg",
        ]
        for name in DefenseRegistry.names {
            let reason = DefenseRegistry.reasonUnfit(
                name, isDense: true, channels: 3, height: 32, width: 32)
            #expect((reason != nil) == moving.contains(name), "\(name)")
        }
    }
}
