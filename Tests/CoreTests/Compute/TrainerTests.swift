import FathomCore
import Testing

@Suite("Training")
struct TrainerTests {
    private static let everything: [TrainingSettings] = [
        TrainingSettings(epochs: 3, batch: 10, learningRate: 0.05, nesterov: true),
        TrainingSettings(
            epochs: 3, batch: 10, optimizer: .adam, learningRate: 1e-3, schedule: .cosine,
            augment: [.crop, .flip]),
        TrainingSettings(
            epochs: 3, batch: 10, optimizer: .adamw, learningRate: 1e-3, weightDecay: 0.05,
            warmupEpochs: 1),
        TrainingSettings(
            epochs: 3, batch: 10, optimizer: .sam, learningRate: 0.05, schedule: .step,
            milestones: [1, 2], factor: 0.5),
    ]

    @Test("stopping after any epoch and going on gives the same bits", arguments: everything)
    func resuming(_ settings: TrainingSettings) throws {
        let models = [
            ModelSettings(name: "resnet18", width: 2), ModelSettings(name: "vit-small", width: 16),
        ]
        for model in models {
            let whole = try toyTrainer(model, settings: settings)
            for stop in 0..<3 {
                let values = try halves(model, settings, stop: stop)
                #expect(values == whole.parameters.named.map(\.values))
            }
        }
    }

    /// Trains to `stop`, moves the state into a new trainer, and finishes there.
    private func halves(
        _ model: ModelSettings, _ settings: TrainingSettings, stop: Int
    ) throws -> [[Float]] {
        let network = try ModelRegistry.classifier(
            model, channels: 1, height: 16, width: 16, classes: 4)
        func trainer() -> Trainer {
            Trainer(
                network: network, settings: settings, images: toyImages(64),
                random: RandomStream(seed: 3))
        }
        let first = trainer()
        for _ in 0..<stop { _ = first.trainEpoch() }
        let second = trainer()
        try second.restore(first.state)
        for _ in stop..<settings.epochs { _ = second.trainEpoch() }
        return second.parameters.named.map(\.values)
    }

    @Test("training lowers the loss on images whose class shows", arguments: tinyModels)
    func learning(_ model: ModelSettings) throws {
        let adam = model.name == "vit-small"
        let settings = TrainingSettings(
            epochs: 0, batch: 16, optimizer: adam ? .adam : .sgd,
            learningRate: adam ? 2e-3 : 0.02)
        let trainer = try toyTrainer(model, settings: settings)
        let first = trainer.trainEpoch().mean
        var last = first
        for _ in 0..<8 { last = trainer.trainEpoch().mean }
        #expect(last < first, "\(model.name): \(first) to \(last)")
    }

    @Test("divergence is seen, ends the epoch, and nothing hangs")
    func divergence() throws {
        let settings = TrainingSettings(epochs: 0, batch: 8, learningRate: 1e12)
        let trainer = try toyTrainer(ModelSettings(name: "mlp"), settings: settings)
        let losses = (0..<3).map { _ in trainer.trainEpoch().loss }
        #expect(losses.contains { !$0.isFinite })
    }

    @Test("a checkpoint of another width is refused by the array's name")
    func misfit() throws {
        let small = try toyTrainer(ModelSettings(name: "smallcnn", width: 4))
        let large = try toyTrainer(ModelSettings(name: "smallcnn", width: 8))
        #expect(throws: TrainingState.Failure.self) { try large.restore(small.state) }
    }

    @Test("evaluation does not depend on the batch size, up to rounding")
    func evaluation() throws {
        let trainer = try toyTrainer(ModelSettings(name: "resnet18", width: 2))
        let images = toyImages(30)
        let a = Evaluator.evaluate(trainer.executor, on: images, batch: 30)
        let b = Evaluator.evaluate(trainer.executor, on: images, batch: 7)
        #expect(a.count == 30 && b.count == 30 && a.correct == b.correct)
        #expect(abs(a.mean - b.mean) < 1e-5)
    }
}
