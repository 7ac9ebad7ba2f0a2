/// Percentile bootstrap (Efron, 1979) from a stream that is a value, hence repeatable.
public enum Bootstrap {
    /// How many resamples an interval is drawn from.
    public static let resamples = 2_000

    /// The 95 % interval of a statistic over items drawn with replacement.
    ///
    /// - Parameters:
    ///   - random: A fresh stream; equal streams give equal intervals.
    ///   - statistic: Answers `nil` where it is undefined; such resamples are left out.
    /// - Returns: `nil` below two items, or when more than half of the resamples are undefined.
    public static func interval<Item>(
        of items: [Item], random: RandomStream, statistic: ([Item]) -> Double?
    ) -> Interval? {
        guard items.count > 1 else { return nil }
        var random = random
        var values: [Double] = []
        values.reserveCapacity(resamples)
        var sample = items
        for _ in 0..<resamples {
            for index in sample.indices {
                sample[index] = items[random.integer(below: items.count)]
            }
            if let value = statistic(sample), value.isFinite { values.append(value) }
        }
        guard values.count * 2 > resamples else { return nil }
        values.sort()
        return Interval(
            low: Statistics.quantile(0.025, ofSorted: values),
            high: Statistics.quantile(0.975, ofSorted: values))
    }
}
