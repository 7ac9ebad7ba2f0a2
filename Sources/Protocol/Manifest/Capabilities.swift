public import FathomCore

/// What this build can compute, as far as a manifest may ask for it. Filled from the registries
/// of the core, so that manifests are judged by what is there.
public struct Capabilities: Hashable, Sendable {
    public var dataSets: [String]
    public var methods: [MethodCapability]
    public var tasks: [String]
    public var models: [ModelCapability]
    public var defenses: [DefenseCapability]
    public var optimizers: [TrainingSettings.Optimizer]
    public var schedules: [TrainingSettings.Schedule]
    public var augmentations: [TrainingSettings.Augmentation]
    public var granularities: [SALSettings.Granularity]
    public var origins: [SALSettings.Origin]

    public init(
        dataSets: [String], methods: [MethodCapability], tasks: [String],
        models: [ModelCapability], defenses: [DefenseCapability] = [DefenseCapability("none")],
        optimizers: [TrainingSettings.Optimizer] = [.sgd],
        schedules: [TrainingSettings.Schedule] = TrainingSettings.Schedule.allCases,
        augmentations: [TrainingSettings.Augmentation] = TrainingSettings.Augmentation.allCases,
        granularities: [SALSettings.Granularity] = SALSettings.Granularity.allCases,
        origins: [SALSettings.Origin] = SALSettings.Origin.allCases
    ) {
        self.dataSets = dataSets
        self.methods = methods
        self.tasks = tasks
        self.models = models
        self.defenses = defenses
        self.optimizers = optimizers
        self.schedules = schedules
        self.augmentations = augmentations
        self.granularities = granularities
        self.origins = origins
    }

    /// A fixed stand-in for the core's registries, so that tests of manifests stay as they are
    /// when a method is added.
    public static let forTests = Capabilities(
        dataSets: ["fashion-mnist", "mnist", "kmnist"],
        methods: [
            MethodCapability("clean"),
            MethodCapability("rand-s", [epsilonForTests]),
            MethodCapability("rand-c", [epsilonForTests, variantForTests]),
            MethodCapability(
                "lsp",
                [
                    ParameterCapability(
                        "norm", .number(default: nil, .above(0, upTo: 100)),
                        "L2 norm of the pattern; 6/255 times the root of the pixels if absent"),
                    ParameterCapability(
                        "patch", .whole(default: 7, 1...64), "side of a block, in pixels"),
                ]),
            MethodCapability(
                "ops",
                [
                    ParameterCapability(
                        "sparsity", .whole(default: 1, 1...64), "pixels set in an image")
                ]),
        ],
        tasks: ["cls"],
        models: [
            ModelCapability("lenet5", defaultWidth: nil),
            ModelCapability("resnet18", defaultWidth: 64),
        ],
        defenses: [
            DefenseCapability("none"),
            DefenseCapability("gray", [testImagesForTests]),
            DefenseCapability(
                "jpeg",
                [
                    ParameterCapability("quality", .whole(default: 10, 1...100), "JPEG's quality"),
                    testImagesForTests,
                ]),
            DefenseCapability(
                "cutout",
                [ParameterCapability("side", .whole(default: nil, 0...1_024), "in pixels")]),
        ])

    private static let epsilonForTests = ParameterCapability(
        "epsilon", .number(default: 8.0 / 255, .from(0, to: 1)),
        "largest change of a pixel, scaled to 0...1")
    private static let testImagesForTests = ParameterCapability(
        "testImages", .word(default: "plain", ["plain", "transformed"]), "how test images are seen")
    private static let variantForTests = ParameterCapability(
        "variant", .word(default: "uniform", ["uniform", "sign"]), "how the noise is drawn")
}

/// A method, and what may be set about it.
public struct MethodCapability: Hashable, Sendable {
    public var name: String
    public var parameters: [ParameterCapability]

    public init(_ name: String, _ parameters: [ParameterCapability] = []) {
        self.name = name
        self.parameters = parameters
    }

    /// Methods one on top of the other, such as `ops+em-s`; settings carry their method's name.
    init(combining parts: [MethodCapability]) {
        name = parts.map(\.name).joined(separator: "+")
        parameters = parts.flatMap { part in
            part.parameters.map { parameter in
                ParameterCapability(
                    "\(part.name).\(parameter.name)", parameter.kind, parameter.meaning)
            }
        }
    }
}

/// A defense, and what may be set about it.
public struct DefenseCapability: Hashable, Sendable {
    public var name: String
    public var parameters: [ParameterCapability]

    public init(_ name: String, _ parameters: [ParameterCapability] = []) {
        self.name = name
        self.parameters = parameters
    }
}

/// One setting of a method or defense.
public struct ParameterCapability: Hashable, Sendable {
    public enum Kind: Hashable, Sendable {
        /// A default of `nil` leaves the setting out, for the method to work out.
        case number(default: Double?, NumberRange)
        case whole(default: Int?, ClosedRange<Int>)
        case word(default: String?, [String])
        /// Text that the method reads; left out if absent.
        case text(example: String)
    }

    public var name: String
    public var kind: Kind
    /// What it does, in a few words with its unit.
    public var meaning: String

    public init(_ name: String, _ kind: Kind, _ meaning: String) {
        self.name = name
        self.kind = kind
        self.meaning = meaning
    }
}

/// A network, and whether its width can be chosen.
public struct ModelCapability: Hashable, Sendable {
    public var name: String
    /// The base number of channels if the manifest says nothing; `nil` where there is no choice.
    public var defaultWidth: Int?

    public init(_ name: String, defaultWidth: Int?) {
        self.name = name
        self.defaultWidth = defaultWidth
    }
}
