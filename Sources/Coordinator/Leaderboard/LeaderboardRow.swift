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
