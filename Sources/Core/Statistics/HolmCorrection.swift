/// Holm's step-down correction (Holm, 1979), which bounds the chance of one false claim or more
/// among several by the level of each, whatever depends on what.
///
/// With the p-values sorted, `p(1) <= ... <= p(m)`, the adjusted value of the k-th is
/// `max over j <= k of min(1, (m - j + 1) p(j))`; what lies at or below the level is rejected.
public enum HolmCorrection {
    /// The adjusted p-values, in the order given.
    ///
    /// - Parameter values: p-values within 0...1.
    public static func adjusted(_ values: [Double]) -> [Double] {
        precondition(
            values.allSatisfy { (0...1).contains($0) }, "p-values lie within 0...1: \(values)")
        let order = values.indices.sorted { (values[$0], $0) < (values[$1], $1) }
        var adjusted = values
        var largest = 0.0
        for (step, index) in order.enumerated() {
            largest = max(largest, min(1, Double(values.count - step) * values[index]))
            adjusted[index] = largest
        }
        return adjusted
    }

    /// The level at which each hypothesis is tested, in the order given: `level / (m - k + 1)` for
    /// the k-th smallest p-value.
    public static func levels(_ values: [Double], level: Double) -> [Double] {
        let order = values.indices.sorted { (values[$0], $0) < (values[$1], $1) }
        var levels = values
        for (step, index) in order.enumerated() {
            levels[index] = level / Double(values.count - step)
        }
        return levels
    }
}
