public import FathomCore
public import FathomProtocol

/// A row of `udScore`: one seed's UD under one rule, count and baseline, or, without a seed, all
/// seeds' together.
public struct UDScore: Sendable, Hashable {
    public var cell: String
    public var seed: Int?
    public var rule: ThresholdRule
    public var countKind: CountKind
    public var baseline: ComparisonSettings.Baseline
    public var beta: Double?
    public var learnable: Double?
    public var learnableBaseline: Double?
    public var ud: Double?
    public var reason: String?
    /// How many seeds went in.
    public var seedCount: Int
    public var interval: Interval?
    public var meanOfRatios: Double?
    /// The standard deviation of the seeds' own ratios.
    public var deviation: Double?
}

/// Computes UD under every rule from measured cells. The same cells give the same bits.
public struct UDScoring: Sendable {
    let cells: [ScoredCell]
    private let percentileShare: Double
    /// Clean cells by group and defense.
    private let baselines: [String: ScoredCell]
    private var thresholds: [String: [LearnableThreshold?]] = [:]
    private var draws: [String: BootstrapDraws] = [:]
    /// Streams differ by cell, so that adding a cell changes no other's interval.
    private let random = RandomStream(seed: 2_509_080_58)

    /// Which baselines are compared with.
    public static let comparedBaselines: [ComparisonSettings.Baseline] = [.vanilla, .defended]

    /// - Parameter percentileShare: What the rule `percentile` takes.
    public init(
        cells: [ScoredCell], percentileShare: Double = LearnableThreshold.percentileShare
    ) {
        self.cells = cells
        self.percentileShare = percentileShare
        var found: [String: ScoredCell] = [:]
        for cell in cells.sorted(by: { $0.label < $1.label })
        where cell.isClean && cell.notApplicable == nil {
            let key = UDScoring.key(cell.baselineGroup, cell.defense)
            if found[key] == nil { found[key] = cell }
        }
        baselines = found
    }

    private static func key(_ group: String, _ defense: String) -> String {
        group + "\u{0}" + defense
    }

    /// The clean cell that `cell` is compared with, if the sweep has one.
    public func baselineCell(
        of cell: ScoredCell, _ baseline: ComparisonSettings.Baseline
    ) -> ScoredCell? {
        let defense = baseline == .defended ? cell.defense : "none"
        return baselines[UDScoring.key(cell.baselineGroup, defense)]
    }

    /// All rows, in the order of cells, rules, counts, baselines and seeds.
    ///
    /// - Parameters:
    ///   - rules: Which rules; all by default.
    ///   - kinds: Which counts; all by default.
    public mutating func scores(
        rules: [ThresholdRule] = ThresholdRule.allCases, kinds: [CountKind] = CountKind.allCases
    ) -> [UDScore] {
        cells.filter { $0.notApplicable == nil }.flatMap { cell in
            rules.flatMap { rule in
                kinds.flatMap { kind in scores(of: cell, rule: rule, kind: kind) }
            }
        }
    }

    /// Against both baselines, which are one where there is no defense.
    private mutating func scores(
        of cell: ScoredCell, rule: ThresholdRule, kind: CountKind
    ) -> [UDScore] {
        var made: [(clean: String?, rows: [UDScore])] = []
        for baseline in UDScoring.comparedBaselines {
            let clean = baselineCell(of: cell, baseline)?.label
            var rows: [UDScore]
            if let known = made.first(where: { $0.clean == clean }) {
                rows = known.rows
                for index in rows.indices { rows[index].baseline = baseline }
            } else {
                rows = scores(of: cell, rule: rule, kind: kind, baseline: baseline)
            }
            made.append((clean, rows))
        }
        return made.flatMap(\.rows)
    }

    private mutating func scores(
        of cell: ScoredCell, rule: ThresholdRule, kind: CountKind,
        baseline: ComparisonSettings.Baseline
    ) -> [UDScore] {
        let clean = baselineCell(of: cell, baseline)
        // A rule that needs more seeds than the sweep has is not applied at all.
        if let clean, clean.runs.count < rule.seedsMin { return [] }
        if clean == nil, cell.runs.count < rule.seedsMin { return [] }
        let blank = UDScore(
            cell: cell.label, rule: rule, countKind: kind, baseline: baseline, seedCount: 1)
        let rows = cell.runs.map { run in
            score(of: run, against: clean, template: blank)
        }
        return rows + [overSeeds(rows, of: cell, template: blank)]
    }

    private mutating func score(
        of run: ScoredRun, against clean: ScoredCell?, template: UDScore
    ) -> UDScore {
        var row = template
        row.seed = run.seed
        guard let clean, let index = clean.runs.firstIndex(where: { $0.seed == run.seed }) else {
            row.reason = UndefinedReason.baselineMissing.rawValue
            return row
        }
        let base = clean.runs[index]
        guard let matrix = run.matrix, let baseMatrix = base.matrix else {
            row.reason = UDScoring.problem(of: run, baseline: base).rawValue
            return row
        }
        guard let threshold = threshold(template.rule, of: clean, at: index) else {
            let isRelative = template.rule == .relative
            row.reason = (isRelative ? UndefinedReason.lossZero : .tooFewSeeds).rawValue
            return row
        }
        row.beta = threshold.beta
        guard !threshold.isDegenerate else {
            row.reason = UndefinedReason.degenerate.rawValue
            return row
        }
        guard
            let learnable = LearnableCount.count(
                template.countKind, of: matrix, above: threshold, weightCounts: run.weightCounts),
            let learnableBaseline = LearnableCount.count(
                template.countKind, of: baseMatrix, above: threshold,
                weightCounts: base.weightCounts)
        else {
            let isRelative = template.rule == .relative
            row.reason = (isRelative ? UndefinedReason.lossZero : .otherEpochs).rawValue
            return row
        }
        let pair = UnlearnableDistance.Pair(learnable: learnable, baseline: learnableBaseline)
        row.learnable = pair.learnable
        row.learnableBaseline = pair.baseline
        row.ud = pair.ratio
        row.reason = pair.ratio == nil ? UndefinedReason.baselineZero.rawValue : nil
        return row
    }

    /// The resamples over a cell's seeds, equal for all rules, counts and baselines.
    private mutating func resamples(_ stream: String, count: Int) -> BootstrapDraws {
        let key = "\(count) \(stream)"
        if let known = draws[key] { return known }
        let made = BootstrapDraws(itemCount: count, random: random.derived(stream))
        draws[key] = made
        return made
    }

    private static func problem(of run: ScoredRun, baseline: ScoredRun) -> UndefinedReason {
        if run.matrix == nil { return run.problem ?? .incomplete }
        return baseline.problem == .diverged ? .baselineDiverged : .incomplete
    }

    mutating func threshold(
        _ rule: ThresholdRule, of clean: ScoredCell, at index: Int
    ) -> LearnableThreshold? {
        let key = rule.rawValue + clean.label
        if let known = thresholds[key] { return known[index] }
        let matrices = clean.runs.map(\.matrix)
        let made = clean.runs.indices.map {
            LearnableThreshold.threshold(
                rule, seedIndex: $0, clean: matrices, percentileShare: percentileShare)
        }
        thresholds[key] = made
        return made[index]
    }

    private mutating func overSeeds(
        _ rows: [UDScore], of cell: ScoredCell, template: UDScore
    ) -> UDScore {
        var row = template
        let counted = rows.filter { $0.learnable != nil }
        let pairs = counted.compactMap { UDScoring.pair($0) }
        let summary = UnlearnableDistance.overSeeds(
            pairs, draws: resamples(cell.label, count: pairs.count))
        row.seedCount = pairs.count
        row.ud = summary.ratioOfSums
        row.interval = summary.interval
        row.meanOfRatios = summary.meanOfRatios
        row.deviation = Statistics.standardDeviation(pairs.compactMap(\.ratio))
        if !pairs.isEmpty {
            row.beta = Statistics.mean(counted.compactMap(\.beta))
            row.learnable = Statistics.mean(pairs.map(\.learnable))
            row.learnableBaseline = Statistics.mean(pairs.map(\.baseline))
        }
        row.reason = UDScoring.reason(of: rows, counted: counted.count, defined: row.ud != nil)
        return row
    }

    private static func pair(_ row: UDScore) -> UnlearnableDistance.Pair? {
        guard let learnable = row.learnable, let baseline = row.learnableBaseline else {
            return nil
        }
        return UnlearnableDistance.Pair(learnable: learnable, baseline: baseline)
    }

    private static func reason(of rows: [UDScore], counted: Int, defined: Bool) -> String? {
        let first = rows.first { $0.learnable == nil }?.reason
        if defined { return first.map { "\(counted) of \(rows.count) seeds: \($0)" } }
        return first ?? UndefinedReason.baselineZero.rawValue
    }

    /// What UD of clean against clean would be: each seed's baseline beside the next seed's clean
    /// run under the same threshold.
    mutating func cleanAgainstClean(
        _ clean: ScoredCell, rule: ThresholdRule, kind: CountKind
    ) -> Interval? {
        var pairs: [UnlearnableDistance.Pair] = []
        for index in clean.runs.indices where clean.runs.count > 1 {
            let own = clean.runs[index]
            let other = clean.runs[(index + 1) % clean.runs.count]
            guard let threshold = threshold(rule, of: clean, at: index),
                let matrix = own.matrix, let stranger = other.matrix
            else { continue }
            guard
                let theirs = LearnableCount.count(
                    kind, of: stranger, above: threshold, weightCounts: other.weightCounts),
                let ours = LearnableCount.count(
                    kind, of: matrix, above: threshold, weightCounts: own.weightCounts)
            else { continue }
            pairs.append(UnlearnableDistance.Pair(learnable: theirs, baseline: ours))
        }
        let stream = random.derived("clean against clean").derived(clean.label)
        return UnlearnableDistance.overSeeds(pairs, random: stream).interval
    }
}
