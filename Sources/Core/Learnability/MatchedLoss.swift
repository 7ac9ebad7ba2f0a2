import Foundation

/// Checkpoints of two runs compared where their losses are alike, because UD follows the loss
/// level: a network that fits its set better has a flatter, or a rougher, landscape whatever the
/// data; equation (13) in `docs/science/sal-ud.md`.
public enum MatchedLoss {
    /// One measured epoch of a run.
    public struct Checkpoint: Sendable, Hashable {
        /// What is learnable there.
        public var learnable: Double
        /// The mean loss over the SAL images, in nats.
        public var lossNats: Double

        public init(learnable: Double, lossNats: Double) {
            self.learnable = learnable
            self.lossNats = lossNats
        }
    }

    /// Losses further apart than this factor are not alike.
    public static let lossRatioMax = 1.25

    /// Pairs of alike checkpoints, nearest first, each used once at most.
    ///
    /// - Returns: Indices into `run` and `baseline`.
    public static func pairs(
        _ run: [Checkpoint], _ baseline: [Checkpoint]
    ) -> [(run: Int, baseline: Int)] {
        var candidates: [(distance: Double, run: Int, baseline: Int)] = []
        for own in run.indices where run[own].lossNats > 0 {
            for other in baseline.indices where baseline[other].lossNats > 0 {
                let distance = abs(log(run[own].lossNats / baseline[other].lossNats))
                if distance <= log(lossRatioMax) { candidates.append((distance, own, other)) }
            }
        }
        var used = (run: Set<Int>(), baseline: Set<Int>())
        return candidates.sorted { $0 < $1 }.compactMap { pair in
            guard !used.run.contains(pair.run), !used.baseline.contains(pair.baseline) else {
                return nil
            }
            used.run.insert(pair.run)
            used.baseline.insert(pair.baseline)
            return (pair.run, pair.baseline)
        }
    }

    /// What is learnable at the matched checkpoints, per pair of them; `nil` where none match.
    public static func learnable(
        _ run: [Checkpoint], _ baseline: [Checkpoint]
    ) -> (pair: UnlearnableDistance.Pair, count: Int)? {
        let matched = pairs(run, baseline)
        guard !matched.isEmpty else { return nil }
        return (
            UnlearnableDistance.Pair(
                learnable: Statistics.mean(matched.map { run[$0.run].learnable }),
                baseline: Statistics.mean(matched.map { baseline[$0.baseline].learnable })),
            matched.count
        )
    }
}
