/// Adversarial training (arXiv 1706.06083): every batch is trained on at the worst point that
/// projected ascent finds within a box around each image.
struct AdversarialTraining: BatchDefense {
    let name = "at"
    let revision = 1
    let summary = "adversarial training: images are moved uphill within epsilon first"
    let parameters = [
        MethodParameter(
            name: "epsilon", kind: .number(default: 8.0 / 255, range: 0...1, whole: false),
            meaning: "largest change of a pixel, scaled to 0...1"),
        MethodParameter(
            name: "tier", kind: .word(default: "paper", allowed: ["paper", "cpu"]),
            meaning: "paper: 10 steps of a quarter of epsilon; cpu: 3 steps of a half"),
        MethodParameter(
            name: "steps", kind: .number(default: nil, range: 1...1_000, whole: true),
            meaning: "steps of ascent; by tier if absent"),
        MethodParameter(
            name: "stepSize", kind: .number(default: nil, range: 0...1, whole: false),
            meaning:
                "length of a step, in pixels scaled to 0...1; by tier if absent: 2/255 or 4/255"),
        MethodParameter(
            name: "start", kind: .word(default: "gaussian", allowed: ["gaussian", "uniform"]),
            meaning: "where ascent begins: a normal draw times the step, or anywhere in the box"),
    ]
    let stage = DefenseStage.loop

    func standard(of parameter: String, words: [String: String], shape: ImageShape) -> Double {
        let isPaper = words["tier"] == "paper"
        return switch parameter {
        case "steps": isPaper ? 10 : 3
        default: (isPaper ? 2.0 : 4.0) / 255
        }
    }

    func guarding(_ settings: DefenseSettings) -> any BatchGuard {
        AdversarialGuard(
            epsilon: Float(settings.number("epsilon")), steps: Int(settings.number("steps")),
            stepSize: Float(settings.number("stepSize")),
            startsUniform: settings.word("start") == "uniform")
    }
}

private final class AdversarialGuard: BatchGuard {
    private let epsilon: Float
    private let steps: Int
    private let stepSize: Float
    private let startsUniform: Bool
    private var clean = BatchCopy()
    private var plan: BackwardPlan?

    init(epsilon: Float, steps: Int, stepSize: Float, startsUniform: Bool) {
        self.epsilon = epsilon
        self.steps = steps
        self.stepSize = stepSize
        self.startsUniform = startsUniform
    }

    /// Climbs in evaluation mode, so that running statistics stay, and works out no gradient of a
    /// weight.
    func apply(to batch: TrainingBatch, items: inout [BatchItem]) {
        let executor = batch.executor
        let ascent = plan ?? BackwardPlan(executor.network, parameters: { _ in false }, image: true)
        plan = ascent
        clean.take(executor.image)
        for (place, item) in items.enumerated() { start(batch, place, item) }
        executor.want(ascent)
        for _ in 0..<steps {
            executor.forward(nodes: batch.meter.nodes, mode: .evaluation)
            _ = batch.meter.losses(executor, items[...], scale: { _ in 1 })
            executor.backward()
            if let gradient = executor.imageGradient {
                Kernels.climb(
                    executor.image, along: gradient, step: stepSize, around: clean.images,
                    within: epsilon)
            }
            executor.endInputGradient()
        }
        executor.want(batch.plan)
    }

    /// The normal start may lie outside the box; the first projection pulls it in.
    private func start(_ batch: TrainingBatch, _ place: Int, _ item: BatchItem) {
        var random = batch.random(of: item)
        Kernels.shift(batch.executor.image, image: place, of: batch.count, batch.shape) {
            startsUniform
                ? random.uniform(-epsilon, epsilon) : stepSize * Float(random.normal())
        }
    }
}
