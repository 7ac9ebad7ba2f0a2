/// DenseNet-121 for small images (Huang et al., 2017); each layer's output stands before what it
/// was computed from.
struct DenseNet {
    /// Channels a layer adds; 32 in the paper.
    let growth: Int

    func backbone(_ builder: inout NetworkBuilder) -> Int {
        var node = builder.convolution(
            "conv1", builder.image, to: 2 * growth, kernel: 3, padding: 1)
        for (index, layers) in [6, 12, 24, 16].enumerated() {
            for layer in 0..<layers {
                node = denseLayer(&builder, "dense\(index + 1).\(layer)", node)
            }
            if index < 3 { node = transition(&builder, "trans\(index + 1)", node) }
        }
        return builder.relu(builder.batchNorm("bn", node))
    }

    private func denseLayer(_ builder: inout NetworkBuilder, _ name: String, _ input: Int) -> Int {
        var node = builder.relu(builder.batchNorm(name + ".bn1", input))
        node = builder.convolution(name + ".conv1", node, to: 4 * growth, kernel: 1)
        node = builder.relu(builder.batchNorm(name + ".bn2", node))
        node = builder.convolution(name + ".conv2", node, to: growth, kernel: 3, padding: 1)
        return builder.add(Concatenation(), node, input)
    }

    private func transition(_ builder: inout NetworkBuilder, _ name: String, _ input: Int) -> Int {
        var node = builder.relu(builder.batchNorm(name + ".bn", input))
        node = builder.convolution(
            name + ".conv", node, to: builder.channels(of: input) / 2, kernel: 1)
        return builder.add(AveragePool(kernel: 2, stride: 2), node)
    }
}
