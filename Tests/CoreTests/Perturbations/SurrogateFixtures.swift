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

    /// Edges of the same images.
    static let targets = TaskTargets(
        of: [.edge], images: images, labels: images.labels, maps: nil,
        clips: ClipConstants(for: [.edge], of: images))

    static func edgeNetwork() throws -> Network {
        try ModelRegistry.network(
            model, heads: [TaskKind.edge.head(channels: 1, classes: classes)], channels: 1,
            height: shape.height, width: shape.width)
    }

    /// What a network is to learn of edges.
    static func edgeObjective(_ network: Network) throws -> Objective {
        try Objective(
            network: network, images: images,
            terms: [.init(task: "edge", target: targets.target(of: .edge))])
    }

    /// The state of a network after learning edges.
    static let trainedOnEdges: TrainingState? = {
        NumericClass.enterSlot()
        guard let network = try? edgeNetwork() else { return nil }
        let trainer = Trainer(
            network: network,
            settings: TrainingSettings(
                epochs: 12, batch: 20, optimizer: .adam, learningRate: 0.005, weightDecay: 0),
            images: images, random: RandomStream(seed: 3), objective: try? edgeObjective(network))
        for _ in 0..<12 { _ = trainer.trainEpoch() }
        return trainer.state
    }()

    /// The network that a method reads.
    static func surrogate(_ settings: MethodSettings) -> TrainingState? {
        settings.words["craftTask"] == "edge" ? trainedOnEdges : trained
    }

    /// Crafts without a break.
    static func craft(_ settings: MethodSettings, seed: UInt64 = 1) throws -> CraftedPoison {
        // One thread of BLAS, whichever test comes first: others round otherwise.
        NumericClass.enterSlot()
        return try PerturbationRegistry.craft(
            settings, images: images, keys: images.labels, seed: seed,
            surrogate: surrogate(settings), targets: targets)
    }

    /// Crafts in jobs of so many rounds, each going on from what the one before kept.
    static func craftInParts(
        _ settings: MethodSettings, rounds: Int, seed: UInt64 = 1
    ) throws -> CraftedPoison? {
        NumericClass.enterSlot()
        var state: CraftState?
        for _ in 0..<1000 {
            let progress = try PerturbationRegistry.advance(
                settings, images: images, keys: images.labels, seed: seed,
                surrogate: surrogate(settings), targets: targets, from: state,
                rounds: state?.isFinished == true ? nil : rounds
            ) { _ in }
            switch progress {
            case .unfinished(let kept): state = kept
            case .finished(let poison): return poison
            }
        }
        return nil
    }
}
