/// Which tasks a poison can be said *not* to make unlearnable.
///
/// The smallest damage over noisy tasks is biased low, so a claim needs more than a low mean: the
/// task's damage must lie below a declared bound by Student's one-sided t test, corrected over all
/// tasks of the method by Holm's method.
public enum UnlearnabilityClaims {
    /// Below this damage a task counts as not protected.
    public static let damageBound = 0.2
    /// The chance that any of a method's claims is wrong.
    public static let level = 0.05

    public struct Claim: Sendable, Hashable {
        public var task: String
        /// The task's damage by seed, and their mean.
        public var damages: [Double]
        public var damage: Double
        /// The level at which Holm's method tests this task.
        public var level: Double
        /// Adjusted by Holm's method.
        public var pValue: Double?
        /// Whether the task stays learnable, as far as these seeds can tell.
        public var isNotUnlearnable: Bool

        /// The one-sided upper bound at this level; `nil` below two seeds, or where seeds do not
        /// differ.
        public var upperBound: Double? {
            pValue == nil ? nil : Statistics.meanUpperBound(damages, level: level)
        }
    }

    /// Claims on the tasks of one method.
    ///
    /// - Parameter damages: Each task's damage by seed, at least one seed each.
    public static func claims(_ damages: [(task: String, bySeed: [Double])]) -> [Claim] {
        let raw = damages.map { Statistics.pValue(ofMean: $0.bySeed, below: damageBound) }
        // A task that cannot be tested counts among the tests all the same.
        let filled = raw.map { $0 ?? 1 }
        let adjusted = HolmCorrection.adjusted(filled)
        let levels = HolmCorrection.levels(filled, level: level)
        return damages.indices.map { index in
            let tested = raw[index] != nil
            return Claim(
                task: damages[index].task, damages: damages[index].bySeed,
                damage: Statistics.mean(damages[index].bySeed), level: levels[index],
                pValue: tested ? adjusted[index] : nil,
                isNotUnlearnable: tested && adjusted[index] <= level)
        }
    }
}
