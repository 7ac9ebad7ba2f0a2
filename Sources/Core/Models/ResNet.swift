/// ResNets for small images (He et al., 2016): a 3x3 stem without pooling, four stages of strides
/// 1, 2, 2, 2 and channels w, 2w, 4w, 8w, a global average and a linear head.
struct ResNet {
    enum Block { case basic, bottleneck }
    let block: Block
    let blocks: [Int]
    let width: Int

    static func resnet18(width: Int) -> ResNet {
        ResNet(block: .basic, blocks: [2, 2, 2, 2], width: width)
    }
    static func resnet34(width: Int) -> ResNet {
        ResNet(block: .basic, blocks: [3, 4, 6, 3], width: width)
    }
    static func resnet50(width: Int) -> ResNet {
        ResNet(block: .bottleneck, blocks: [3, 4, 6, 3], width: width)
    }

    /// Answers the four taps, the ends of the stages.
    func backbone(_ builder: inout NetworkBuilder) -> [Int] {
        var node = builder.convolution("conv1", builder.image, to: width, kernel: 3, padding: 1)
        node = builder.relu(builder.batchNorm("bn1", node))
        var taps: [Int] = []
        for stage in 0..<4 {
            for index in 0..<blocks[stage] {
                let name = "layer\(stage + 1).\(index)"
                let stride = stage > 0 && index == 0 ? 2 : 1
                let channels = width << stage
                switch block {
                case .basic:
                    node = basic(&builder, name, node, channels, stride)
                case .bottleneck:
                    node = bottleneck(&builder, name, node, channels, stride)
                }
            }
            taps.append(node)
        }
        return taps
    }

    private func basic(
        _ builder: inout NetworkBuilder, _ name: String, _ input: Int, _ channels: Int,
        _ stride: Int
    ) -> Int {
        var node = builder.convolution(
            name + ".conv1", input, to: channels, kernel: 3, stride: stride, padding: 1)
        node = builder.relu(builder.batchNorm(name + ".bn1", node))
        node = builder.convolution(name + ".conv2", node, to: channels, kernel: 3, padding: 1)
        node = builder.batchNorm(name + ".bn2", node)
        let shortcut = shortcut(&builder, name, input, channels, stride)
        return builder.relu(builder.add(Sum(), node, shortcut))
    }

    private func bottleneck(
        _ builder: inout NetworkBuilder, _ name: String, _ input: Int, _ channels: Int,
        _ stride: Int
    ) -> Int {
        var node = builder.convolution(name + ".conv1", input, to: channels, kernel: 1)
        node = builder.relu(builder.batchNorm(name + ".bn1", node))
        node = builder.convolution(
            name + ".conv2", node, to: channels, kernel: 3, stride: stride, padding: 1)
        node = builder.relu(builder.batchNorm(name + ".bn2", node))
        node = builder.convolution(name + ".conv3", node, to: 4 * channels, kernel: 1)
        node = builder.batchNorm(name + ".bn3", node)
        let shortcut = shortcut(&builder, name, input, 4 * channels, stride)
        return builder.relu(builder.add(Sum(), node, shortcut))
    }

    /// The identity, or a 1x1 convolution and batch norm where stride or channels change.
    private func shortcut(
        _ builder: inout NetworkBuilder, _ name: String, _ input: Int, _ channels: Int,
        _ stride: Int
    ) -> Int {
        guard stride != 1 || builder.channels(of: input) != channels else { return input }
        let node = builder.convolution(
            name + ".shortcut.0", input, to: channels, kernel: 1, stride: stride)
        return builder.batchNorm(name + ".shortcut.1", node)
    }
}
