import Foundation

/// The pixels whose pairs `seg2d` is taught and judged by, and the loss of their embeddings
/// (after Taskonomy's unsupervised segmentation).
enum PixelPairs {
    /// Pixels of an image in training.
    static let trainedCount = 128
    /// Pixels of an image wherever it is judged, always the same ones.
    static let judgedCount = 256
    /// Embeddings at most this far apart (squared) are called of one surface: `s >= 1/2`.
    static let sameBelow = 1.098_612_288_668_109_8
    private static let distanceMax = 80.0
    private static let margin = 1e-7

    /// The pixels that judge an image.
    static func evaluated(image: Int, labels: [UInt8]) -> [Int] {
        chosen(
            labels, count: judgedCount,
            random: RandomStream(seed: 0x7365_6732).derived("pairs", image))
    }

    /// Random pixels that count (not 255), none twice; fewer where there are not enough.
    static func chosen(_ labels: [UInt8], count: Int, random: RandomStream) -> [Int] {
        var random = random
        var open = labels.indices.filter { labels[$0] != 255 }
        let wanted = min(count, open.count)
        for place in 0..<wanted {
            open.swapAt(place, place + random.integer(below: open.count - place))
        }
        return Array(open[..<wanted])
    }

    /// The mean over all ordered pairs of one image's pixels, and its gradient times `scale`.
    ///
    /// - Parameters:
    ///   - planes: The embedding's first plane of this image; the next ones are `stride` apart.
    ///   - gradient: Likewise; only the chosen pixels are added to.
    /// - Returns: The summed loss, and how many pairs it is of.
    static func loss(
        _ planes: UnsafePointer<Float>, stride: Int, channels: Int, labels: [UInt8],
        chosen: [Int], scale: Double, gradient: UnsafeMutablePointer<Float>?
    ) -> (sum: Double, pairs: Int) {
        let count = chosen.count
        let points = gathered(planes, stride: stride, channels: channels, chosen)
        let own = chosen.map { labels[$0] }
        var pulls = [Float](repeating: 0, count: gradient == nil ? 0 : points.count)
        var sum = 0.0
        for first in 0..<count {
            for second in (first + 1)..<max(count, first + 1) {
                let (one, other) = (first * channels, second * channels)
                var distance: Float = 0
                for channel in 0..<channels {
                    let difference = points[one + channel] - points[other + channel]
                    distance += difference * difference
                }
                let term = term(Double(distance), isSame: own[first] == own[second])
                sum += 2 * term.loss
                guard gradient != nil, term.slope != 0 else { continue }
                // Both orders of the pair, and 2 (e - e') from the square.
                let factor = Float(4 * term.slope * scale)
                for channel in 0..<channels {
                    let pull = factor * (points[one + channel] - points[other + channel])
                    pulls[one + channel] += pull
                    pulls[other + channel] -= pull
                }
            }
        }
        if let gradient {
            for (place, pixel) in chosen.enumerated() {
                for channel in 0..<channels {
                    gradient[channel * stride + pixel] += pulls[place * channels + channel]
                }
            }
        }
        // A pixel beside itself: s is 1 but for the margin.
        sum += Double(count) * -log(1 - margin)
        return (sum, count * count)
    }

    /// The chosen pixels' embeddings, one after the other.
    private static func gathered(
        _ planes: UnsafePointer<Float>, stride: Int, channels: Int, _ chosen: [Int]
    ) -> [Float] {
        chosen.flatMap { pixel in (0..<channels).map { planes[$0 * stride + pixel] } }
    }

    /// A pair's loss, and its slope along the squared distance; 0 where a bound is reached.
    private static func term(_ distance: Double, isSame: Bool) -> (loss: Double, slope: Double) {
        let bounded = min(distance, distanceMax)
        let power = exp(bounded)
        let likeness = 2 / (1 + power)
        let clipped = min(max(likeness, margin), 1 - margin)
        let isFree = clipped == likeness && distance < distanceMax
        if isSame { return (-log(clipped), isFree ? power / (1 + power) : 0) }
        return (
            -log(1 - clipped), isFree ? -2 * power / ((1 + power) * (power - 1)) : 0
        )
    }
}
