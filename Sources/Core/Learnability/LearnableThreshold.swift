/// How the learnable threshold β is drawn from clean runs; equations (4) to (7) in
/// `docs/science/sal-ud.md`.
public enum ThresholdRule: String, Codable, Hashable, Sendable, CaseIterable {
    /// The mean over epochs of each epoch's midpoint, from the seed's own clean run.
    case released
    /// The mean of the released thresholds of the *other* seeds' clean runs; needs three seeds.
    case crossfit
    /// The midpoint of one split over all epochs and layers of the seed's own clean run.
    case pooled
    /// The median over epochs of each epoch's midpoint, from the seed's own clean run.
    case medianEpoch = "median-epoch"

    /// How many seeds the rule needs.
    public var seedsMin: Int { self == .crossfit ? 3 : 1 }
}

/// The learnable threshold β: a layer is learnable where its SAL lies strictly above it.
public struct LearnableThreshold: Sendable, Hashable {
    public let beta: Double
    /// Whether all values were equal wherever a split was tried, so that β tells nothing apart.
    public let isDegenerate: Bool

    public init(beta: Double, isDegenerate: Bool) {
        self.beta = beta
        self.isDegenerate = isDegenerate
    }

    /// Each epoch's own threshold: the midpoint of the two clusters of its layers.
    public static func perEpoch(of clean: SALMatrix) -> [LearnableThreshold] {
        clean.epochs.indices.map { index in
            let split = TwoMeans(splitting: clean.row(index))
            return LearnableThreshold(beta: split.midpoint, isDegenerate: split.isDegenerate)
        }
    }

    /// The threshold for the seed at `index` of `clean`, the clean runs of all seeds.
    ///
    /// - Returns: `nil` when the seed has no clean run, the run has no epochs, or the rule needs
    ///   more seeds than there are.
    public static func threshold(
        _ rule: ThresholdRule, seedIndex index: Int, clean: [SALMatrix?]
    ) -> LearnableThreshold? {
        if rule == .crossfit { return crossfit(leavingOut: index, clean: clean) }
        guard let own = clean[index], !own.epochs.isEmpty else { return nil }
        switch rule {
        case .pooled:
            let split = TwoMeans(splitting: own.values)
            return LearnableThreshold(beta: split.midpoint, isDegenerate: split.isDegenerate)
        case .medianEpoch:
            return combined(perEpoch(of: own), by: Statistics.median)
        case .released, .crossfit:
            return released(from: own)
        }
    }

    private static func released(from clean: SALMatrix) -> LearnableThreshold {
        combined(perEpoch(of: clean), by: { Statistics.mean($0) })
    }

    private static func crossfit(leavingOut index: Int, clean: [SALMatrix?]) -> LearnableThreshold?
    {
        let measured = clean.indices.filter { clean[$0].map { !$0.epochs.isEmpty } ?? false }
        guard measured.count >= ThresholdRule.crossfit.seedsMin, measured.contains(index) else {
            return nil
        }
        let others = measured.filter { $0 != index }.compactMap { clean[$0] }
        return combined(others.map { released(from: $0) }, by: { Statistics.mean($0) })
    }

    private static func combined(
        _ parts: [LearnableThreshold], by rule: ([Double]) -> Double
    ) -> LearnableThreshold {
        LearnableThreshold(
            beta: rule(parts.map(\.beta)), isDegenerate: parts.allSatisfy(\.isDegenerate))
    }
}
