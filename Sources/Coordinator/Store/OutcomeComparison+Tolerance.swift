import FathomCore
import FathomProtocol

// Outcomes of runners that promise no equal bits.

extension OutcomeComparison {
    /// The first number that lies further apart than a tolerance allows; checkpoints are not
    /// compared.
    ///
    /// - Parameter tolerance: Relative to the larger number, and a thousandth of it beside zero.
    static func difference(
        accepted: JobOutcome, late: JobOutcome, within tolerance: Double
    ) -> String? {
        let later = Dictionary(
            late.metrics.map { ("epoch \($0.epoch) \($0.split) \($0.name)", $0.value) },
            uniquingKeysWith: { $1 })
        for row in accepted.metrics {
            let name = "epoch \(row.epoch) \(row.split) \(row.name)"
            guard let other = later[name] else { return "\(name) did not come later" }
            if let apart = apart(name, row.value, other, tolerance) { return apart }
        }
        let rows = Dictionary(late.sal.map { ($0.entry, $0) }, uniquingKeysWith: { $1 })
        for row in accepted.sal {
            let (one, name) = (row.measurement, row.measurement.layer)
            guard let other = rows[row.entry]?.measurement else {
                return "layer \(name) did not come later"
            }
            let found =
                apart("\(name) sal", one.sal, other.sal, tolerance)
                ?? apart("\(name) sMax", one.sMax, other.sMax, tolerance)
                ?? apart("\(name) sMin", one.sMin, other.sMin, tolerance)
                ?? apart("\(name) originLoss", one.originLoss, other.originLoss, tolerance)
            if let found { return found }
        }
        return nil
    }

    private static func apart(
        _ what: String, _ left: Double?, _ right: Double?, _ tolerance: Double
    ) -> String? {
        guard let left, let right, left.isFinite, right.isFinite else {
            let isSame = (left?.isFinite ?? false) == (right?.isFinite ?? false)
            return isSame ? nil : "\(what): one of two outcomes has no number"
        }
        let allowed = tolerance * (max(abs(left), abs(right)) + 1e-3)
        return abs(left - right) <= allowed
            ? nil
            : "\(what): \(left) was accepted, \(right) came later; the runner declares "
                + "\(tolerance)"
    }
}
