import FathomCore

/// A small network, trained on small clean images, and settings that craft with it.
enum SurrogateFixtures {
    static let shape = ImageShape(channels: 1, height: 16, width: 16)
    static let classes = 4
    static let images = PoisonFixtures.images(shape, count: 120, classes: classes)
    static let model = ModelSettings(name: "smallcnn", width: 8)

    /// A poison's settings with this model.
    static func settings(
        _ name: String, _ numbers: [String: Double] = [:], _ words: [String: String] = [:]
    ) -> MethodSettings {
        MethodSettings(
            name: name,
            numbers: numbers.merging(["surrogateWidth": 8, "batch": 40]) { given, _ in given },
            words: words.merging(["surrogate": "smallcnn"]) { given, _ in given })
    }

    static func network(_ shape: ImageShape = shape, model: ModelSettings = model) throws -> Network
    {
        try ModelRegistry.classifier(
            model, channels: shape.channels, height: shape.height, width: shape.width,
            classes: classes)
    }

    /// The state of the network after training on the clean images.
    static let trained: TrainingState? = {
        NumericClass.enterSlot()
        guard let network = try? network() else { return nil }
        let trainer = Trainer(
            network: network,
            settings: TrainingSettings(epochs: 12, batch: 20, learningRate: 0.05), images: images,
            random: RandomStream(seed: 3))
        for _ in 0..<12 { _ = trainer.trainEpoch() }
        return trainer.state
    }()

    /// Crafts without a break.
    static func craft(_ settings: MethodSettings, seed: UInt64 = 1) throws -> CraftedPoison {
        try PerturbationRegistry.craft(
            settings, images: images, keys: images.labels, seed: seed, surrogate: trained)
    }

    /// Crafts in jobs of so many rounds, each going on from what the one before kept.
    static func craftInParts(
        _ settings: MethodSettings, rounds: Int, seed: UInt64 = 1
    ) throws -> CraftedPoison? {
        var state: CraftState?
        for _ in 0..<1000 {
            let progress = try PerturbationRegistry.advance(
                settings, images: images, keys: images.labels, seed: seed, surrogate: trained,
                from: state, rounds: state?.isFinished == true ? nil : rounds
            ) { _ in }
            switch progress {
            case .unfinished(let kept): state = kept
            case .finished(let poison): return poison
            }
        }
        return nil
    }
}
