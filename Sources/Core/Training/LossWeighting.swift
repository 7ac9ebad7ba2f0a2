/// How much each task's loss counts, where that changes as training goes on.
///
/// Numbers are kept in `Float`, as checkpoints hold them, so that going on from a checkpoint and
/// never having stopped are the same.
public struct LossWeighting: Hashable, Sendable {
    private let kind: TaskWeighting
    /// `s` of each task: its loss counts `exp(-s) / 2`.
    private var logVariances: [Float]
    /// Mean losses of the last two epochs, the older first; empty before there are any.
    private var history: [[Float]] = []
    /// Mod-Squad's.
    private var scales: LearnedScales

    /// Weights for so many tasks; nothing is learned of `equal` and `fixed` ones.
    public init(_ kind: TaskWeighting, tasks count: Int) {
        self.kind = kind
        logVariances = [Float](repeating: kind == .logVariance ? -0.5 : 0, count: count)
        scales = LearnedScales(tasks: count)
    }

    /// What a task's loss is multiplied by now, beside the weight of its term.
    public var factors: [Double] {
        switch kind {
        case .equal, .fixed: logVariances.map { _ in 1 }
        case .logVariance: logVariances.map { 0.5 / LossWeighting.power(Double($0)) }
        case .modSquad: scales.factors
        case .dwa: averaged
        }
    }

    /// `T softmax(L(e - 1) / L(e - 2) / 2)`, and 1 as long as there are no two epochs.
    private var averaged: [Double] {
        guard history.count == 2, history.joined().allSatisfy(\.isFinite) else {
            return logVariances.map { _ in 1 }
        }
        let powers = zip(history[1], history[0]).map { last, before in
            LossWeighting.power(Double(last) / max(Double(before), 1e-12) / 2)
        }
        let sum = powers.reduce(0, +)
        return powers.map { $0 / sum * Double(powers.count) }
    }

    /// e to a power, with the same bits everywhere.
    private static func power(_ exponent: Double) -> Double {
        let bounded = min(max(exponent, -60), 60)
        let falling = ExactMath.exponential(-abs(bounded))
        return bounded < 0 ? falling : 1 / falling
    }

    /// Takes one step beside the network's: of plain gradient descent on `L exp(-s) / 2 + s / 2`, or
    /// of Mod-Squad's scales.
    ///
    /// - Parameter number: Which step of the whole run it is, from 1.
    mutating func step(losses: [Double], rate: Double, number: Int, settings: TrainingSettings) {
        if kind == .modSquad {
            scales.step(losses: losses, rate: rate, number: number, settings: settings)
        }
        guard kind == .logVariance else { return }
        for (index, loss) in losses.enumerated() where loss.isFinite {
            let slope = 0.5 - loss * 0.5 / LossWeighting.power(Double(logVariances[index]))
            // One wild batch must not end the learning of a task.
            logVariances[index] -= Float(rate * min(max(slope, -1), 1))
        }
    }

    /// Hears the mean losses of an epoch that ended.
    mutating func endEpoch(losses: [Double]) {
        guard kind == .dwa else { return }
        history = Array((history + [losses.map { Float($0) }]).suffix(2))
    }

    // MARK: State

    private static let name = "weighting."

    /// What a checkpoint keeps of it.
    var arrays: [(name: String, shape: [Int], values: [Float])] {
        guard kind.isLearned else { return [] }
        let factors = factors.map { Float($0) }
        var kept = [(LossWeighting.name + "factors", [factors.count], factors)]
        if kind == .logVariance {
            kept.append((LossWeighting.name + "logVariances", [factors.count], logVariances))
        }
        if kind == .modSquad {
            kept += scales.arrays.map {
                (LossWeighting.name + $0.name, [$0.values.count], $0.values)
            }
        }
        for (place, losses) in history.enumerated() {
            kept.append((LossWeighting.name + "losses\(place)", [losses.count], losses))
        }
        return kept.map { (name: $0.0, shape: $0.1, values: $0.2) }
    }

    /// Goes on from what `arrays` kept.
    mutating func restore(_ lookup: [String: [Float]]) {
        let count = logVariances.count
        func known(_ name: String) -> [Float]? {
            lookup[LossWeighting.name + name].flatMap { $0.count == count ? $0 : nil }
        }
        if let kept = known("logVariances") { logVariances = kept }
        scales.restore(known)
        history = [known("losses0"), known("losses1")].compactMap { $0 }
    }
}

extension TrainingState {
    /// What each task's loss was multiplied by when the state was kept; `nil` where that never
    /// changes.
    public var lossFactors: [Double]? {
        arrays.first { $0.name == "weighting.factors" }?.values.map { Double($0) }
    }
}
