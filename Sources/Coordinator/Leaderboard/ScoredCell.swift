public import FathomCore

/// A cell with everything measured of it that scores are made from.
public struct ScoredCell: Sendable, Hashable {
    /// The short digest that names the cell in tables.
    public var label: String
    public var position: Int
    /// The method with what tells it from others of its name.
    public var method: String
    public var methodName: String
    public var task: String
    public var model: String
    public var defense: String
    public var dataSet: String
    /// Equal among cells that differ in method and defense only.
    public var baselineGroup: String
    public var classCount: Int
    /// In the order of their seeds.
    public var runs: [ScoredRun]
    /// Why the cell means nothing and has no runs; `nil`: it does.
    public var notApplicable: String?

    public init(
        label: String, position: Int, method: String, methodName: String, task: String,
        model: String, defense: String, dataSet: String, baselineGroup: String, classCount: Int,
        runs: [ScoredRun], notApplicable: String? = nil
    ) {
        self.label = label
        self.position = position
        self.method = method
        self.methodName = methodName
        self.task = task
        self.model = model
        self.defense = defense
        self.dataSet = dataSet
        self.baselineGroup = baselineGroup
        self.classCount = classCount
        self.runs = runs
        self.notApplicable = notApplicable
    }

    /// The main metric of a task's text; of classification where it is none that is known.
    public static func metric(ofTask text: String) -> MetricDescription {
        TaskSettings(text: text)?.mainMetric ?? TaskKind.cls.mainMetric
    }

    /// What the best predictor that looks at nothing comes to: as the runs measured it, and for
    /// classification alone one over the classes; `nil` where there is no such thing.
    var chance: Double? {
        let measured = runs.compactMap(\.chance)
        if !measured.isEmpty { return Statistics.mean(measured) }
        let isPlain = TaskSettings(text: task)?.isPlainClassification ?? true
        return isPlain ? 1 / Double(classCount) : nil
    }

    /// Whether this is training on clean data.
    public var isClean: Bool { methodName == "clean" }
}

/// One seed's measurements.
public struct ScoredRun: Sendable, Hashable {
    public var seed: Int
    /// SAL over epochs and layers; `nil` when something is missing, as `problem` says.
    public var matrix: SALMatrix?
    public var weightCounts: [Int]
    public var problem: UndefinedReason?
    /// Entries whose walks diverged after a finite start; their extremes so far are used.
    public var flaggedCount: Int
    /// The task's main metric after the last epoch.
    public var metric: Double?
    /// What a predictor that looks at nothing makes of the same metric.
    public var chance: Double?
    /// The running training loss of the last epoch, in nats.
    public var trainLoss: Double?
    /// The loss over the SAL images at the last measured epoch, in nats.
    public var salLoss: Double?
    /// The share of walks that reached the ball.
    public var reach: Double?

    public init(
        seed: Int, matrix: SALMatrix? = nil, weightCounts: [Int] = [],
        problem: UndefinedReason? = nil, flaggedCount: Int = 0, metric: Double? = nil,
        trainLoss: Double? = nil, salLoss: Double? = nil, reach: Double? = nil
    ) {
        self.seed = seed
        self.matrix = matrix
        self.weightCounts = weightCounts
        self.problem = problem
        self.flaggedCount = flaggedCount
        self.metric = metric
        self.trainLoss = trainLoss
        self.salLoss = salLoss
        self.reach = reach
    }
}
