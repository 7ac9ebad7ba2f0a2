/// A head that predicts at every pixel, from a backbone's taps (strides 1, 2, 4, ...).
///
/// Where enlarging by two misses the size of the next tap, or the first tap that of the image,
/// the planes are brought to it by `Fit`.
struct DenseHead {
    let kind: HeadSettings.DenseKind
    /// Names begin with it.
    let prefix: String
    let inner: Int
    let output: Int

    /// Inner channels for a backbone's base width: 16, 32, 48 and 64 for 8, 16, 32 and 64, and
    /// straight lines between and beyond.
    static func innerChannels(width: Int) -> Int {
        min(2 * width, width + 16, width / 2 + 32)
    }

    /// Answers the node of the prediction, which has the image's size.
    func build(_ builder: inout NetworkBuilder, taps: [Int]) -> Int {
        switch kind {
        case .fpn, .ae: pyramid(&builder, taps)
        case .probe: probe(&builder, taps)
        }
    }

    private func pyramid(_ builder: inout NetworkBuilder, _ taps: [Int]) -> Int {
        var node = lateral(&builder, taps, taps.count - 1)
        for tap in taps.indices.dropLast().reversed() {
            node = builder.add(Upsample(kind: .nearest, factor: 2), node)
            node = fitted(&builder, node, to: taps[tap])
            if kind == .fpn { node = builder.add(Sum(), node, lateral(&builder, taps, tap)) }
            node = builder.convolution(
                prefix + "smooth\(tap + 1)", node, to: inner, kernel: 3, padding: 1)
            node = builder.relu(builder.batchNorm(prefix + "bn\(tap + 1)", node))
        }
        node = fitted(&builder, node, to: builder.image)
        return builder.convolution(
            prefix + "output", node, to: output, kernel: 3, padding: 1, bias: true)
    }

    private func lateral(_ builder: inout NetworkBuilder, _ taps: [Int], _ tap: Int) -> Int {
        builder.convolution(prefix + "lateral\(tap + 1)", taps[tap], to: inner, kernel: 1)
    }

    private func probe(_ builder: inout NetworkBuilder, _ taps: [Int]) -> Int {
        var node = taps[taps.count - 1]
        node = builder.convolution(prefix + "output", node, to: output, kernel: 1, bias: true)
        if taps.count > 1 {
            node = builder.add(Upsample(kind: .bilinear, factor: 1 << (taps.count - 1)), node)
        }
        return fitted(&builder, node, to: builder.image)
    }

    /// The planes at `node`, in the height and width of those at `other`.
    private func fitted(_ builder: inout NetworkBuilder, _ node: Int, to other: Int) -> Int {
        guard case .image(_, let height, let width) = builder.shape(of: other),
            case .image(_, height: let ownHeight, width: let ownWidth) = builder.shape(of: node),
            (ownHeight, ownWidth) != (height, width)
        else { return node }
        return builder.add(Fit(height: height, width: width), node)
    }
}
