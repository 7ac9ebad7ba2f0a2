/// Error-minimising noise (Huang et al., ICLR 2021, arXiv 2101.04898): a network that is kept
/// under-trained and the noise take turns in lowering one loss, until the label can be read from
/// the noise. One perturbation an image (`em-s`).
///
/// Noise stays feasible for its image after every step, where the source trains on sums outside
/// the range of pixels. `emRectify` drops what is negative at the end, as the released loaders do
/// before they add it.
struct EMMethod: SurrogateMethod {
    let name = "em-s"
    let revision = 1
    let summary = "error-minimising noise for every image"
    let readsCheckpoint = false

    let parameters =
        SurrogateSettings.parameters() + [
            EpsilonBall.parameter(),
            MethodParameter(
                name: "emRectify", kind: .word(default: "false", allowed: ["false", "true"]),
                meaning: "whether negative noise is dropped, as by the released loaders"),
            MethodParameter(
                name: "rounds", kind: .number(default: nil, range: 1...10000, whole: true),
                meaning: "rounds of training and noise at most"),
            MethodParameter(
                name: "stopError", kind: .number(default: 0.01, range: 0...1, whole: false),
                meaning: "the error of the surrogate on poisoned images that ends crafting; of "
                    + "a craftTask that is no classification, its loss as a share of that before "
                    + "training"),
            MethodParameter(
                name: "trainSteps", kind: .number(default: nil, range: 0...100_000, whole: true),
                meaning: "steps of training in a round; 0: a quarter of an epoch, and at least 10"),
            MethodParameter(
                name: "steps", kind: .number(default: nil, range: 1...10000, whole: true),
                meaning: "steps of the noise in a round"),
            MethodParameter(
                name: "stepShare", kind: .number(default: nil, range: 0.001...2, whole: false),
                meaning: "the length of such a step, as a share of epsilon"),
            MethodParameter(
                name: "batch", kind: .number(default: nil, range: 1...100_000, whole: true),
                meaning: "images a step"),
        ]

    let tiers: [String: [String: Double]] = [
        "rounds": ["cpu": 12, "paper": 100, "apbench": 100],
        "trainSteps": ["cpu": 0, "paper": 10, "apbench": 10],
        "steps": ["cpu": 5, "paper": 20, "apbench": 5],
        "stepShare": ["cpu": 0.2, "paper": 0.1, "apbench": 0.2],
        "batch": ["cpu": 128, "paper": 512, "apbench": 128],
    ]

    func crafter(
        _ request: CraftRequest, from state: CraftState?
    ) throws(MethodError) -> any Crafter {
        try EMCrafter(request, stepShare: request.number("stepShare"), from: state)
    }
}

/// The training half of error-minimising noise: consecutive batches, going round the images.
struct EMTraining {
    let rate: Double
    static let gradientNormMax = 5.0
    /// What the source trains in a round; a quarter epoch of few images is less.
    private static let stepsMin = 10
    let batches: [Range<Int>]
    let steps: Int
    /// The next batch.
    private(set) var cursor: Int

    init(_ request: CraftRequest, _ images: CraftImages, cursor: Int) {
        rate = SurrogateSettings.training(request.settings).learningRate
        batches = images.batches(of: Int(request.number("batch")))
        let wanted = Int(request.number("trainSteps"))
        steps = wanted > 0 ? wanted : max(Self.stepsMin, (batches.count + 3) / 4)
        self.cursor = cursor
    }

    /// The round's steps, on images that `moved` perturbs.
    mutating func run(
        _ network: SurrogateNetwork, _ images: CraftImages, moved: (Range<Int>) -> [Float]
    ) {
        for _ in 0..<steps {
            let batch = batches[cursor]
            _ = network.step(
                moved(batch), targets: images.targets(batch), rate: rate,
                normMax: Self.gradientNormMax)
            cursor = (cursor + 1) % batches.count
        }
    }
}
