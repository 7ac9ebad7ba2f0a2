/// Robust error-minimising noise (Fu et al., ICLR 2022, arXiv 2203.14533): error-minimising noise
/// against a network that is trained adversarially, in expectation over shifts and flips.
///
/// Departures from the source: pixels are not moved to -0.5...0.5 before the network; the last
/// batch of images gets its final noise as all others do, where the source leaves it with old
/// noise; and both step lengths are twice the radius over the number of steps, which is what the
/// source's own numbers come to, so that they fit shorter tiers. `adversary: random` replaces the
/// adversary by one random perturbation of its radius, as SEM does (arXiv 2311.13091).
///
/// `tier: apbench` is another algorithm under the same name, that of the public benchmark, kept so
/// that its numbers can be compared: no shifts and no adversarial training, but `em-s` whose noise
/// starts every round from an adversarial point (`EMCrafter`).
struct REMMethod: SurrogateMethod {
    let name = "rem"
    let revision = 1
    let summary = "error-minimising noise against adversarial training"
    let readsCheckpoint = false

    let parameters =
        SurrogateSettings.parameters() + [
            EpsilonBall.parameter(),
            MethodParameter(
                name: "adversary", kind: .word(default: "pgd", allowed: ["pgd", "random"]),
                meaning: "who perturbs the images that the network learns from"),
            MethodParameter(
                name: "radius", kind: .number(default: 4.0 / 255, range: 0...1, whole: false),
                meaning: "how far the adversary moves a pixel, pixels scaled to 0...1"),
            MethodParameter(
                name: "trainSteps", kind: .number(default: nil, range: 1...1_000_000, whole: true),
                meaning: "steps of training, in tier apbench of a round; else the rate falls "
                    + "tenfold after two and four fifths"),
            MethodParameter(
                name: "rounds", kind: .number(default: 100, range: 1...10000, whole: true),
                meaning: "rounds of training and noise at most", condition: REMMethod.apbench),
            MethodParameter(
                name: "stopError", kind: .number(default: 0.01, range: 0...1, whole: false),
                meaning: "the error of the surrogate on poisoned images that ends crafting",
                condition: REMMethod.apbench),
            MethodParameter(
                name: "steps", kind: .number(default: nil, range: 1...10000, whole: true),
                meaning: "steps of the noise on each batch"),
            MethodParameter(
                name: "draws", kind: .number(default: nil, range: 1...1000, whole: true),
                meaning: "shifts and flips that a step of the noise averages over",
                condition: .init(name: "tier", values: ["cpu", "paper"])),
            MethodParameter(
                name: "adversarySteps", kind: .number(default: nil, range: 1...10000, whole: true),
                meaning: "steps of the adversary",
                condition: .init(name: "adversary", values: ["pgd"])),
            MethodParameter(
                name: "batch", kind: .number(default: 128, range: 1...100_000, whole: true),
                meaning: "images a step"),
        ]

    let tiers: [String: [String: Double]] = [
        "trainSteps": ["cpu": 1000, "paper": 5000, "apbench": 10],
        "steps": ["cpu": 4, "paper": 10, "apbench": 5],
        "draws": ["cpu": 1, "paper": 5],
        "adversarySteps": ["cpu": 3, "paper": 10, "apbench": 5],
    ]
    private static let apbench = MethodParameter.Condition(name: "tier", values: ["apbench"])
    /// Steps of training in a round.
    private static let trainChunk = 50
    /// Rounds in which the final noise is made, each for a part of the images.
    fileprivate static let finalRounds = 8

    func validate(_ settings: MethodSettings, shape: ImageShape) throws(MethodError) {
        try SurrogateSettings.validate(settings, shape: shape)
        guard settings.words["tier"] == "apbench", settings.words["adversary"] == "random" else {
            return
        }
        throw .unsuited(method: name, reason: "in tier apbench its adversary is always pgd")
    }

    func roundsMax(_ settings: MethodSettings) -> Int {
        settings.numbers["rounds"].map { Int($0) }
            ?? Self.trainRounds(settings) + Self.finalRounds
    }

    fileprivate static func trainRounds(_ settings: MethodSettings) -> Int {
        (Int(settings.numbers["trainSteps"] ?? 1) + trainChunk - 1) / trainChunk
    }

    /// Steps of a round of training.
    fileprivate static func steps(of round: Int, _ settings: MethodSettings) -> Range<Int> {
        let first = round * trainChunk
        return first..<min(first + trainChunk, Int(settings.numbers["trainSteps"] ?? 1))
    }

    func crafter(
        _ request: CraftRequest, from state: CraftState?
    ) throws(MethodError) -> any Crafter {
        guard request.settings.words["tier"] == "apbench" else {
            return try REMCrafter(request, from: state)
        }
        let radius = Float(request.number("radius"))
        let steps = Int(request.number("adversarySteps"))
        return try EMCrafter(
            request, stepShare: 1 / request.number("steps"),
            adversary: InputAttack(
                steps: steps, stepSize: radius / Float(steps), epsilon: radius, direction: .ascend),
            from: state)
    }
}

private final class REMCrafter: Crafter {
    private(set) var round = 0
    private let request: CraftRequest
    private let images: CraftImages
    private let network: SurrogateNetwork
    private let noise: REMNoise
    /// Whole grey levels; final from `trainRounds` on, part by part.
    private var delta: [Float]

    init(_ request: CraftRequest, from state: CraftState?) throws(MethodError) {
        self.request = request
        images = CraftImages(request)
        network = try SurrogateSettings.network(request, images)
        noise = REMNoise(request: request, images: images, network: network)
        delta = [Float](repeating: 0, count: images.count * images.size)
        guard let state else { return }
        try network.restore(state, method: request.settings.name)
        delta = try state.perturbation(count: delta.count, method: request.settings.name)
        round = state.round
    }

    private var trainRounds: Int { REMMethod.trainRounds(request.settings) }

    var isFinished: Bool {
        request.number("epsilon") == 0 || round >= trainRounds + REMMethod.finalRounds
    }

    var state: CraftState {
        var state = CraftState(round: round, isFinished: isFinished)
        network.keep(in: &state)
        state.arrays.append(("delta", [images.count, images.size], delta))
        return state
    }

    func advance(_ progress: (Double) -> Void) throws(MethodError) {
        if round < trainRounds {
            let steps = REMMethod.steps(of: round, request.settings)
            for step in steps {
                train(step: step)
                progress(Double(step + 1 - steps.lowerBound) / Double(steps.count))
            }
        } else {
            finish(part: round - trainRounds, progress)
        }
        round += 1
    }

    /// New noise for a batch, then a step of training on what an adversary makes of it.
    private func train(step: Int) {
        let size = min(Int(request.number("batch")), images.count)
        // The short last batch is left out, as in the source.
        let perEpoch = images.count / size
        var random = request.stream("shuffle", step / perEpoch)
        let order = random.permutation(images.count)
        let first = step % perEpoch * size
        let chosen = Array(order[first..<(first + size)])
        let own = noise.made(for: chosen, step: step)
        let seen = noise.seen(chosen, delta: own, purpose: "lesson", step: step)
        _ = network.step(
            noise.attacked(seen, chosen, purpose: "lesson", step: step),
            targets: seen.targets, rate: rate(step: step))
    }

    private func rate(step: Int) -> Double {
        let share = Double(step) / request.number("trainSteps")
        let fall = share < 0.4 ? 1 : share < 0.8 ? 0.1 : 0.01
        return SurrogateSettings.training(request.settings).learningRate * fall
    }

    /// The final noise of one part of the images.
    private func finish(part: Int, _ progress: (Double) -> Void) {
        let first = images.count * part / REMMethod.finalRounds
        let end = images.count * (part + 1) / REMMethod.finalRounds
        let size = Int(request.number("batch"))
        for start in stride(from: first, to: end, by: size) {
            let batch = start..<min(start + size, end)
            delta.replaceSubrange(
                images.elements(batch), with: noise.made(for: Array(batch), step: -1))
            progress(Double(batch.upperBound - first) / Double(end - first))
        }
    }

    func perturbation() -> Perturbation {
        var numbers = ["rounds": Double(round), "trainSteps": Double(network.steps)]
        if round > trainRounds {
            numbers.merge(
                SurrogateJudgement(
                    network, images, delta: delta, batch: Int(request.number("batch"))
                ).report
            ) { $1 }
            numbers.merge(noise.adversarialReport(delta: delta)) { $1 }
        }
        numbers["forwardPasses"] = network.forwardPasses / Double(images.count)
        return Perturbation(
            delta: images.restored(delta), numbers: numbers, words: ["stopReason": "steps"])
    }
}

/// How noise is moved, and what stands between it and the network.
private struct REMNoise {
    let request: CraftRequest
    let images: CraftImages
    let network: SurrogateNetwork

    private var epsilon: Float { Float(request.number("epsilon")) }

    /// Noise in whole grey levels that lowers the loss behind shift and adversary.
    func made(for chosen: [Int], step: Int) -> [Float] {
        let clean = images.clean(chosen)
        let attack = InputAttack(
            steps: 1, stepSize: 2 * epsilon / Float(request.number("steps")), epsilon: epsilon,
            direction: .descend)
        var delta: [Float] = []
        delta.reserveCapacity(clean.count)
        for image in chosen {
            var random = stream("noise", image, step)
            for _ in 0..<images.size { delta.append(random.uniform(-epsilon, epsilon)) }
        }
        for iteration in 0..<Int(request.number("steps")) {
            attack.advanceInBall(&delta, along: slope(chosen, clean, delta, step, iteration))
        }
        let levelsMax = (255 * epsilon + 1e-4).rounded(.down)
        return delta.map { min(max((255 * $0).rounded(), -levelsMax), levelsMax) / 255 }
    }

    /// The gradient summed over draws of a shift; the adversary's part counts as constant.
    private func slope(
        _ chosen: [Int], _ clean: [Float], _ delta: [Float], _ step: Int, _ iteration: Int
    ) -> [Float] {
        let draws = Int(request.number("draws"))
        let moved = zip(clean, delta).map { min(max($0 + $1, 0), 1) }
        var sum = [Float](repeating: 0, count: delta.count)
        for draw in 0..<draws {
            let number = iteration * draws + draw
            let view = view(chosen, purpose: "draw \(number)", step: step)
            let seen = View(
                images: view.shifted(moved), targets: images.targets(chosen).placed(view.shifts))
            let gradient = network.gradient(
                attacked(seen, chosen, purpose: "draw \(number)", step: step),
                targets: seen.targets, isSignOnly: draws == 1)
            for (at, value) in view.pulledBack(gradient.values).enumerated() { sum[at] += value }
        }
        return sum
    }

    /// Images as they are shown, and what they should be taken for there.
    struct View {
        var images: [Float]
        var targets: CraftTargets
    }

    /// Images with their noise, shifted and flipped, within the range of pixels.
    func seen(_ chosen: [Int], delta: [Float], purpose: String, step: Int) -> View {
        let moved = zip(images.clean(chosen), delta).map { $0 + $1 }
        let view = view(chosen, purpose: purpose, step: step)
        return View(
            images: view.shifted(moved).map { min(max($0, 0), 1) },
            targets: images.targets(chosen).placed(view.shifts))
    }

    private func view(_ chosen: [Int], purpose: String, step: Int) -> ShiftedBatch {
        let shifts = chosen.map { image in
            var random = stream("view", image, step).derived(purpose)
            return ImageShift.drawn(
                reach: (images.shape.height + 4) / 8, isWhole: true, &random)
        }
        return ShiftedBatch(shifts: shifts, shape: images.shape)
    }

    /// What the adversary makes of images, from a random start within its radius.
    func attacked(_ view: View, _ chosen: [Int], purpose: String, step: Int) -> [Float] {
        let seen = view.images
        let radius = Float(request.number("radius"))
        guard radius > 0 else { return seen }
        var offset: [Float] = []
        offset.reserveCapacity(seen.count)
        for image in chosen {
            var random = stream("adversary", image, step).derived(purpose)
            for _ in 0..<images.size { offset.append(random.uniform(-radius, radius)) }
        }
        for at in offset.indices { offset[at] = min(max(seen[at] + offset[at], 0), 1) - seen[at] }
        if request.settings.words["adversary"] == "pgd" {
            let steps = Int(request.number("adversarySteps"))
            InputAttack(
                steps: steps, stepSize: 2 * radius / Float(steps), epsilon: radius,
                direction: .ascend
            ).run(
                network, images: seen, targets: view.targets, delta: &offset, shape: images.shape)
        }
        return zip(seen, offset).map { $0 + $1 }
    }

    /// Randomness of one image in one step; -1 is the final noise.
    private func stream(_ purpose: String, _ image: Int, _ step: Int) -> RandomStream {
        request.stream(purpose, images.indices[image]).derived("step", step)
    }

    /// The adversary's loss with and without the noise, on the first images in crafting order.
    func adversarialReport(delta: [Float]) -> [String: Double] {
        let count = min(images.count, 512)
        var (lower, without, with) = (0, 0.0, 0.0)
        for start in stride(from: 0, to: count, by: 128) {
            let chosen = Array(start..<min(start + 128, count))
            let own = Array(delta[images.elements(start..<(start + chosen.count))])
            let losses = [own.map { _ in Float(0) }, own].map { delta in
                let view = seen(chosen, delta: delta, purpose: "report", step: -1)
                return network.judge(
                    attacked(view, chosen, purpose: "report", step: -1), targets: view.targets
                ).map(\.loss)
            }
            for (clean, poisoned) in zip(losses[0], losses[1]) {
                lower += poisoned < clean ? 1 : 0
                without += clean
                with += poisoned
            }
        }
        return [
            "adversarialLossClean": without / Double(count),
            "adversarialLossPoisoned": with / Double(count),
            "adversarialLossLoweredShare": Double(lower) / Double(count),
        ]
    }
}
