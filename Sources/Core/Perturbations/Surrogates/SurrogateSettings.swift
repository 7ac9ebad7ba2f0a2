/// The parameters that name a method's network and how much effort it makes.
enum SurrogateSettings {
    private static let withWidth = ModelRegistry.entries.filter { $0.defaultWidth != nil }
    /// The residual networks are this wide in the tier for processors.
    private static let cpuWidth = 16

    /// `tier`, `surrogate`, `surrogateWidth`.
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

    /// Builds the network, or says why it cannot be.
    static func network(
        _ settings: MethodSettings, shape: ImageShape, classes: Int
    ) throws(MethodError) -> Network {
        do {
            return try ModelRegistry.classifier(
                model(settings), channels: shape.channels, height: shape.height,
                width: shape.width, classes: classes)
        } catch {
            throw .unsuited(method: settings.name, reason: "its surrogate: \(error)")
        }
    }

    static func validate(_ settings: MethodSettings, shape: ImageShape) throws(MethodError) {
        try EpsilonBall.validate(settings)
        _ = try network(settings, shape: shape, classes: 2)
    }
}

/// Defaults that differ between tiers, by parameter.
struct TierTable {
    /// `[parameter: [tier: value]]`.
    let values: [String: [String: Double]]

    func callAsFunction(_ parameter: String, _ words: [String: String]) -> Double {
        if parameter == "surrogateWidth" { return SurrogateSettings.width(words: words) }
        guard let value = values[parameter]?[words["tier"] ?? ""] else {
            preconditionFailure("no default of \(parameter) in tier \(words["tier"] ?? "-")")
        }
        return value
    }
}
