/// SENet-18 for small images (Hu et al., 2018) with pre-activation blocks: batch norm and ReLU come
/// before each convolution, a gate of squeezed means multiplies each block's branch.
struct SENet {
    let width: Int

    func backbone(_ builder: inout NetworkBuilder) -> [Int] {
        var node = builder.convolution("conv1", builder.image, to: width, kernel: 3, padding: 1)
        node = builder.relu(builder.batchNorm("bn1", node))
        var taps: [Int] = []
        for stage in 0..<4 {
            for index in 0..<2 {
                node = block(
                    &builder, "layer\(stage + 1).\(index)", node, channels: width << stage,
                    stride: stage > 0 && index == 0 ? 2 : 1)
            }
            taps.append(node)
        }
        return taps
    }

    private func block(
        _ builder: inout NetworkBuilder, _ name: String, _ input: Int, channels: Int, stride: Int
    ) -> Int {
        let active = builder.relu(builder.batchNorm(name + ".bn1", input))
        var node = builder.convolution(
            name + ".conv1", active, to: channels, kernel: 3, stride: stride, padding: 1)
        node = builder.relu(builder.batchNorm(name + ".bn2", node))
        node = builder.convolution(name + ".conv2", node, to: channels, kernel: 3, padding: 1)
        var shortcut = input
        if stride != 1 || builder.channels(of: input) != channels {
            shortcut = builder.convolution(
                name + ".shortcut.0", active, to: channels, kernel: 1, stride: stride)
        }
        let hidden = max(1, channels / 16)
        var gate = builder.add(GlobalAverage(), node)
        gate = builder.add(
            Linear(
                name: name + ".fc1", input: channels, output: hidden,
                isPointwiseConvolution: true), gate)
        gate = builder.add(
            Linear(
                name: name + ".fc2", input: hidden, output: channels,
                isPointwiseConvolution: true), builder.relu(gate))
        gate = builder.add(Activation(kind: .sigmoid), gate)
        return builder.add(Sum(), builder.add(Gate(), node, gate), shortcut)
    }
}
