import Foundation

/// Mod-Squad's numbers `p`, one a task, whose loss counts `1 / (2 p²)` (Chen et al., 2023): they
/// start at 1 and descend `L / (2 p²) + ln(1 + p²)` by the network's own optimizer, at its rate and
/// with its weight decay.
struct LearnedScales: Hashable, Sendable {
    /// `p` of each task, in `Float` as checkpoints hold them.
    private(set) var values: [Float]
    private var first: [Float]
    private var second: [Float]

    /// Below this a loss would count without bound; `p` stays above it. Not in the paper.
    private static let smallest: Float = 0.01

    init(tasks count: Int) {
        values = [Float](repeating: 1, count: count)
        first = [Float](repeating: 0, count: count)
        second = first
    }

    /// What each task's loss is multiplied by.
    var factors: [Double] { values.map { 0.5 / (Double($0) * Double($0)) } }

    /// One step of the optimizer; `number` counts from 1 over the whole run. What is not a number
    /// moves nothing.
    mutating func step(
        losses: [Double], rate: Double, number: Int, settings: TrainingSettings
    ) {
        for (index, loss) in losses.enumerated() where loss.isFinite {
            let scale = Double(values[index])
            var slope = -loss / (scale * scale * scale) + 2 * scale / (1 + scale * scale)
            if settings.optimizer != .adamw { slope += settings.weightDecay * scale }
            let move: Double
            switch settings.optimizer {
            case .sgd, .sam: move = momentum(index, slope, number, settings)
            case .adam: move = adaptive(index, slope, number)
            case .adamw: move = adaptive(index, slope, number) + settings.weightDecay * scale
            }
            values[index] = max(Float(scale - rate * move), Self.smallest)
        }
    }

    private mutating func momentum(
        _ index: Int, _ slope: Double, _ number: Int, _ settings: TrainingSettings
    ) -> Double {
        let velocity = number == 1 ? slope : settings.momentum * Double(first[index]) + slope
        first[index] = Float(velocity)
        return settings.nesterov ? slope + settings.momentum * velocity : velocity
    }

    private mutating func adaptive(_ index: Int, _ slope: Double, _ number: Int) -> Double {
        let mean = 0.9 * Double(first[index]) + 0.1 * slope
        let square = 0.999 * Double(second[index]) + 0.001 * slope * slope
        first[index] = Float(mean)
        second[index] = Float(square)
        let corrected = (square / (1 - pow(0.999, Double(number)))).squareRoot() + 1e-8
        return mean / (1 - pow(0.9, Double(number))) / corrected
    }

    // MARK: State

    /// What a checkpoint keeps, by name.
    var arrays: [(name: String, values: [Float])] {
        [("scales", values), ("scalesFirst", first), ("scalesSecond", second)]
    }

    /// Goes on from what `arrays` kept.
    mutating func restore(_ known: (String) -> [Float]?) {
        values = known("scales") ?? values
        first = known("scalesFirst") ?? first
        second = known("scalesSecond") ?? second
    }
}
