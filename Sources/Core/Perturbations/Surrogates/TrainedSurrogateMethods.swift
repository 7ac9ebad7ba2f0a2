/// Adversarial examples of a network trained on clean images, under their own labels (`tap`; Fowl
/// et al., NeurIPS 2021, arXiv 2106.10807), and the opposite, images made easier for such a network
/// (`hypo`; Tao et al., NeurIPS 2021, arXiv 2102.04716, attack P2).
///
/// `tap` targeted moves towards the next class, untargeted away from its own; the network sees a
/// shifted and perhaps flipped image in every step. Of several restarts the one with the best mean
/// loss of its last sweep is kept, for all images together. `hypo` starts from zero and sees images
/// as they are; its source's bound is Euclidean in one paper and needs a robust network in the
/// other, here it is that of APBench.
struct TrainedSurrogateMethod: SurrogateMethod {
    enum Goal: Sendable { case adversarial, hypocritical }
    let goal: Goal
    let revision = 1
    let readsCheckpoint = true

    var name: String { goal == .adversarial ? "tap" : "hypo" }

    var summary: String {
        goal == .adversarial
            ? "adversarial examples of a clean network under their own labels"
            : "noise that makes images easier for a clean network"
    }

    var parameters: [MethodParameter] {
        let shared =
            SurrogateSettings.parameters() + [
                SurrogateSettings.epochs, EpsilonBall.parameter(),
                MethodParameter(
                    name: "steps", kind: .number(default: nil, range: 1...100_000, whole: true),
                    meaning: "steps of the noise"),
                MethodParameter(
                    name: "stepShare", kind: .number(default: nil, range: 0.001...2, whole: false),
                    meaning: "the length of a step, as a share of epsilon"),
                MethodParameter(
                    name: "batch", kind: .number(default: 256, range: 1...100_000, whole: true),
                    meaning: "images at a time; what one gets does not depend on the others"),
            ]
        guard goal == .adversarial else { return shared }
        return shared + [
            MethodParameter(
                name: "variant",
                kind: .word(default: "targeted", allowed: ["targeted", "untargeted"]),
                meaning: "towards the next class, or away from an image's own"),
            MethodParameter(
                name: "views",
                kind: .word(default: "tier", allowed: ["tier", "whole", "part", "none"]),
                meaning: "how the network sees images: shifted by whole or part pixels and "
                    + "flipped, or as they are; tier: whole in cpu and part elsewhere"),
            MethodParameter(
                name: "restarts", kind: .number(default: nil, range: 1...1000, whole: true),
                meaning: "random starts, of which the best is kept"),
        ]
    }

    var tiers: [String: [String: Double]] {
        goal == .adversarial ? Self.adversarial : Self.hypocritical
    }
    private static let adversarial: [String: [String: Double]] = [
        "steps": ["cpu": 40, "paper": 250, "apbench": 250],
        "stepShare": ["cpu": 0.1, "paper": 0.05, "apbench": 0.05],
        "restarts": ["cpu": 1, "paper": 8, "apbench": 8],
        "surrogateEpochs": ["cpu": 0, "paper": 40, "apbench": 40],
    ]
    private static let hypocritical: [String: [String: Double]] = [
        "steps": ["cpu": 30, "paper": 100, "apbench": 100],
        "stepShare": ["cpu": 0.1, "paper": 0.1, "apbench": 0.1],
        "surrogateEpochs": ["cpu": 0, "paper": 0, "apbench": 0],
    ]

    /// The source's schedule in its tiers, its milestones at the same shares of the epochs.
    func surrogateTraining(_ settings: MethodSettings) -> TrainingSettings? {
        let epochs = Int(settings.numbers["surrogateEpochs"] ?? 0)
        guard goal == .adversarial, settings.words["tier"] != "cpu", epochs > 0 else { return nil }
        return TrainingSettings(
            epochs: epochs, batch: 128, learningRate: 0.1, momentum: 0.9, nesterov: true,
            weightDecay: 5e-4, schedule: .step,
            milestones: [14, 24, 35].map { ($0 * epochs + 20) / 40 }.filter { $0 > 0 },
            factor: 0.1, augment: [.crop, .flip])
    }

    /// Without random starts and shifts nothing is drawn.
    var seedShare: Double? { goal == .adversarial ? 0.1 : nil }

    func validate(_ settings: MethodSettings, shape: ImageShape) throws(MethodError) {
        try SurrogateSettings.validate(settings, shape: shape)
        guard settings.words["key"] == nil else {
            let when = "a network that has learned those keys; \(name) reads one of classes"
            throw .setting(
                SettingError(owner: name, setting: "key", problem: .notApplicable(when: when)))
        }
        let task = SurrogateSettings.task(settings)
        guard task != .cls, goal == .adversarial else { return }
        guard settings.words["variant"] == "untargeted" else {
            throw .unsuited(
                method: name,
                reason: "craftTask is \(task.rawValue), in which no class is the next one; "
                    + "write variant: untargeted")
        }
        guard settings.words["views"] != "part" else {
            throw .unsuited(
                method: name,
                reason: "craftTask is \(task.rawValue), whose targets move with images by whole "
                    + "pixels only; views must be whole or none")
        }
    }

    func roundsMax(_ settings: MethodSettings) -> Int {
        Int((settings.numbers["restarts"] ?? 1) * (settings.numbers["steps"] ?? 1))
    }

    func crafter(
        _ request: CraftRequest, from state: CraftState?
    ) throws(MethodError) -> any Crafter {
        try TrainedSurrogateCrafter(
            request, isAdversarial: goal == .adversarial, from: state)
    }
}

/// A round is one step of every image.
private final class TrainedSurrogateCrafter: Crafter {
    private(set) var round = 0
    private(set) var isFinished = false

    private let request: CraftRequest
    private let isAdversarial: Bool
    private let images: CraftImages
    private let network: SurrogateNetwork
    private let steps: Int
    private let restarts: Int
    private var delta: [Float]
    private var best: [Float] = []
    private var bestLoss = Double.infinity
    private var bestRestart = 0

    init(
        _ request: CraftRequest, isAdversarial: Bool, from state: CraftState?
    ) throws(MethodError) {
        guard let surrogate = request.surrogate else {
            throw .unsuited(
                method: request.settings.name, reason: "it needs a network trained on clean images")
        }
        self.request = request
        self.isAdversarial = isAdversarial
        images = CraftImages(request, classes: request.images.classCount)
        network = try SurrogateSettings.network(request, images)
        steps = Int(request.number("steps"))
        restarts = Int(request.settings.numbers["restarts"] ?? 1)
        delta = [Float](repeating: 0, count: images.count * images.size)
        do throws(TrainingState.Failure) {
            try network.parameters.fill(from: surrogate)
        } catch {
            throw .unsuited(method: request.settings.name, reason: "its surrogate: \(error)")
        }
        isFinished = request.number("epsilon") == 0
        if let state { try restore(state) } else if !isFinished { start(restart: 0) }
    }

    private func restore(_ state: CraftState) throws(MethodError) {
        delta = try state.perturbation(count: delta.count, method: request.settings.name)
        best = state.array("best") ?? []
        round = state.round
        isFinished = state.isFinished
        bestLoss = state.numbers["bestLoss"] ?? .infinity
        bestRestart = Int(state.number("bestRestart"))
        network.forwardPasses = state.number("forwardPasses")
    }

    var state: CraftState {
        var state = CraftState(round: round, isFinished: isFinished)
        if bestLoss.isFinite { state.numbers["bestLoss"] = bestLoss }
        state.numbers["bestRestart"] = Double(bestRestart)
        state.numbers["forwardPasses"] = network.forwardPasses
        state.arrays = [("delta", [images.count, images.size], delta)]
        if !best.isEmpty { state.arrays.append(("best", [images.count, images.size], best)) }
        return state
    }

    /// `hypo` starts from zero, `tap` from clipped normal noise of every image.
    private func start(restart: Int) {
        guard isAdversarial else { return }
        let epsilon = Float(request.number("epsilon"))
        var place = 0
        for index in images.indices {
            var random = request.stream("start", index).derived("restart", restart)
            for _ in 0..<images.size {
                delta[place] = min(max(epsilon * Float(random.normal()), -epsilon), epsilon)
                place += 1
            }
        }
    }

    // MARK: Steps

    private var isTargeted: Bool { request.settings.words["variant"] == "targeted" }

    private func goal(_ label: Int32) -> Int32 {
        isTargeted ? (label + 1) % Int32(images.classes) : label
    }

    private var attack: InputAttack {
        let epsilon = Float(request.number("epsilon"))
        return InputAttack(
            steps: 1, stepSize: epsilon * Float(request.number("stepShare")), epsilon: epsilon,
            direction: isAdversarial && !isTargeted ? .ascend : .descend)
    }

    func advance(_ progress: (Double) -> Void) throws(MethodError) {
        var loss = 0.0
        for batch in images.batches(of: Int(request.number("batch"))) {
            var own = Array(delta[images.elements(batch)])
            let shifts = shifts(batch)
            let losses = attack.run(
                network, images: images.clean(batch), targets: images.targets(batch).mapped(goal),
                delta: &own, shape: images.shape, shifts: shifts.map { shifts in { _ in shifts } })
            delta.replaceSubrange(images.elements(batch), with: own)
            loss += losses.reduce(0, +) * Double(batch.count) / Double(images.count)
            progress(Double(batch.upperBound) / Double(images.count))
        }
        round += 1
        if round % steps == 0 { finishRestart(loss: attack.direction == .ascend ? -loss : loss) }
    }

    /// How the network sees each image of a batch in this round; `nil`: as it is.
    private func shifts(_ batch: Range<Int>) -> [ImageShift]? {
        var views = request.settings.words["views"] ?? "none"
        if views == "tier" {
            let isWhole = request.settings.words["tier"] == "cpu" || !network.isClassifier
            views = isWhole ? "whole" : "part"
        }
        guard isAdversarial, views != "none" else { return nil }
        return batch.map { image in
            var random = request.stream("view", images.indices[image]).derived("round", round)
            return .drawn(
                reach: (images.shape.height + 4) / 8, isWhole: views == "whole", &random)
        }
    }

    private func finishRestart(loss: Double) {
        let restart = round / steps - 1
        if loss < bestLoss {
            (best, bestLoss, bestRestart) = (restarts > 1 ? delta : [], loss, restart)
        }
        if restart + 1 < restarts { start(restart: restart + 1) } else { isFinished = true }
    }

    // MARK: Results

    func perturbation() -> Perturbation {
        if !best.isEmpty { delta = best }
        var numbers = ["rounds": Double(round)]
        if round > 0 {
            let judged = SurrogateJudgement(
                network, images, delta: delta, batch: Int(request.number("batch")),
                towards: isAdversarial && isTargeted ? goal : nil)
            numbers.merge(judged.report) { $1 }
            if isAdversarial {
                numbers["restart"] = Double(bestRestart)
                if isTargeted { numbers["targetShare"] = judged.targetShare }
            }
        }
        numbers["forwardPasses"] = network.forwardPasses / Double(images.count)
        return Perturbation(
            delta: images.restored(delta), numbers: numbers, words: ["stopReason": "steps"])
    }
}
