/// Agreement between two orders of the same things: Pearson (1895), Spearman (1904), Kendall (1945).
public enum RankCorrelation {
    /// Ranks from 1; equal numbers share the mean of their ranks.
    public static func ranks(_ values: [Double]) -> [Double] {
        let order = values.indices.sorted { (values[$0], $0) < (values[$1], $1) }
        var ranks = [Double](repeating: 0, count: values.count)
        var start = 0
        while start < order.count {
            var end = start + 1
            while end < order.count, values[order[end]] == values[order[start]] { end += 1 }
            let shared = Double(start + 1 + end) / 2
            for position in start..<end { ranks[order[position]] = shared }
            start = end
        }
        return ranks
    }

    /// Pearson's r; `nil` below two pairs or where one side is constant.
    public static func pearson(_ left: [Double], _ right: [Double]) -> Double? {
        precondition(left.count == right.count, "\(left.count) numbers beside \(right.count)")
        guard left.count > 1 else { return nil }
        let centres = (Statistics.mean(left), Statistics.mean(right))
        var sums = (product: 0.0, left: 0.0, right: 0.0)
        for (a, b) in zip(left, right) {
            sums.product += (a - centres.0) * (b - centres.1)
            sums.left += (a - centres.0) * (a - centres.0)
            sums.right += (b - centres.1) * (b - centres.1)
        }
        guard sums.left > 0, sums.right > 0 else { return nil }
        return max(-1, min(1, sums.product / (sums.left * sums.right).squareRoot()))
    }

    /// Spearman's ρ, ties sharing ranks; `nil` below two pairs or where one side is constant.
    public static func spearman(_ left: [Double], _ right: [Double]) -> Double? {
        pearson(ranks(left), ranks(right))
    }

    /// Kendall's τ-b: `(concordant - discordant) / sqrt((n0 - n1) (n0 - n2))` with `n0` pairs, of
    /// which `n1` are ties on the left and `n2` on the right.
    ///
    /// - Returns: `nil` below two pairs or where one side is constant.
    /// - Complexity: O(n²).
    public static func kendall(_ left: [Double], _ right: [Double]) -> Double? {
        precondition(left.count == right.count, "\(left.count) numbers beside \(right.count)")
        var score = 0
        var untied = (left: 0, right: 0)
        for first in left.indices {
            for second in left.indices where second > first {
                let a = order(left[first], left[second])
                let b = order(right[first], right[second])
                score += a * b
                untied.left += a * a
                untied.right += b * b
            }
        }
        guard untied.left > 0, untied.right > 0 else { return nil }
        let scale = (Double(untied.left) * Double(untied.right)).squareRoot()
        return max(-1, min(1, Double(score) / scale))
    }

    /// 1 when rising, -1 when falling, 0 between equals.
    private static func order(_ first: Double, _ second: Double) -> Int {
        first < second ? 1 : first > second ? -1 : 0
    }

    /// Spearman's ρ with its 95 % bootstrap interval over the pairs.
    public static func spearmanInterval(
        _ left: [Double], _ right: [Double], random: RandomStream
    ) -> Interval? {
        Bootstrap.interval(of: Array(zip(left, right)), random: random) { pairs in
            spearman(pairs.map(\.0), pairs.map(\.1))
        }
    }
}
