/// Agreement between two orders of the same things.
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

    /// Spearman's ρ with its 95 % bootstrap interval over the pairs.
    public static func spearmanInterval(
        _ left: [Double], _ right: [Double], random: RandomStream
    ) -> Interval? {
        Bootstrap.interval(of: Array(zip(left, right)), random: random) { pairs in
            spearman(pairs.map(\.0), pairs.map(\.1))
        }
    }
}
