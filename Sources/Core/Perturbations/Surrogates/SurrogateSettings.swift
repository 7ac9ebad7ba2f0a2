/// The parameters that name a method's network, what it learns, and how much effort it makes.
enum SurrogateSettings {
    private static let withWidth = ModelRegistry.entries.filter { $0.defaultWidth != nil }
    /// The residual networks are this wide in the tier for processors.
    private static let cpuWidth = 16

    /// `tier`, `surrogate`, `surrogateWidth`, `craftTask`.
    static func parameters(tiers: [String] = ["cpu", "paper", "apbench"]) -> [MethodParameter] {
        [
            MethodParameter(
                name: "tier", kind: .word(default: "cpu", allowed: tiers),
                meaning: "whose settings the others default to: ones for processors, the "
                    + "paper's code, or APBench"),
            MethodParameter(
                name: "surrogate",
                kind: .word(default: "resnet18", allowed: ModelRegistry.entries.map(\.name)),
                meaning: "the network that it is crafted with"),
            MethodParameter(
                name: "surrogateWidth", kind: .number(default: nil, range: 1...4096, whole: true),
                meaning: "its base number of channels; 64, or 16 in the tier cpu, for a ResNet",
                condition: .init(name: "surrogate", values: withWidth.map(\.name))),
            MethodParameter(
                name: "craftTask",
                kind: .word(
                    default: TaskKind.cls.rawValue, allowed: TaskKind.allCases.map(\.rawValue)),
                meaning: "the task that the network learns, and whose loss the noise moves",
                isLeftOutAtDefault: true),
        ]
    }

    /// For methods that read a network trained before.
    static let epochs = MethodParameter(
        name: "surrogateEpochs", kind: .number(default: nil, range: 0...100_000, whole: true),
        meaning: "epochs that it is trained for on clean images; 0: as many as the sweep trains")

    static func width(words: [String: String]) -> Double {
        let own = withWidth.first { $0.name == words["surrogate"] }?.defaultWidth ?? 1
        let isNarrow = words["tier"] == "cpu" && own == 64
        return Double(isNarrow ? cpuWidth : own)
    }

    static func model(_ settings: MethodSettings) -> ModelSettings {
        ModelSettings(
            name: settings.words["surrogate"] ?? "",
            width: settings.numbers["surrogateWidth"].map { Int($0) })
    }

    /// What the network learns.
    static func task(_ settings: MethodSettings) -> TaskKind {
        settings.words["craftTask"].flatMap(TaskKind.init(rawValue:)) ?? .cls
    }

    /// How a network that learns while noise is crafted is trained: as the methods' sources do it,
    /// or, at tasks that they do not know, with Adam, because the losses of dense tasks hardly
    /// move under plain SGD within a few epochs.
    static func training(_ settings: MethodSettings) -> TrainingSettings {
        task(settings) == .cls
            ? TrainingSettings(learningRate: 0.1, momentum: 0.9, weightDecay: 5e-4)
            : TrainingSettings(optimizer: .adam, learningRate: 0.003, weightDecay: 0)
    }

    /// The network of a crafting, untrained as yet, or why it cannot be built.
    static func network(
        _ request: CraftRequest, _ images: CraftImages
    ) throws(MethodError) -> SurrogateNetwork {
        let network = try network(
            request.settings, shape: images.shape, classes: images.classes)
        return SurrogateNetwork(
            network: network, shape: images.shape, settings: training(request.settings),
            random: request.stream("surrogate", 0), objective: try objective(request, network))
    }

    private static func network(
        _ settings: MethodSettings, shape: ImageShape, classes: Int
    ) throws(MethodError) -> Network {
        do {
            return try ModelRegistry.network(
                model(settings),
                heads: [task(settings).head(channels: shape.channels, classes: classes)],
                channels: shape.channels, height: shape.height, width: shape.width)
        } catch {
            throw .unsuited(method: settings.name, reason: "its surrogate: \(error)")
        }
    }

    /// What the network learns beside classes; `nil`: classes.
    private static func objective(
        _ request: CraftRequest, _ network: Network
    ) throws(MethodError) -> Objective? {
        let task = task(request.settings)
        guard task != .cls else { return nil }
        guard let targets = request.targets,
            Set(targets.images.indices).isSuperset(of: request.images.indices)
        else {
            throw .unsuited(
                method: request.settings.name,
                reason: "craftTask is \(task.rawValue), and its targets are not known for all "
                    + "images")
        }
        do throws(Objective.Failure) {
            return try Objective(
                network: network, images: targets.images,
                terms: [.init(task: task.rawValue, target: targets.target(of: task))])
        } catch {
            throw .unsuited(method: request.settings.name, reason: error.description)
        }
    }

    static func validate(_ settings: MethodSettings, shape: ImageShape) throws(MethodError) {
        try EpsilonBall.validate(settings)
        _ = try network(settings, shape: shape, classes: 2)
    }
}
