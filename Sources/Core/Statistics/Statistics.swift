/// A range that holds an unknown value with stated confidence.
public struct Interval: Sendable, Hashable, Codable {
    public var low: Double
    public var high: Double

    public init(low: Double, high: Double) {
        self.low = low
        self.high = high
    }

    /// Whether the whole interval lies within `bounds`.
    public func lies(within bounds: ClosedRange<Double>) -> Bool {
        bounds.contains(low) && bounds.contains(high)
    }

    /// The smallest interval that holds both.
    public func union(_ other: Interval) -> Interval {
        Interval(low: min(low, other.low), high: max(high, other.high))
    }

    /// Whether the two have a point in common.
    public func overlaps(_ other: Interval) -> Bool { low <= other.high && other.low <= high }
}

/// Summary statistics of a few numbers, as seeds give them.
public enum Statistics {
    /// The arithmetic mean of at least one number.
    public static func mean(_ values: some Collection<Double>) -> Double {
        precondition(!values.isEmpty, "no numbers to average")
        return values.reduce(0, +) / Double(values.count)
    }

    /// The middle number, or the mean of the two in the middle, of at least one number.
    public static func median(_ values: [Double]) -> Double {
        precondition(!values.isEmpty, "no numbers to order")
        let sorted = values.sorted()
        let middle = sorted.count / 2
        return sorted.count % 2 == 1 ? sorted[middle] : sorted[middle - 1] / 2 + sorted[middle] / 2
    }

    /// The sample standard deviation (n - 1); `nil` below two numbers.
    public static func standardDeviation(_ values: [Double]) -> Double? {
        guard values.count > 1 else { return nil }
        let centre = mean(values)
        let squares = values.reduce(0) { $0 + ($1 - centre) * ($1 - centre) }
        return (squares / Double(values.count - 1)).squareRoot()
    }

    /// The mean's 95 % interval by Student's t; `nil` below two numbers.
    public static func meanInterval(_ values: [Double]) -> Interval? {
        guard let deviation = standardDeviation(values) else { return nil }
        let quantile = StudentT.quantile(0.975, degreesOfFreedom: Double(values.count - 1))
        let half = quantile * deviation / Double(values.count).squareRoot()
        let centre = mean(values)
        return Interval(low: centre - half, high: centre + half)
    }

    /// The one-sided bound that the mean lies below with probability `1 - level`, by Student's t:
    /// `mean + t(1 - level; n - 1) sd / sqrt n`; `nil` below two numbers.
    public static func meanUpperBound(_ values: [Double], level: Double) -> Double? {
        guard let deviation = standardDeviation(values) else { return nil }
        let quantile = StudentT.quantile(1 - level, degreesOfFreedom: Double(values.count - 1))
        return mean(values) + quantile * deviation / Double(values.count).squareRoot()
    }

    /// How likely a mean this low would be if the true one were `bound`: Student's one-sided t
    /// test; `nil` below two numbers, or where they are all equal.
    public static func pValue(ofMean values: [Double], below bound: Double) -> Double? {
        guard let deviation = standardDeviation(values), deviation > 0 else { return nil }
        let t = (mean(values) - bound) / (deviation / Double(values.count).squareRoot())
        return StudentT.cumulative(t, degreesOfFreedom: Double(values.count - 1))
    }

    /// The quantile of sorted numbers, linear between neighbours.
    public static func quantile(_ probability: Double, ofSorted sorted: [Double]) -> Double {
        let position = probability * Double(sorted.count - 1)
        let below = Int(position)
        let above = min(below + 1, sorted.count - 1)
        return sorted[below] + (position - Double(below)) * (sorted[above] - sorted[below])
    }
}
