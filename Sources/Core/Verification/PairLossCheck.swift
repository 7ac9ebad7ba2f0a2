/// Holds the gradient of the loss on pairs of pixels against central differences.
public enum PairLossCheck {
    /// The largest difference of any slope, as a share of the largest slope.
    public static func worstError(seed: UInt64) -> Double {
        var random = RandomStream(seed: seed)
        let (channels, plane) = (8, 36)
        var planes = (0..<(channels * plane)).map { _ in random.uniform(-0.6, 0.6) }
        let labels = (0..<plane).map { _ in UInt8(random.integer(below: 3)) }
        let chosen = PixelPairs.chosen(labels, count: 12, random: random.derived("pairs"))
        func loss(_ planes: [Float], _ gradient: UnsafeMutablePointer<Float>?) -> Double {
            let found = planes.withUnsafeBufferPointer {
                PixelPairs.loss(
                    $0.baseAddress.unsafelyUnwrapped, stride: plane, channels: channels,
                    labels: labels, chosen: chosen, scale: 1, gradient: gradient)
            }
            return found.sum
        }
        var gradient = [Float](repeating: 0, count: planes.count)
        gradient.withUnsafeMutableBufferPointer { _ = loss(planes, $0.baseAddress) }
        var worst = 0.0
        for place in planes.indices {
            let value = planes[place]
            let step: Float = 1e-2
            planes[place] = value + step
            let above = loss(planes, nil)
            planes[place] = value - step
            let below = loss(planes, nil)
            planes[place] = value
            let slope = (above - below) / (2 * Double(step))
            worst = max(worst, abs(slope - Double(gradient[place])))
        }
        return worst / Double(gradient.map(abs).max() ?? 1)
    }
}
