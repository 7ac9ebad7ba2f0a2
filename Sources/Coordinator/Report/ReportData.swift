public import FathomCore

/// How much of a sweep a report draws, so that a page of any sweep stays readable and small. What is
/// left out is said where it is missing, and stays in the store.
public struct ReportLimits: Sendable, Hashable {
    /// Groups that have figures: one group is a data set, a task, a model and a defense.
    public var groups: Int
    /// Cells of one group that have a line or a row in its figures.
    public var cellsPerGroup: Int
    /// Runs that have a heat map of their own.
    public var runs: Int
    /// Rows of all leaderboards together.
    public var leaderboardRows: Int
    /// Cells of one heat map.
    public var heatMapCells: Int
    public var problems: Int
    public var landscapes: Int
    public var galleryMethods: Int
    /// Bytes of a manifest that are shown.
    public var manifestBytes: Int

    public init(
        groups: Int = 12, cellsPerGroup: Int = 24, runs: Int = 48, leaderboardRows: Int = 1_000,
        heatMapCells: Int = 4_000, problems: Int = 60, landscapes: Int = 40,
        galleryMethods: Int = 24, manifestBytes: Int = 60_000
    ) {
        self.groups = groups
        self.cellsPerGroup = cellsPerGroup
        self.runs = runs
        self.leaderboardRows = leaderboardRows
        self.heatMapCells = heatMapCells
        self.problems = problems
        self.landscapes = landscapes
        self.galleryMethods = galleryMethods
        self.manifestBytes = manifestBytes
    }
}

/// All that a report says of a sweep, as read from its store.
public struct ReportData: Sendable {
    public var sweep: String
    /// The manifest with every default filled in, as JSON.
    public var manifest: String
    public var rows: [LeaderboardRow]
    /// Every cell with its complete runs' matrices, in the order of the plan.
    public var cells: [ScoredCell]
    /// Over all seeds, under every rule, count and baseline.
    public var scores: [UDScore]
    /// What each run that has figures was judged by: cell, then seed.
    public var thresholds: [String: [Int: LearnableThreshold]]
    /// Names of the measured layers by cell, in network order.
    public var layers: [String: [String]]
    /// Metrics by cell.
    public var curves: [String: [ReportCurve]]
    /// SAL of the runs that have heat maps, complete or not.
    public var matrices: [ReportMatrix]
    public var landscapes: [ReportLandscape]
    /// Planes that the sweep has points of, drawn or not.
    public var landscapeCount: Int
    public var agreement: QueryResult
    /// How UD and its order depend on choices (`fathom sensitivity`); none in large sweeps.
    public var choices: QueryResult
    /// What cells took, by label.
    public var costs: [String: CellCost]
    public var work: ReportWork

    public init(sweep: String) {
        self.sweep = sweep
        manifest = "{}"
        rows = []
        cells = []
        scores = []
        thresholds = [:]
        layers = [:]
        curves = [:]
        matrices = []
        landscapes = []
        landscapeCount = 0
        agreement = QueryResult(columns: [], rows: [])
        choices = QueryResult(columns: [], rows: [])
        costs = [:]
        work = ReportWork()
    }
}

/// A number of a cell's training after every epoch, over its seeds.
public struct ReportCurve: Sendable, Hashable {
    public struct Point: Sendable, Hashable {
        public var epoch: Int
        public var mean: Double?
        public var low: Double?
        public var high: Double?
        public var seedCount: Int
    }

    /// `train` or `test`.
    public var split: String
    public var metric: String
    public var points: [Point]
}

/// SAL of one run as far as it is measured.
public struct ReportMatrix: Sendable, Hashable {
    public var cell: String
    public var seed: Int
    public var epochs: [Int]
    public var layers: [String]
    /// `values[layer][epoch]`; over a layer's filters their mean.
    public var values: [[Double?]]
}

/// One plane through a run's weights.
public struct ReportLandscape: Sendable, Hashable {
    public struct Point: Sendable, Hashable {
        public var x: Double
        public var y: Double
        public var loss: Double?
    }
    public struct Step: Sendable, Hashable {
        public var epoch: Int
        public var x: Double
        public var y: Double
    }

    public var cell: String
    public var seed: Int
    /// `random` or `trajectory`.
    public var plane: String
    public var epoch: Int
    /// The shares of the trajectory's spread that the two directions explain.
    public var explained: (x: Double, y: Double)? {
        explainedX.flatMap { x in explainedY.map { (x, $0) } }
    }
    public var explainedX: Double?
    public var explainedY: Double?
    public var points: [Point]
    public var steps: [Step]
}

/// What was computed, where, by what, and what went wrong.
public struct ReportWork: Sendable, Hashable {
    /// Jobs of one kind.
    public struct Kind: Sendable, Hashable {
        public var kind: String
        public var total: Int
        public var finished: Int
        public var failed: Int
        public var blocked: Int
        public var seconds: Double
        public var forwardEquivalents: Double
        /// The versions of the code that computed them, such as `2`.
        public var revisions: String
    }
    public struct Worker: Sendable, Hashable {
        public var host: String
        public var slots: Int
        public var build: String
        public var numericClass: String
        /// How many starts of it there were.
        public var count: Int
        public var jobs: Int
    }
    public struct Problem: Sendable, Hashable {
        public var method: String
        public var kind: String
        public var job: String
        public var state: String
        public var reason: String
    }

    public var kinds: [Kind] = []
    public var workers: [Worker] = []
    public var problems: [Problem] = []
    public var problemCount = 0
    public var runCount = 0
    public var runsFinished = 0
    public var seeds: [Int] = []
    /// UTC microseconds since 1970.
    public var createdAt: Int64?
    public var lastResultAt: Int64?
    /// How often a coordinator was started.
    public var terms = 0
    public var attempts: [String: Int] = [:]

    public init() {}

    public var isFinished: Bool { runCount > 0 && runsFinished == runCount }
}
