/// The small-data vision transformer of Lee et al. (2021): shifted patch tokens, attention with a
/// learned temperature that leaves the diagonal out, six pre-norm layers.
struct VisionTransformer {
    /// Columns of a token; 512 in the original, always eight heads.
    let dimension: Int
    private let patch = 4
    private let depth = 6
    private let heads = 8
    private let dropout: Float = 0.1

    init(dimension: Int) { self.dimension = dimension }

    /// Answers the class token after its last norm.
    func backbone(_ builder: inout NetworkBuilder) -> Int {
        let patches = builder.add(ShiftedPatches(side: patch), builder.image)
        guard case .rows(let tokens, let columns) = builder.shape(of: patches) else {
            preconditionFailure("patches are rows, not \(builder.shape(of: patches))")
        }
        let embedding = "to_patch_embedding.to_patch_tokens"
        var node = builder.add(LayerNorm(name: embedding + ".1", columns: columns), patches)
        node = builder.linear(embedding + ".2", node, to: dimension)
        node = builder.add(ClassToken(tokens: tokens, dimension: dimension), node)
        node = builder.add(Dropout(rate: dropout), node)
        for layer in 0..<depth {
            node = attention(&builder, "transformer.layers.\(layer).0", node)
            node = perceptron(&builder, "transformer.layers.\(layer).1", node)
        }
        node = builder.add(FirstToken(), node)
        return builder.add(LayerNorm(name: "mlp_head.0", columns: dimension), node)
    }

    private func attention(_ builder: inout NetworkBuilder, _ name: String, _ input: Int) -> Int {
        var node = builder.add(LayerNorm(name: name + ".norm", columns: dimension), input)
        node = builder.linear(name + ".fn.to_qkv", node, to: 3 * dimension, bias: false)
        node = builder.add(
            Attention(
                temperature: name + ".fn.temperature", dimension: dimension, heads: heads), node)
        node = builder.linear(name + ".fn.to_out.0", node, to: dimension)
        return builder.add(Sum(), builder.add(Dropout(rate: dropout), node), input)
    }

    private func perceptron(_ builder: inout NetworkBuilder, _ name: String, _ input: Int) -> Int {
        var node = builder.add(LayerNorm(name: name + ".norm", columns: dimension), input)
        node = builder.linear(name + ".fn.net.0", node, to: dimension)
        node = builder.add(Dropout(rate: dropout), builder.add(Activation(kind: .gelu), node))
        node = builder.linear(name + ".fn.net.3", node, to: dimension)
        return builder.add(Sum(), builder.add(Dropout(rate: dropout), node), input)
    }
}
