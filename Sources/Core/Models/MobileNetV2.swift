/// MobileNetV2 for small images (Sandler et al., 2018), with plain ReLU and an early stride of 1.
struct MobileNetV2 {
    /// Channels of the stem; 32 in the paper, all others scale with it.
    let width: Int

    private struct Stage {
        let expansion: Int
        let output: Int
        let repeats: Int
        let stride: Int

        init(_ expansion: Int, _ output: Int, _ repeats: Int, _ stride: Int) {
            self.expansion = expansion
            self.output = output
            self.repeats = repeats
            self.stride = stride
        }
    }

    private static let stages = [
        Stage(1, 16, 1, 1), Stage(6, 24, 2, 1), Stage(6, 32, 3, 2), Stage(6, 64, 4, 2),
        Stage(6, 96, 3, 1), Stage(6, 160, 3, 2), Stage(6, 320, 1, 1),
    ]

    func backbone(_ builder: inout NetworkBuilder) -> Int {
        var node = builder.convolution(
            "conv1", builder.image, to: scaled(32), kernel: 3, padding: 1)
        node = builder.relu(builder.batchNorm("bn1", node))
        var number = 0
        for stage in Self.stages {
            for index in 0..<stage.repeats {
                node = block(
                    &builder, "layers.\(number)", node, expansion: stage.expansion,
                    output: scaled(stage.output), stride: index == 0 ? stage.stride : 1)
                number += 1
            }
        }
        node = builder.convolution("conv2", node, to: scaled(1280), kernel: 1)
        return builder.relu(builder.batchNorm("bn2", node))
    }

    private func block(
        _ builder: inout NetworkBuilder, _ name: String, _ input: Int, expansion: Int, output: Int,
        stride: Int
    ) -> Int {
        let channels = builder.channels(of: input)
        let hidden = channels * expansion
        var node = builder.convolution(name + ".conv1", input, to: hidden, kernel: 1)
        node = builder.relu(builder.batchNorm(name + ".bn1", node))
        node = builder.convolution(
            name + ".conv2", node, to: hidden, kernel: 3, stride: stride, padding: 1,
            groups: hidden)
        node = builder.relu(builder.batchNorm(name + ".bn2", node))
        node = builder.convolution(name + ".conv3", node, to: output, kernel: 1)
        node = builder.batchNorm(name + ".bn3", node)
        guard stride == 1 else { return node }
        var shortcut = input
        if channels != output {
            shortcut = builder.convolution(name + ".shortcut.0", input, to: output, kernel: 1)
            shortcut = builder.batchNorm(name + ".shortcut.1", shortcut)
        }
        return builder.add(Sum(), node, shortcut)
    }

    private func scaled(_ channels: Int) -> Int { max(1, channels * width / 32) }
}
