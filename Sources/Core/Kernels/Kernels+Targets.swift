extension Kernels.Placement {
    /// The pixel of the image, row after row, that comes to stand at a place; `nil`: none does.
    func source(_ row: Int, _ column: Int, height: Int, width: Int) -> Int? {
        let fromRow = row + rowShift
        let from = (isFlipped ? width - 1 - column : column) + columnShift
        guard (0..<height).contains(fromRow), (0..<width).contains(from) else { return nil }
        return fromRow * width + from
    }
}

extension Kernels {
    /// Loads the planes of image `source` as image `target` of a batch, placed as the image is.
    /// What lies outside, or is masked, is 0 in both.
    static func loadTarget(
        _ values: [Float], mask: [UInt8]?, source: Int, channels: Int, height: Int, width: Int,
        _ placement: Placement, turnsFirst: Bool, target: Int, batch: Int, into y: Tensor,
        maskInto yMask: Tensor
    ) {
        let plane = height * width
        let turns = turnsFirst && placement.isFlipped
        for row in 0..<height {
            for column in 0..<width {
                let from = placement.source(row, column, height: height, width: width)
                let kept = from.map { mask?[source * plane + $0] ?? 1 } ?? 0
                let place = target * plane + row * width + column
                yMask.pointer[place] = kept == 0 ? 0 : 1
                for channel in 0..<channels {
                    var value: Float = 0
                    if let from, kept != 0 {
                        value = values[(source * channels + channel) * plane + from]
                    }
                    y.pointer[channel * batch * plane + place] =
                        turns && channel == 0 ? -value : value
                }
            }
        }
    }

    /// Shifts and scales planes, channel by channel: (x - mean) / deviation.
    static func normalize(_ x: Tensor, means: [Float], deviations: [Float]) {
        let size = x.count / max(1, means.count)
        for (channel, (mean, deviation)) in zip(means, deviations).enumerated() {
            let from = x.pointer + channel * size
            for place in 0..<size { from[place] = (from[place] - mean) / deviation }
        }
    }
}
