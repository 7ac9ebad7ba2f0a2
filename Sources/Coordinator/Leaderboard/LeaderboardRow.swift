public import FathomCore

/// A row of `leaderboard`: what a cell came to over its seeds.
public struct LeaderboardRow: Sendable, Hashable {
    public enum Role: String, Sendable, Hashable, CaseIterable {
        /// Training on clean data: UD is 1 and damage 0 by definition.
        case clean
        /// A method whose UD should stay near 1.
        case control
        case method
    }

    public var cell: String
    public var method: String
    public var task: String
    public var model: String
    public var defense: String
    public var dataSet: String
    public var role: Role
    public var position: Int
    /// How many seeds the sweep plans, and how many went into UD.
    public var seeds: Int
    public var seedCount: Int

    public var ud: Double?
    public var udInterval: Interval?
    public var udMean: Double?
    public var udDeviation: Double?
    public var udReason: String?
    public var rule: String
    public var countKind: String
    public var baseline: String

    public var metricName: String
    public var metric: Double?
    public var metricInterval: Interval?
    public var metricDeviation: Double?
    public var chance: Double?
    public var damage: Double?
    public var damageInterval: Interval?
    public var damageReason: String?

    /// Whether UD can be believed here; `nil` when the sweep has no control to tell by.
    public var isCalibrated: Bool?
    public var learnable: Double?
    /// LC(clean): what is learnable of the clean run, per epoch.
    public var learnableBaseline: Double?
    /// LC(clean) times epochs times seeds: how many counts the ratio rests on.
    public var learnableTotal: Double?
    public var layerCount: Int?
    /// The smallest interval that holds those of all controls and of clean against clean.
    public var control: Interval?

    public var trainLoss: Double?
    public var salLoss: Double?
    public var salLossBaseline: Double?
    public var reach: Double?
    public var reachBaseline: Double?
    public var note: String?

    /// What tells the row's group from others of equal data set, task, model and defense:
    /// settings that the sweep varies. Empty where there are none.
    public var settings = ""
    /// What each seed gave, in the order of seeds.
    public var seedValues: [SeedValues] = []
    /// UD and damage against clean training without a defense, and under the same one.
    public var udVanilla: Double?
    public var udDefended: Double?
    public var damageVanilla: Double?
    public var damageDefended: Double?
    /// UD of checkpoints compared at equal loss on the SAL images.
    public var udMatched: Double?
    public var udMatchedInterval: Interval?
    /// How many pairs of checkpoints that rests on.
    public var matchedCount = 0
    /// The share of the clean runs' epochs whose layers form two clusters, so that a threshold
    /// has something to lie between.
    public var bimodalShare: Double?

    /// What the cell took; read apart, because it differs from one execution to the next.
    public var cost: CellCost?
    /// What keeps the cell from being finished; read apart, because it is true now rather than at
    /// the last merge.
    public var trouble: CellTrouble?

    /// One seed's figures.
    public struct SeedValues: Sendable, Hashable {
        public var seed: Int
        public var ud: Double?
        public var learnable: Double?
        public var metric: Double?
        public var damage: Double?

        public init(
            seed: Int, ud: Double? = nil, learnable: Double? = nil, metric: Double? = nil,
            damage: Double? = nil
        ) {
            self.seed = seed
            self.ud = ud
            self.learnable = learnable
            self.metric = metric
            self.damage = damage
        }
    }

    /// Whether the method's UD is another than that of harmless controls: its interval lies
    /// outside theirs. `nil` without both intervals, and for controls and clean training.
    public var differsFromControls: Bool? {
        guard role == .method, let own = udInterval, let control else { return nil }
        return !own.overlaps(control)
    }

    /// How the note of a cell without runs begins.
    static let notApplicable = "not applicable: "

    /// Whether the cell means nothing, so that it was never run.
    var isNotApplicable: Bool { note?.hasPrefix(Self.notApplicable) ?? false }

    /// A row of a cell of which nothing is known yet.
    public init(cell: ScoredCell, role: Role) {
        self.cell = cell.label
        method = cell.method
        task = cell.task
        model = cell.model
        defense = cell.defense
        dataSet = cell.dataSet
        self.role = role
        position = cell.position
        seeds = cell.runs.count
        seedCount = 0
        rule = ThresholdRule.released.rawValue
        countKind = CountKind.layers.rawValue
        baseline = "vanilla"
        metricName = ScoredCell.metric(ofTask: cell.task).name
    }
}
