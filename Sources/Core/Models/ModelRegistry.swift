/// The named architectures.
public enum ModelRegistry {
    /// A model's name and the base width it has unless told otherwise; `nil`: it has none.
    public struct Entry: Sendable, Hashable {
        public let name: String
        public let defaultWidth: Int?
        /// The smallest and largest width that builds.
        public let widths: ClosedRange<Int>
    }

    public static let entries: [Entry] = [
        Entry(name: "linear", defaultWidth: nil, widths: 1...1),
        Entry(name: "linear12", defaultWidth: nil, widths: 1...1),
        Entry(name: "mlp", defaultWidth: nil, widths: 1...1),
        Entry(name: "lenet5", defaultWidth: nil, widths: 1...1),
        Entry(name: "smallcnn", defaultWidth: 16, widths: 1...1024),
        Entry(name: "resnet18", defaultWidth: 64, widths: 1...1024),
        Entry(name: "resnet34", defaultWidth: 64, widths: 1...1024),
        Entry(name: "resnet50", defaultWidth: 64, widths: 1...1024),
        Entry(name: "senet18", defaultWidth: 64, widths: 1...1024),
        Entry(name: "mobilenetv2", defaultWidth: 32, widths: 2...1024),
        Entry(name: "densenet121", defaultWidth: 32, widths: 2...1024),
        Entry(name: "vit-small", defaultWidth: 512, widths: 8...4096),
    ]

    /// The version of the code behind training and measuring a model.
    public static let revision = 2

    /// What stands in the way of building a model.
    public enum Failure: Error, CustomStringConvertible {
        case unknown(String)
        case widthUnsupported(String, Int)
        case inputUnsupported(String, String)
        case headUnsupported(task: String, reason: String)

        public var description: String {
            switch self {
            case .unknown(let name):
                "model \(name) is not known; there are "
                    + ModelRegistry.entries.map(\.name).joined(separator: ", ")
            case .widthUnsupported(let name, let width):
                "model \(name) cannot have width \(width)"
            case .inputUnsupported(let name, let reason):
                "model \(name) \(reason)"
            case .headUnsupported(let task, let reason):
                "the head of task \(task) \(reason)"
            }
        }
    }

    /// Builds a classifier.
    public static func classifier(
        _ settings: ModelSettings, channels: Int, height: Int, width: Int, classes: Int
    ) throws -> Network {
        try network(
            settings,
            heads: [
                HeadSettings(
                    task: HeadSettings.classification, kind: .classifier(classes: classes))
            ], channels: channels, height: height, width: width)
    }

    /// Builds several heads on one shared backbone, in the order given.
    ///
    /// Dense heads sit on the stage ends of the ResNets (strides 1, 2, 4, 8), and on what stands
    /// before each pooling of `smallcnn` (the same strides) and `lenet5` (strides 1 and 2; its
    /// inner channels are 12, its first layer's six counting as its width).
    public static func network(
        _ settings: ModelSettings, heads: [HeadSettings], channels: Int, height: Int, width: Int
    ) throws -> Network {
        let entry = try entry(settings)
        try check(entry, channels: channels, height: height, width: width)
        try check(heads, on: entry)
        var builder = NetworkBuilder(
            input: .image(channels: channels, height: height, width: width))
        let base = settings.width ?? entry.defaultWidth ?? 1
        let backbone = Backbone(entry.name, width: base, &builder)
        for head in heads {
            builder.head(head.task) { backbone.add(head, to: &$0) }
        }
        return builder.finished()
    }

    private static func entry(_ settings: ModelSettings) throws -> Entry {
        guard let entry = entries.first(where: { $0.name == settings.name }) else {
            throw Failure.unknown(settings.name)
        }
        if let width = settings.width {
            let divides = entry.name != "vit-small" || width % 8 == 0
            guard entry.defaultWidth != nil, entry.widths.contains(width), divides else {
                throw Failure.widthUnsupported(settings.name, width)
            }
        }
        return entry
    }

    private static func check(
        _ entry: Entry, channels: Int, height: Int, width: Int
    ) throws {
        switch entry.name {
        case "linear12" where channels != 1 && channels != 3:
            throw Failure.inputUnsupported(entry.name, "needs images of 1 or 3 channels")
        case "lenet5" where height < 16 || width < 16:
            throw Failure.inputUnsupported(entry.name, "needs images of at least 16x16")
        case "vit-small" where height % 4 != 0 || width % 4 != 0:
            throw Failure.inputUnsupported(entry.name, "needs sides that are multiples of 4")
        default:
            guard height >= 8, width >= 8 || entry.name == "linear" || entry.name == "mlp" else {
                throw Failure.inputUnsupported(entry.name, "needs images of at least 8x8")
            }
        }
    }

    private static func check(_ heads: [HeadSettings], on entry: Entry) throws {
        guard !heads.isEmpty else {
            throw Failure.inputUnsupported(entry.name, "needs at least one head")
        }
        for (index, head) in heads.enumerated() {
            if let problem = problem(head, on: entry) {
                throw Failure.headUnsupported(task: head.task, reason: problem)
            }
            if heads[..<index].contains(where: { $0.task == head.task }) {
                throw Failure.headUnsupported(task: head.task, reason: "is there twice")
            }
        }
    }

    private static func problem(_ head: HeadSettings, on entry: Entry) -> String? {
        guard !head.task.isEmpty, head.task.allSatisfy({ $0.isLetter || $0.isNumber }) else {
            return "has no name of letters and digits"
        }
        switch head.kind {
        case .classifier(let classes):
            return classes < 1 ? "has \(classes) classes; at least 1 is right" : nil
        case .dense(_, let channels):
            if channels < 1 { return "has \(channels) channels; at least 1 is right" }
            let names = Backbone.namesWithTaps
            return names.contains(entry.name)
                ? nil
                : "predicts planes, which \(entry.name) cannot; "
                    + "\(names.joined(separator: ", ")) can"
        }
    }
}
