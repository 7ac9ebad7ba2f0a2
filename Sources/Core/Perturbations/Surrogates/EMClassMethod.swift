/// Class-wise error-minimising noise (Huang et al., ICLR 2021, arXiv 2101.04898, `em-c`): as `em-s`,
/// with one perturbation a class, moved by the mean of what its images' steps come to.
///
/// Noise is moved on a subset with equal shares of the classes and judged there, as in the source.
/// A class that a batch does not hold keeps its noise. The source stops at an error of 0.10 by its
/// manual and 0.01 by its script; the script's is the default.
struct EMClassMethod: SurrogateMethod {
    let name = "em-c"
    let revision = 1
    let summary = "error-minimising noise, one pattern for every class"
    let readsCheckpoint = false

    let parameters =
        SurrogateSettings.parameters(tiers: ["cpu", "paper"]) + [
            EpsilonBall.parameter(),
            MethodParameter(
                name: "emRectify", kind: .word(default: "false", allowed: ["false", "true"]),
                meaning: "whether negative noise is dropped, as by the released loaders"),
            MethodParameter(
                name: "rounds", kind: .number(default: nil, range: 1...10000, whole: true),
                meaning: "rounds of training and noise at most"),
            MethodParameter(
                name: "stopError", kind: .number(default: 0.01, range: 0...1, whole: false),
                meaning: "the error of the surrogate on the poisoned subset that ends crafting"),
            MethodParameter(
                name: "trainSteps", kind: .number(default: 10, range: 1...100_000, whole: true),
                meaning: "steps of training in a round"),
            MethodParameter(
                name: "steps", kind: .number(default: 1, range: 1...10000, whole: true),
                meaning: "steps of the noise on a batch"),
            MethodParameter(
                name: "stepShare", kind: .number(default: 0.1, range: 0.001...2, whole: false),
                meaning: "the length of such a step, as a share of epsilon"),
            MethodParameter(
                name: "subset", kind: .number(default: 0.2, range: 0.001...1, whole: false),
                meaning: "the share of images that noise is moved on"),
            MethodParameter(
                name: "batch", kind: .number(default: nil, range: 1...100_000, whole: true),
                meaning: "images a step"),
        ]

    let tiers: [String: [String: Double]] = [
        "rounds": ["cpu": 30, "paper": 100], "batch": ["cpu": 128, "paper": 512],
    ]
    let form = PerturbationTraits.Form.classWise

    func crafter(
        _ request: CraftRequest, from state: CraftState?
    ) throws(MethodError) -> any Crafter {
        try EMClassCrafter(request, from: state)
    }
}

private final class EMClassCrafter: Crafter {
    private(set) var round = 0
    private(set) var isFinished = false

    private let request: CraftRequest
    private let images: CraftImages
    private let network: SurrogateNetwork
    /// Positions of the images that noise is moved on.
    private let subset: [Int]
    /// `[keys, size]`.
    private var patterns: [Float]
    private var stopReason = "rounds"

    init(_ request: CraftRequest, from state: CraftState?) throws(MethodError) {
        self.request = request
        images = CraftImages(request)
        network = try SurrogateSettings.network(request, images)
        subset = Self.subset(of: images, share: request.number("subset"))
        patterns = [Float](repeating: 0, count: request.keyCount * images.size)
        isFinished = request.number("epsilon") == 0
        guard let state else {
            network.measureUntrained(on: images, batch: Int(request.number("batch")))
            return
        }
        try network.restore(state, method: request.settings.name)
        patterns = try state.perturbation(count: patterns.count, method: request.settings.name)
        round = state.round
        isFinished = state.isFinished
        stopReason = state.words["stopReason"] ?? stopReason
    }

    /// The first of each class in crafting order, at least one of each.
    private static func subset(of images: CraftImages, share: Double) -> [Int] {
        let members = Dictionary(grouping: images.keys.indices) { images.keys[$0] }
        let chosen = members.values.flatMap { places in
            places.prefix(max(1, Int((share * Double(places.count)).rounded())))
        }
        return chosen.sorted()
    }

    var state: CraftState {
        var state = CraftState(round: round, isFinished: isFinished)
        state.words["stopReason"] = stopReason
        network.keep(in: &state)
        state.arrays.append(("delta", [request.keyCount, images.size], patterns))
        return state
    }

    func advance(_ progress: (Double) -> Void) throws(MethodError) {
        train()
        progress(0.5)
        moveNoise()
        round += 1
        if subsetError <= request.number("stopError") {
            (isFinished, stopReason) = (true, "error")
        } else if round >= Int(request.number("rounds")) {
            isFinished = true
        }
    }

    /// Steps on batches of all images, shuffled anew each time round.
    private func train() {
        let batches = images.batches(of: Int(request.number("batch")))
        let rate = SurrogateSettings.training(request.settings).learningRate
        for _ in 0..<Int(request.number("trainSteps")) {
            var random = request.stream("shuffle", network.steps / batches.count)
            let order = random.permutation(images.count)
            let chosen = Array(order[batches[network.steps % batches.count]])
            _ = network.step(
                moved(chosen), targets: images.targets(chosen), rate: rate,
                normMax: EMTraining.gradientNormMax)
        }
    }

    private func moveNoise() {
        let epsilon = Float(request.number("epsilon"))
        let attack = InputAttack(
            steps: Int(request.number("steps")),
            stepSize: epsilon * Float(request.number("stepShare")), epsilon: epsilon,
            direction: .descend)
        for start in stride(from: 0, to: subset.count, by: Int(request.number("batch"))) {
            let end = min(start + Int(request.number("batch")), subset.count)
            let chosen = Array(subset[start..<end])
            var delta = chosen.flatMap { pattern(images.keys[$0]) }
            attack.run(
                network, images: images.clean(chosen), targets: images.targets(chosen),
                delta: &delta, shape: images.shape)
            average(delta, keys: chosen.map { images.keys[$0] }, epsilon: epsilon)
        }
    }

    /// Each class's pattern becomes the mean of its images' perturbations.
    private func average(_ delta: [Float], keys: [Int32], epsilon: Float) {
        for (key, places) in Dictionary(grouping: keys.indices, by: { keys[$0] }) {
            for element in 0..<images.size {
                var sum = 0.0
                for place in places { sum += Double(delta[place * images.size + element]) }
                patterns[Int(key) * images.size + element] = min(
                    max(Float(sum / Double(places.count)), -epsilon), epsilon)
            }
        }
    }

    private func pattern(_ key: Int32) -> ArraySlice<Float> {
        patterns[(Int(key) * images.size)..<((Int(key) + 1) * images.size)]
    }

    /// Images with their class's pattern, within the range of pixels.
    private func moved(_ chosen: [Int]) -> [Float] {
        let delta = chosen.flatMap { pattern(images.keys[$0]) }
        return zip(images.clean(chosen), delta).map { min(max($0 + $1, 0), 1) }
    }

    private var subsetError: Double {
        var verdicts: [CraftVerdict] = []
        for start in stride(from: 0, to: subset.count, by: Int(request.number("batch"))) {
            let end = min(start + Int(request.number("batch")), subset.count)
            let chosen = Array(subset[start..<end])
            verdicts += network.judge(moved(chosen), targets: images.targets(chosen))
        }
        return network.error(verdicts)
    }

    func perturbation() -> Perturbation {
        let isRectified = request.settings.words["emRectify"] == "true"
        let shown = isRectified ? patterns.map { max($0, 0) } : patterns
        var delta: [Float] = []
        delta.reserveCapacity(request.images.pixels.count)
        for key in request.keys {
            delta += shown[(Int(key) * images.size)..<((Int(key) + 1) * images.size)]
        }
        var numbers = ["rounds": Double(round)]
        if round > 0 {
            let own = images.keys.flatMap { pattern($0) }
            numbers.merge(
                SurrogateJudgement(
                    network, images, delta: own, batch: Int(request.number("batch"))
                ).report
            ) { $1 }
            numbers["subsetError"] = subsetError
        }
        numbers["forwardPasses"] = network.forwardPasses / Double(images.count)
        return Perturbation(delta: delta, numbers: numbers, words: ["stopReason": stopReason])
    }
}
