public import FathomCore

/// How far the order of methods by UD agrees with their order by something else.
public struct RankAgreement: Sendable, Hashable {
    /// What UD is held against.
    public enum Other: String, Sendable, Hashable, CaseIterable {
        /// The task's metric, turned so that higher is better.
        case metric
        case damage
        /// The loss on the SAL images, which UD is known to follow.
        case salLoss
    }

    public var dataSet: String
    public var task: String
    public var model: String
    public var defense: String
    public var settings: String
    public var other: Other
    /// Whether controls count among the methods.
    public var includesControls: Bool
    /// How many methods have both figures.
    public var count: Int
    /// Spearman's ρ; `nil` below three methods, or where one side is constant.
    public var rho: Double?
    /// Its 95 % bootstrap interval over methods.
    public var interval: Interval?
    /// Kendall's τ-b.
    public var tau: Double?

    private static let random = RandomStream(seed: 2_509_080_58)

    /// All agreements of one group's rows: each other figure, without controls and with.
    public static func all(of rows: [LeaderboardRow]) -> [RankAgreement] {
        Other.allCases.flatMap { other in
            [false, true].compactMap { RankAgreement(rows, other, includesControls: $0) }
        }
    }

    public init(
        dataSet: String, task: String, model: String, defense: String, settings: String,
        other: Other, includesControls: Bool, count: Int, rho: Double?, interval: Interval?,
        tau: Double?
    ) {
        self.dataSet = dataSet
        self.task = task
        self.model = model
        self.defense = defense
        self.settings = settings
        self.other = other
        self.includesControls = includesControls
        self.count = count
        self.rho = rho
        self.interval = interval
        self.tau = tau
    }

    private init?(_ rows: [LeaderboardRow], _ other: Other, includesControls: Bool) {
        guard let first = rows.first else { return nil }
        dataSet = first.dataSet
        task = first.task
        model = first.model
        defense = first.defense
        settings = first.settings
        self.other = other
        self.includesControls = includesControls
        let isUp = ScoredCell.metric(ofTask: first.task).isHigherBetter
        let pairs = rows.filter {
            $0.role == .method || (includesControls && $0.role == .control)
        }.compactMap { row -> (Double, Double)? in
            let value =
                switch other {
                case .metric: isUp ? row.metric : row.metric.map { -$0 }
                case .damage: row.damage
                case .salLoss: row.salLoss
                }
            guard let ud = row.ud, let value else { return nil }
            return (ud, value)
        }
        count = pairs.count
        guard pairs.count > 2 else { return }
        let (left, right) = (pairs.map(\.0), pairs.map(\.1))
        rho = RankCorrelation.spearman(left, right)
        tau = RankCorrelation.kendall(left, right)
        interval = RankCorrelation.spearmanInterval(left, right, random: RankAgreement.random)
    }
}
