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
    public static let revision = 1

    /// What stands in the way of building a model.
    public enum Failure: Error, CustomStringConvertible {
        case unknown(String)
        case widthUnsupported(String, Int)
        case inputUnsupported(String, String)

        public var description: String {
            switch self {
            case .unknown(let name):
                "model \(name) is not known; there are "
                    + ModelRegistry.entries.map(\.name).joined(separator: ", ")
            case .widthUnsupported(let name, let width):
                "model \(name) cannot have width \(width)"
            case .inputUnsupported(let name, let reason):
                "model \(name) \(reason)"
            }
        }
    }

    /// Builds a classifier.
    public static func classifier(
        _ settings: ModelSettings, channels: Int, height: Int, width: Int, classes: Int
    ) throws -> Network {
        let entry = try entry(settings)
        try check(entry, height: height, width: width)
        var builder = NetworkBuilder(
            input: .image(channels: channels, height: height, width: width))
        let base = settings.width ?? entry.defaultWidth ?? 1
        switch entry.name {
        case "linear": SmallNetworks.linear(&builder, classes: classes)
        case "mlp": SmallNetworks.mlp(&builder, classes: classes)
        case "vit-small":
            VisionTransformer(dimension: base).build(&builder, classes: classes)
        case "lenet5":
            let taps = SmallNetworks.lenet5Backbone(&builder)
            SmallNetworks.lenet5Classifier(&builder, taps[2], classes: classes)
        default:
            let features = convolutionalFeatures(entry.name, base, &builder)
            let pooled = builder.add(GlobalAverage(), features)
            builder.head("cls", builder.linear("linear", pooled, to: classes))
        }
        return builder.finished()
    }

    private static func convolutionalFeatures(
        _ name: String, _ width: Int, _ builder: inout NetworkBuilder
    ) -> Int {
        switch name {
        case "smallcnn": SmallNetworks.smallcnnBackbone(&builder, width: width)[3]
        case "resnet18": ResNet.resnet18(width: width).backbone(&builder)[3]
        case "resnet34": ResNet.resnet34(width: width).backbone(&builder)[3]
        case "resnet50": ResNet.resnet50(width: width).backbone(&builder)[3]
        case "senet18": SENet(width: width).backbone(&builder)[3]
        case "mobilenetv2": MobileNetV2(width: width).backbone(&builder)
        case "densenet121": DenseNet(growth: width).backbone(&builder)
        default: preconditionFailure("\(name) has no convolutional features")
        }
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

    private static func check(_ entry: Entry, height: Int, width: Int) throws {
        switch entry.name {
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
}
