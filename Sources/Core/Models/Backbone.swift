/// What the heads of a network share, and where they join it.
struct Backbone {
    private let name: String
    /// What classifiers read.
    private let features: Int
    /// What dense heads read, from stride 1 on; the features alone where they cannot sit.
    private let taps: [Int]
    private let width: Int

    /// Those on which dense heads can sit.
    static let namesWithTaps = ["resnet18", "resnet34", "resnet50", "lenet5", "smallcnn"]

    init(_ name: String, width: Int, _ builder: inout NetworkBuilder) {
        var taps: [Int] = []
        switch name {
        case "linear": taps = [builder.image]
        case "linear12": taps = [SmallNetworks.twelveMeans(&builder)]
        case "mlp": taps = [SmallNetworks.mlpBackbone(&builder)]
        case "vit-small": taps = [VisionTransformer(dimension: width).backbone(&builder)]
        case "lenet5": taps = SmallNetworks.lenet5Backbone(&builder)
        case "smallcnn": taps = SmallNetworks.smallcnnBackbone(&builder, width: width)
        case "resnet18": taps = ResNet.resnet18(width: width).backbone(&builder)
        case "resnet34": taps = ResNet.resnet34(width: width).backbone(&builder)
        case "resnet50": taps = ResNet.resnet50(width: width).backbone(&builder)
        case "senet18": taps = SENet(width: width).backbone(&builder)
        case "mobilenetv2": taps = [MobileNetV2(width: width).backbone(&builder)]
        case "densenet121": taps = [DenseNet(growth: width).backbone(&builder)]
        default: preconditionFailure("\(name) has no backbone")
        }
        self.name = name
        self.taps = taps
        features = taps[taps.count - 1]
        self.width = name == "lenet5" ? 6 : width
    }

    /// Answers the node of the head's prediction.
    func add(_ head: HeadSettings, to builder: inout NetworkBuilder) -> Int {
        switch head.kind {
        case .classifier(let classes):
            return classifier(&builder, head.prefix, classes)
        case .dense(let kind, let channels):
            let dense = DenseHead(
                kind: kind, prefix: head.prefix, inner: DenseHead.innerChannels(width: width),
                output: channels)
            return dense.build(&builder, taps: taps)
        }
    }

    private func classifier(
        _ builder: inout NetworkBuilder, _ prefix: String, _ classes: Int
    ) -> Int {
        switch name {
        case "linear", "linear12": builder.linear(prefix + "linear", features, to: classes)
        case "mlp": builder.linear(prefix + "fc3", features, to: classes)
        case "vit-small": builder.linear(prefix + "mlp_head.1", features, to: classes)
        case "lenet5":
            SmallNetworks.lenet5Classifier(&builder, features, prefix: prefix, classes: classes)
        default:
            builder.linear(
                prefix + "linear", builder.add(GlobalAverage(), features), to: classes)
        }
    }
}
