/// How sharpness-aware learnability is measured at one checkpoint (`docs/science/sal-ud.md`).
///
/// Which epochs are measured belongs to the sweep, not to the measurement, and is not part of it.
public struct SALSettings: Codable, Hashable, Sendable {
    public enum Solver: String, Codable, Hashable, Sendable, CaseIterable {
        /// The paper's loop: plain SGD over the batches, projected once a pass.
        case reference
        /// Projected steps of fixed length along the whole set's gradient.
        case normalized
    }
    public enum Source: String, Codable, Hashable, Sendable, CaseIterable {
        /// The images the victim trains on, perturbed where it is poisoned.
        case train
        /// The clean twins of the same indices.
        case cleanTrain = "clean-train"
        /// The clean test images.
        case test
    }
    public enum Granularity: String, Codable, Hashable, Sendable, CaseIterable {
        case layer, filter
    }
    public enum Origin: String, Codable, Hashable, Sendable, CaseIterable {
        /// The loss evaluated on the SAL images at the checkpoint.
        case measured
        /// The epoch's running training loss, as the paper's released code has it.
        case training
    }

    /// How many images, class-balanced and seeded.
    public var images: Int
    public var batch: Int
    public var solver: Solver
    /// With `solver: normalized`: how many projected steps.
    public var steps: Int
    /// With `solver: normalized`: how long steps after the first are, relative to the ball's
    /// radius; `nil` for a half.
    public var laterSteps: Double?
    /// With `solver: reference`: passes over the images.
    public var passes: Int
    /// With `solver: reference`: the SGD rate.
    public var rate: Double
    /// The ball's radius, relative to the Frobenius norm of the weights that move.
    public var radius: Double
    public var data: Source
    /// Fixed pre-drawn augmentations per image when training augments; 0 for none.
    public var views: Int
    public var granularity: Granularity
    public var origin: Origin
    /// With `solver: reference`: end a walk when two passes in a row move its extreme by less.
    public var settle: Double?
    /// With `solver: reference`: SGD steps a pass, going round the batches; `nil` for one round.
    /// The released setting, 50,000 images in batches of 256, takes 195.
    public var stepsPerPass: Int?
    /// With `granularity: filter`: how many filters of a layer are sampled; `nil` for all.
    public var filters: Int?

    public init(
        images: Int = 256, batch: Int = 32, solver: Solver = .normalized, steps: Int = 4,
        laterSteps: Double? = nil, passes: Int = 10, rate: Double = 0.1, radius: Double = 0.05,
        data: Source = .train,
        views: Int = 0, granularity: Granularity = .layer, origin: Origin = .measured,
        settle: Double? = nil, stepsPerPass: Int? = nil, filters: Int? = nil
    ) {
        self.images = images
        self.batch = batch
        self.solver = solver
        self.steps = steps
        self.laterSteps = laterSteps
        self.passes = passes
        self.rate = rate
        self.radius = radius
        self.data = data
        self.views = views
        self.granularity = granularity
        self.origin = origin
        self.settle = settle
        self.stepsPerPass = stepsPerPass
        self.filters = filters
    }
}
