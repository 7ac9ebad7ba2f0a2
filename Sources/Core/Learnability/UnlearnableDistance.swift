/// Why there is no unlearnable distance.
public enum UndefinedReason: String, Sendable, Hashable, Codable, CaseIterable {
    /// There is no clean run to compare with.
    case baselineMissing = "baseline missing"
    /// Nothing of the clean run is learnable, so there is nothing to divide by.
    case baselineZero = "baseline has nothing learnable"
    case baselineDiverged = "baseline diverged"
    /// All SAL values of the clean run are equal within each epoch.
    case degenerate = "threshold degenerate"
    case diverged = "run diverged"
    /// Not all of the run's or the baseline's SAL entries are measured.
    case incomplete = "not all of SAL is measured"
    case tooFewSeeds = "too few seeds for this rule"
    /// The clean run was not measured after all epochs that the run was.
    case otherEpochs = "measured after other epochs than the baseline"
    /// The rule divides by the loss on the SAL images, which is zero or unknown.
    case lossZero = "a loss on the SAL images is zero"
}

/// The unlearnable distance UD: what stays learnable relative to clean training; equations (10)
/// and (11) in `docs/science/sal-ud.md`.
public enum UnlearnableDistance {
    /// The learnable counts of one seed's run and of its baseline, under one threshold.
    public struct Pair: Sendable, Hashable {
        public var learnable: Double
        public var baseline: Double

        public init(learnable: Double, baseline: Double) {
            self.learnable = learnable
            self.baseline = baseline
        }

        /// UD of this seed; `nil` when nothing of the baseline is learnable.
        public var ratio: Double? { baseline > 0 ? learnable / baseline : nil }
    }

    /// UD over seeds.
    public struct Summary: Sendable, Hashable {
        /// The headline: the sum of the counts over the sum of the baselines.
        public var ratioOfSums: Double?
        /// A 95 % bootstrap interval of the headline over seeds; `nil` below two seeds.
        public var interval: Interval?
        /// The mean of the seeds' own ratios, where each is defined.
        public var meanOfRatios: Double?
    }

    /// Sums up seeds.
    ///
    /// - Parameter random: A fresh stream; equal streams give equal intervals.
    public static func overSeeds(_ pairs: [Pair], random: RandomStream) -> Summary {
        overSeeds(pairs, draws: BootstrapDraws(itemCount: pairs.count, random: random))
    }

    /// The same with resamples that are drawn already, one item a pair.
    public static func overSeeds(_ pairs: [Pair], draws: BootstrapDraws) -> Summary {
        let ratios = pairs.compactMap(\.ratio)
        return Summary(
            ratioOfSums: ratioOfSums(pairs),
            interval: draws.intervalOfRatio(pairs.map(\.learnable), pairs.map(\.baseline)),
            meanOfRatios: ratios.count == pairs.count && !ratios.isEmpty
                ? Statistics.mean(ratios) : nil)
    }

    private static func ratioOfSums(_ pairs: [Pair]) -> Double? {
        let baseline = pairs.reduce(0) { $0 + $1.baseline }
        guard baseline > 0 else { return nil }
        return pairs.reduce(0) { $0 + $1.learnable } / baseline
    }
}
