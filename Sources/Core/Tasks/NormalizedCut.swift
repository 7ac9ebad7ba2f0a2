/// Joins superpixels to segments by normalized cuts (Shi and Malik, 2000) of the graph of their
/// neighbourhood, with Taskonomy's settings: a part is cut in two as long as the best of ten cuts
/// along its second eigenvector costs less than 0.005.
struct NormalizedCut {
    /// The segment of each superpixel.
    private(set) var segments: [Int]

    private static let cutCount = 10
    private static let threshold = 0.005
    /// How much a superpixel is like itself.
    private static let selfLikeness = 2.0
    /// Likeness falls to 1/e at this squared distance of colors on 0...255.
    private static let spread = 255.0
    /// Steps of power iteration towards the second eigenvector; a departure from an exact one.
    private static let iterations = 100

    /// - Parameters:
    ///   - labels: The superpixel of each pixel, numbered from 0.
    ///   - colors: On 0...255.
    init(labels: [Int], colors: [SIMD3<Double>], height: Int, width: Int) {
        let count = (labels.max() ?? -1) + 1
        segments = [Int](repeating: 0, count: count)
        let likeness = NormalizedCut.likeness(labels, colors, height, width, count: count)
        var open = [Array(0..<count)]
        var next = 0
        while let part = open.popLast() {
            if let (one, other) = NormalizedCut.cut(part, likeness, count: count) {
                open += [one, other]
            } else {
                for member in part { segments[member] = next }
                next += 1
            }
        }
    }

    /// Row after row; 0 between superpixels that do not touch.
    private static func likeness(
        _ labels: [Int], _ colors: [SIMD3<Double>], _ height: Int, _ width: Int, count: Int
    ) -> [Double] {
        var sums = [SIMD3<Double>](repeating: .zero, count: count)
        var sizes = [Double](repeating: 0, count: count)
        for (pixel, label) in labels.enumerated() {
            sums[label] += colors[pixel]
            sizes[label] += 1
        }
        var likeness = [Double](repeating: 0, count: count * count)
        func touch(_ first: Int, _ second: Int) {
            let (one, other) = (labels[first], labels[second])
            guard one != other, likeness[one * count + other] == 0 else { return }
            let apart = sums[one] / sizes[one] - sums[other] / sizes[other]
            let value = ExactMath.exponential(-(apart * apart).sum() / spread)
            likeness[one * count + other] = value
            likeness[other * count + one] = value
        }
        for row in 0..<height {
            for column in 0..<width {
                let pixel = row * width + column
                if column + 1 < width { touch(pixel, pixel + 1) }
                if row + 1 < height { touch(pixel, pixel + width) }
            }
        }
        for index in 0..<count { likeness[index * count + index] = selfLikeness }
        return likeness
    }

    /// The two halves of the best cut; `nil` where none is cheap enough.
    private static func cut(
        _ part: [Int], _ likeness: [Double], count: Int
    ) -> (one: [Int], other: [Int])? {
        guard part.count > 1 else { return nil }
        let weights = part.map { row in part.map { likeness[row * count + $0] } }
        let degrees = weights.map { $0.reduce(0, +) }
        let vector = secondEigenvector(weights, degrees)
        guard let least = vector.min(), let most = vector.max(), least < most else { return nil }
        var best: (cost: Double, limit: Double)?
        for step in 0..<cutCount {
            let limit = least + (most - least) * Double(step) / Double(cutCount)
            let cost = cost(weights, degrees, vector.map { $0 > limit })
            if cost < best?.cost ?? .infinity { best = (cost, limit) }
        }
        guard let best, best.cost < threshold else { return nil }
        let sides = vector.map { $0 > best.limit }
        return (
            zip(part, sides).filter(\.1).map(\.0), zip(part, sides).filter { !$0.1 }.map(\.0)
        )
    }

    /// The likeness that is cut, beside the likeness on each side.
    private static func cost(
        _ weights: [[Double]], _ degrees: [Double], _ sides: [Bool]
    ) -> Double {
        var crossing = 0.0
        var (inside, outside) = (0.0, 0.0)
        for (row, side) in sides.enumerated() {
            if side { inside += degrees[row] } else { outside += degrees[row] }
            for column in sides.indices where side && !sides[column] {
                crossing += weights[row][column]
            }
        }
        guard inside > 0, outside > 0 else { return .infinity }
        return crossing / inside + crossing / outside
    }

    /// Of the normalized graph, scaled back to its nodes; by power iteration away from the first,
    /// which is known.
    private static func secondEigenvector(
        _ weights: [[Double]], _ degrees: [Double]
    ) -> [Double] {
        let roots = degrees.map { $0.squareRoot() }
        let total = degrees.reduce(0, +).squareRoot()
        let first = roots.map { $0 / total }
        // Any start that is not the first eigenvector will do, as long as it is always the same.
        var vector = roots.indices.map { Double($0 % 7) - Double($0 % 3) + Double($0) / 16 }
        for _ in 0..<iterations {
            let along = zip(vector, first).reduce(0) { $0 + $1.0 * $1.1 }
            vector = zip(vector, first).map { $0 - along * $1 }
            let moved = vector.indices.map { row in
                let sum = vector.indices.reduce(0) {
                    $0 + weights[row][$1] / roots[$1] * vector[$1]
                }
                // Half of itself keeps eigenvalues below 0 from winning.
                return 0.5 * (vector[row] + sum / roots[row])
            }
            let length = moved.reduce(0) { $0 + $1 * $1 }.squareRoot()
            guard length > 1e-12 else { break }
            vector = moved.map { $0 / length }
        }
        return zip(vector, roots).map { $0 / $1 }
    }
}
