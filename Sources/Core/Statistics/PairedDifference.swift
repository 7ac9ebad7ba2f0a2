/// How two things measured under the same seeds differ: Student's paired t test.
///
/// With `d(i) = left(i) - right(i)`, `t = mean(d) / (sd(d) / sqrt n)` with `n - 1` degrees of
/// freedom. Comparing several pairs needs a correction (`HolmCorrection`), because one in twenty
/// differs by chance.
public struct PairedDifference: Sendable, Hashable {
    public let count: Int
    public let mean: Double
    /// The differences' sample standard deviation.
    public let deviation: Double
    /// Two-sided. `nil` when all differences are equal: numbers that do not vary, as counts of a
    /// few layers may, say nothing on how far they vary.
    public let pValue: Double?

    /// - Parameters:
    ///   - left: One number a seed.
    ///   - right: The other thing's, in the same order of seeds.
    /// - Returns: `nil` below two seeds.
    public init?(_ left: [Double], _ right: [Double]) {
        precondition(left.count == right.count, "\(left.count) numbers beside \(right.count)")
        let differences = zip(left, right).map { $0 - $1 }
        guard let deviation = Statistics.standardDeviation(differences) else { return nil }
        count = differences.count
        mean = Statistics.mean(differences)
        self.deviation = deviation
        guard deviation > 0 else {
            pValue = nil
            return
        }
        let t = mean / (deviation / Double(count).squareRoot())
        pValue = 2 * StudentT.cumulative(-abs(t), degreesOfFreedom: Double(count - 1))
    }

    /// The mean's 95 % interval by Student's t.
    public var interval: Interval {
        let quantile = StudentT.quantile(0.975, degreesOfFreedom: Double(count - 1))
        let half = quantile * deviation / Double(count).squareRoot()
        return Interval(low: mean - half, high: mean + half)
    }
}
