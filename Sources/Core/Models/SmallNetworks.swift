/// The networks without residuals. Each answers its taps: the values before each pooling and the
/// last before the classifier.
enum SmallNetworks {
    static func linear(_ builder: inout NetworkBuilder, classes: Int) {
        builder.head("cls", builder.linear("linear", builder.image, to: classes))
    }

    static func mlp(_ builder: inout NetworkBuilder, classes: Int) {
        var node = builder.relu(builder.linear("fc1", builder.image, to: 256))
        node = builder.relu(builder.linear("fc2", node, to: 128))
        builder.head("cls", builder.linear("fc3", node, to: classes))
    }

    /// LeNet-5 (LeCun et al., 1998) with ReLU and max pooling; unpadded convolutions with bias.
    static func lenet5Backbone(_ builder: inout NetworkBuilder) -> [Int] {
        let first = builder.relu(
            builder.convolution("conv1", builder.image, to: 6, kernel: 5, bias: true))
        let pooled = builder.add(MaxPool(kernel: 2, stride: 2), first)
        let second = builder.relu(
            builder.convolution("conv2", pooled, to: 16, kernel: 5, bias: true))
        return [first, second, builder.add(MaxPool(kernel: 2, stride: 2), second)]
    }

    static func lenet5Classifier(_ builder: inout NetworkBuilder, _ input: Int, classes: Int) {
        var node = builder.relu(builder.linear("fc1", input, to: 120))
        node = builder.relu(builder.linear("fc2", node, to: 84))
        builder.head("cls", builder.linear("fc3", node, to: classes))
    }

    /// Four 3x3 convolutions with batch norm, max pooling after the first three.
    static func smallcnnBackbone(_ builder: inout NetworkBuilder, width: Int) -> [Int] {
        var node = builder.image
        var taps: [Int] = []
        for (index, channels) in [width, 2 * width, 4 * width, 4 * width].enumerated() {
            let number = index + 1
            node = builder.convolution(
                "conv\(number)", node, to: channels, kernel: 3, padding: 1)
            node = builder.relu(builder.batchNorm("bn\(number)", node))
            taps.append(node)
            if number < 4 { node = builder.add(MaxPool(kernel: 2, stride: 2), node) }
        }
        return taps
    }
}
