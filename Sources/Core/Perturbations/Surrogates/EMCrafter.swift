/// Turns of training and noise, image by image (`em-s`, and the algorithm that APBench calls `rem`).
///
/// With an adversary each image's noise starts anew in every round, from a point that raises the
/// loss: one that is kept between rounds and moved up within the adversary's radius.
final class EMCrafter: Crafter {
    private(set) var round = 0
    private(set) var isFinished = false

    private let request: CraftRequest
    private let images: CraftImages
    private let network: SurrogateNetwork
    private var training: EMTraining
    private var delta: [Float]
    private let attack: InputAttack
    private let adversary: InputAttack?
    /// Where the adversary stands; empty without one.
    private var raised: [Float] = []
    private var stopReason = "rounds"
    /// The mean loss at the beginning and the end of the last sweep of noise.
    private var sweep = (first: 0.0, last: 0.0)

    /// - Parameters:
    ///   - stepShare: The length of a step of the noise, as a share of epsilon.
    ///   - adversary: Moves noise up before it is moved down.
    init(
        _ request: CraftRequest, stepShare: Double, adversary: InputAttack? = nil,
        from state: CraftState?
    ) throws(MethodError) {
        self.request = request
        self.adversary = adversary
        let epsilon = Float(request.number("epsilon"))
        attack = InputAttack(
            steps: Int(request.number("steps")), stepSize: epsilon * Float(stepShare),
            epsilon: epsilon, direction: .descend)
        images = CraftImages(request)
        training = EMTraining(request, images, cursor: Int(state?.number("cursor") ?? 0))
        network = try SurrogateSettings.network(request, images)
        delta = [Float](repeating: 0, count: images.count * images.size)
        if adversary != nil { raised = delta }
        isFinished = request.number("epsilon") == 0
        if let state {
            try restore(state)
        } else {
            network.measureUntrained(on: images, batch: Int(request.number("batch")))
        }
    }

    private func restore(_ state: CraftState) throws(MethodError) {
        try network.restore(state, method: request.settings.name)
        delta = try state.perturbation(count: delta.count, method: request.settings.name)
        if adversary != nil { raised = state.array("raised") ?? raised }
        round = state.round
        isFinished = state.isFinished
        stopReason = state.words["stopReason"] ?? stopReason
        sweep = (state.number("sweepFirst"), state.number("sweepLast"))
    }

    var state: CraftState {
        var state = CraftState(round: round, isFinished: isFinished)
        state.numbers = [
            "cursor": Double(training.cursor), "sweepFirst": sweep.first, "sweepLast": sweep.last,
        ]
        state.words["stopReason"] = stopReason
        network.keep(in: &state)
        state.arrays.append(("delta", [images.count, images.size], delta))
        if !raised.isEmpty {
            state.arrays.append(("raised", [images.count, images.size], raised))
        }
        return state
    }

    func advance(_ progress: (Double) -> Void) throws(MethodError) {
        training.run(network, images) { batch in
            zip(images.clean(batch), delta[images.elements(batch)]).map { $0 + $1 }
        }
        progress(0.2)
        moveNoise(progress)
        round += 1
        if judgement.error <= request.number("stopError") {
            (isFinished, stopReason) = (true, "error")
        } else if round >= Int(request.number("rounds")) {
            isFinished = true
        }
    }

    /// One sweep over all images, from where the noise was left or the adversary leaves it.
    private func moveNoise(_ progress: (Double) -> Void) {
        sweep = (0, 0)
        for batch in training.batches {
            var own = startingNoise(batch)
            let losses = attack.run(
                network, images: images.clean(batch), targets: images.targets(batch),
                delta: &own, shape: images.shape)
            delta.replaceSubrange(images.elements(batch), with: own)
            let share = Double(batch.count) / Double(images.count)
            sweep.first += share * (losses.first ?? 0)
            sweep.last += share * (losses.last ?? 0)
            progress(0.2 + 0.7 * Double(batch.upperBound) / Double(images.count))
        }
    }

    private func startingNoise(_ batch: Range<Int>) -> [Float] {
        guard let adversary else { return Array(delta[images.elements(batch)]) }
        var own = Array(raised[images.elements(batch)])
        adversary.run(
            network, images: images.clean(batch), targets: images.targets(batch), delta: &own,
            shape: images.shape)
        raised.replaceSubrange(images.elements(batch), with: own)
        return own
    }

    private var judgement: SurrogateJudgement {
        SurrogateJudgement(network, images, delta: delta, batch: Int(request.number("batch")))
    }

    func perturbation() -> Perturbation {
        var numbers = ["rounds": Double(round)]
        if round > 0 {
            numbers.merge(judgement.report) { $1 }
            numbers["sweepLossFirst"] = sweep.first
            numbers["sweepLossLast"] = sweep.last
        }
        numbers["forwardPasses"] = network.forwardPasses / Double(images.count)
        let isRectified = request.settings.words["emRectify"] == "true"
        return Perturbation(
            delta: images.restored(isRectified ? delta.map { max($0, 0) } : delta),
            numbers: numbers, words: ["stopReason": stopReason])
    }
}

extension CraftState {
    /// The kept perturbation of `count` numbers.
    func perturbation(count: Int, method: String) throws(MethodError) -> [Float] {
        guard let kept = array("delta"), kept.count == count else {
            throw .unsuited(
                method: method,
                reason: "what was kept of it holds no perturbation of \(count) numbers")
        }
        return kept
    }
}
