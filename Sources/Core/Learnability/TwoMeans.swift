/// The best split of numbers into two clusters by least squares.
///
/// In one dimension the best split is a cut of the sorted numbers, so trying every cut is exact
/// and needs no starting point; k-means gives the same whenever it does not stop early.
public struct TwoMeans: Sendable, Hashable {
    /// The mean of the smaller numbers.
    public let low: Double
    /// The mean of the larger numbers; equal to `low` when all numbers are equal.
    public let high: Double
    /// How many numbers belong to the lower cluster.
    public let lowCount: Int
    public let isDegenerate: Bool
    /// The share of the sum of squares that lies between the two clusters, 0...1; 0 when all
    /// numbers are equal.
    public let explainedShare: Double

    /// Halfway between the two centres.
    public var midpoint: Double { isDegenerate ? low : low / 2 + high / 2 }

    /// Splits `values`, of which there must be at least one. Among equally good cuts the lowest
    /// wins.
    ///
    /// - Complexity: O(n log n).
    public init(splitting values: some Collection<Double>) {
        precondition(!values.isEmpty, "no numbers to split")
        let sorted = values.sorted()
        guard let first = sorted.first, let last = sorted.last, first < last else {
            low = sorted[0]
            high = sorted[0]
            lowCount = sorted.count
            isDegenerate = true
            explainedShare = 0
            return
        }
        let cut = TwoMeans.bestCut(of: sorted)
        low = Statistics.mean(sorted[..<cut])
        high = Statistics.mean(sorted[cut...])
        lowCount = cut
        isDegenerate = false
        let centre = Statistics.mean(sorted)
        let total = sorted.reduce(0) { $0 + ($1 - centre) * ($1 - centre) }
        let counts = (low: Double(cut), high: Double(sorted.count - cut))
        let between =
            counts.low * (low - centre) * (low - centre)
            + counts.high * (high - centre) * (high - centre)
        explainedShare = total > 0 ? min(1, between / total) : 0
    }

    /// The cut with the largest sum of squares between the clusters, which is the one with the
    /// smallest within them.
    private static func bestCut(of sorted: [Double]) -> Int {
        let total = sorted.reduce(0, +)
        let count = Double(sorted.count)
        var sum = 0.0
        var best = (cut: 1, gain: 0.0)
        for cut in 1..<sorted.count {
            sum += sorted[cut - 1]
            let below = Double(cut)
            let above = count - below
            let gap = (total - sum) / above - sum / below
            let gain = below * above / count * gap * gap
            // The margin keeps rounding from deciding between cuts that are equal on paper.
            if gain > best.gain * (1 + 1e-12) { best = (cut, gain) }
        }
        return best.cut
    }
}
