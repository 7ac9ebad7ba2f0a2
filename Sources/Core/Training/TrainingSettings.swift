/// How a network is trained. Every default is visible here, and the whole goes into a job's key.
public struct TrainingSettings: Codable, Hashable, Sendable {
    public enum Optimizer: String, Codable, Hashable, Sendable, CaseIterable {
        case sgd, adam, adamw, sam
    }
    public enum Schedule: String, Codable, Hashable, Sendable, CaseIterable {
        /// The rate never changes.
        case constant
        /// The rate is multiplied by `factor` at each of `milestones` (epochs finished).
        case step
        /// Half a cosine from the rate to zero over all epochs.
        case cosine
    }
    public enum Augmentation: String, Codable, Hashable, Sendable, CaseIterable {
        /// Four pixels of zeros on each side (`size / 8`), then a random crop of the old size.
        case crop
        /// A left-right flip with probability one half.
        case flip
    }

    /// Epochs in all.
    public var epochs: Int
    /// Images a step; the short last batch is kept.
    public var batch: Int
    public var optimizer: Optimizer
    public var learningRate: Double
    public var momentum: Double
    public var nesterov: Bool
    public var weightDecay: Double
    public var schedule: Schedule
    /// With `schedule: step`: after how many finished epochs the rate falls.
    public var milestones: [Int]
    /// With `schedule: step`: what the rate is multiplied by.
    public var factor: Double
    /// Epochs over which the rate rises linearly from zero, a step at a time.
    public var warmupEpochs: Int
    public var augment: [Augmentation]
    /// With `optimizer: sam`: the radius of the ascent step, in units of the weights.
    public var samRadius: Double
    /// Stretches with images of their own, which last `epochs` together; `nil`: one, of the
    /// method's images.
    public var phases: [TrainingPhase]?
    /// The weights to start from; `nil`: fresh ones.
    public var start: TrainingStart?

    public init(
        epochs: Int = 20, batch: Int = 64, optimizer: Optimizer = .sgd, learningRate: Double = 0.1,
        momentum: Double = 0.9, nesterov: Bool = false, weightDecay: Double = 5e-4,
        schedule: Schedule = .constant, milestones: [Int] = [], factor: Double = 0.1,
        warmupEpochs: Int = 0, augment: [Augmentation] = [], samRadius: Double = 0.05,
        phases: [TrainingPhase]? = nil, start: TrainingStart? = nil
    ) {
        self.epochs = epochs
        self.batch = batch
        self.optimizer = optimizer
        self.learningRate = learningRate
        self.momentum = momentum
        self.nesterov = nesterov
        self.weightDecay = weightDecay
        self.schedule = schedule
        self.milestones = milestones
        self.factor = factor
        self.warmupEpochs = warmupEpochs
        self.augment = augment
        self.samRadius = samRadius
        self.phases = phases
        self.start = start
    }
}
