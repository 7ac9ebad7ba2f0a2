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
    /// Each epoch its own midpoint, from the seed's own clean run.
    case perEpoch = "per-epoch"
    /// The released rule on SAL divided by the loss it starts from.
    case relative
    /// The upper quartile of the seed's own clean run over all epochs and layers.
    case percentile
    /// The mean of the seed's own clean run over all epochs and layers.
    case cleanMean = "clean-mean"

    /// How many seeds the rule needs.
    public var seedsMin: Int { self == .crossfit ? 3 : 1 }
}

/// The learnable threshold β: a layer is learnable where its SAL lies strictly above it.
public struct LearnableThreshold: Sendable, Hashable {
    /// The threshold, or the mean of all epochs' own.
    public let beta: Double
    /// Whether all values were equal wherever a split was tried, so that β tells nothing apart.
    public let isDegenerate: Bool
    /// Whether it is one of SAL divided by the loss it starts from.
    public let isRelative: Bool
    /// Each epoch's own, where they differ.
    public let epochBetas: [Int: Double]?

    public init(
        beta: Double, isDegenerate: Bool, isRelative: Bool = false,
        epochBetas: [Int: Double]? = nil
    ) {
        self.beta = beta
        self.isDegenerate = isDegenerate
        self.isRelative = isRelative
        self.epochBetas = epochBetas
    }

    /// The share of a clean run's values that lie below the threshold of the rule `percentile`.
    public static let percentileShare = 0.75

    /// What a checkpoint of this epoch is judged by; `nil` for an epoch without one.
    public func beta(atEpoch epoch: Int) -> Double? {
        epochBetas.map { $0[epoch] } ?? beta
    }

    /// Each epoch's own threshold: the midpoint of the two clusters of its layers.
    public static func perEpoch(of clean: SALMatrix) -> [LearnableThreshold] {
        clean.epochs.indices.map { midpoint(of: clean.row($0)) }
    }

    /// The threshold for the seed at `index` of `clean`, the clean runs of all seeds.
    ///
    /// - Parameter percentileShare: Read by the rule `percentile` only; within 0...1.
    /// - Returns: `nil` when the seed has no clean run, the run has no epochs, or the rule needs
    ///   more seeds, or losses, than there are.
    public static func threshold(
        _ rule: ThresholdRule, seedIndex index: Int, clean: [SALMatrix?],
        percentileShare: Double = percentileShare
    ) -> LearnableThreshold? {
        if rule == .crossfit { return crossfit(leavingOut: index, clean: clean) }
        guard let own = clean[index], !own.epochs.isEmpty else { return nil }
        switch rule {
        case .pooled: return midpoint(of: own.values)
        case .medianEpoch: return combined(perEpoch(of: own), by: Statistics.median)
        case .perEpoch: return eachItsOwn(own)
        case .percentile:
            return level(of: own) { Statistics.quantile(percentileShare, ofSorted: $0) }
        case .cleanMean: return level(of: own) { Statistics.mean($0) }
        case .relative:
            guard let relative = own.relativeToOrigin else { return nil }
            let split = released(from: relative)
            return LearnableThreshold(
                beta: split.beta, isDegenerate: split.isDegenerate, isRelative: true)
        case .released, .crossfit: return released(from: own)
        }
    }

    private static func midpoint(of values: some Collection<Double>) -> LearnableThreshold {
        let split = TwoMeans(splitting: values)
        return LearnableThreshold(beta: split.midpoint, isDegenerate: split.isDegenerate)
    }

    private static func level(
        of clean: SALMatrix, _ rule: ([Double]) -> Double
    ) -> LearnableThreshold {
        let sorted = clean.values.sorted()
        return LearnableThreshold(beta: rule(sorted), isDegenerate: sorted.first == sorted.last)
    }

    private static func eachItsOwn(_ clean: SALMatrix) -> LearnableThreshold {
        let parts = perEpoch(of: clean)
        let mean = combined(parts, by: { Statistics.mean($0) })
        return LearnableThreshold(
            beta: mean.beta, isDegenerate: mean.isDegenerate,
            epochBetas: Dictionary(
                zip(clean.epochs, parts.map(\.beta)), uniquingKeysWith: { first, _ in first }))
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
