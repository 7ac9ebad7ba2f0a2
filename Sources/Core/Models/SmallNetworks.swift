/// The networks without residuals. Those of planes answer their taps, the values before each
/// pooling (the global one of `smallcnn` too).
enum SmallNetworks {
    /// Twelve numbers an image: the means of 4 x 3 blocks of one channel, or of 2 x 2 blocks of
    /// each of three.
    static func twelveMeans(_ builder: inout NetworkBuilder) -> Int {
        let isGray = builder.channels(of: builder.image) == 1
        return builder.add(
            BlockMean(rows: isGray ? 4 : 2, columns: isGray ? 3 : 2), builder.image)
    }

    static func mlpBackbone(_ builder: inout NetworkBuilder) -> Int {
        let node = builder.relu(builder.linear("fc1", builder.image, to: 256))
        return builder.relu(builder.linear("fc2", node, to: 128))
    }

    /// LeNet-5 (LeCun et al., 1998) with ReLU and max pooling; unpadded convolutions with bias.
    static func lenet5Backbone(_ builder: inout NetworkBuilder) -> [Int] {
        let first = builder.relu(
            builder.convolution("conv1", builder.image, to: 6, kernel: 5, bias: true))
        let pooled = builder.add(MaxPool(kernel: 2, stride: 2), first)
        let second = builder.relu(
            builder.convolution("conv2", pooled, to: 16, kernel: 5, bias: true))
        return [first, second]
    }

    /// Answers the logits, from the second tap.
    static func lenet5Classifier(
        _ builder: inout NetworkBuilder, _ tap: Int, prefix: String, classes: Int
    ) -> Int {
        let pooled = builder.add(MaxPool(kernel: 2, stride: 2), tap)
        var node = builder.relu(builder.linear(prefix + "fc1", pooled, to: 120))
        node = builder.relu(builder.linear(prefix + "fc2", node, to: 84))
        return builder.linear(prefix + "fc3", node, to: classes)
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
