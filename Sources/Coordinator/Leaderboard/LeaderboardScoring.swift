public import FathomCore
public import FathomProtocol

/// Turns scores into leaderboard rows: metric, damage, and whether UD can be believed.
public struct LeaderboardScoring: Sendable {
    var scoring: UDScoring
    private let comparison: ComparisonSettings
    private let countKind: CountKind
    private let scores: [String: UDScore]
    private let seedScores: [String: [UDScore]]
    private let settings: SettingsDifference
    private let random = RandomStream(seed: 2_509_080_58)
    private var bimodalShares: [String: Double?] = [:]

    /// Within these bounds the intervals of harmless controls must lie.
    public static let controlBounds = 0.8...1.25
    /// The share of layers that must be learnable in clean training.
    public static let learnableShareMin = 0.2
    /// How many seed deviations clean training must lie away from chance for a damage.
    public static let chanceDeviationsMin = 5.0

    /// - Parameters:
    ///   - scores: What `scoring.scores()` gave.
    ///   - countKind: What is counted in the headline.
    public init(
        scoring: UDScoring, scores: [UDScore], comparison: ComparisonSettings,
        countKind: CountKind = .layers
    ) {
        self.scoring = scoring
        self.comparison = comparison
        self.countKind = countKind
        let counted = scores.filter { $0.countKind == countKind }
        var summaries: [String: UDScore] = [:]
        var seeds: [String: [UDScore]] = [:]
        for score in counted {
            let key = LeaderboardScoring.key(score.cell, score.rule, score.baseline)
            if score.seed == nil {
                summaries[key] = score
            } else {
                seeds[key, default: []] += [score]
            }
        }
        self.scores = summaries
        seedScores = seeds
        settings = SettingsDifference(groups: scoring.cells.map(\.baselineGroup))
    }

    private static func key(
        _ cell: String, _ rule: ThresholdRule, _ baseline: ComparisonSettings.Baseline
    ) -> String { "\(cell) \(rule.rawValue) \(baseline.rawValue)" }

    private var baseline: ComparisonSettings.Baseline {
        comparison.baseline == .defended ? .defended : .vanilla
    }

    /// The configured rule where there are seeds enough for it, and the released one elsewhere.
    func headline(
        _ cell: ScoredCell, _ baseline: ComparisonSettings.Baseline? = nil
    ) -> UDScore? {
        let wanted = ThresholdRule(rawValue: comparison.threshold.rawValue) ?? .released
        let baseline = baseline ?? self.baseline
        return scores[LeaderboardScoring.key(cell.label, wanted, baseline)]
            ?? scores[LeaderboardScoring.key(cell.label, .released, baseline)]
    }

    /// The rows of these cells under one way of comparing, from nothing but what was measured.
    public static func rows(
        of cells: [ScoredCell], comparison: ComparisonSettings, countKind: CountKind = .layers,
        percentileShare: Double = LearnableThreshold.percentileShare
    ) -> [LeaderboardRow] {
        var scoring = UDScoring(cells: cells, percentileShare: percentileShare)
        let wanted = ThresholdRule(rawValue: comparison.threshold.rawValue) ?? .released
        let rules = wanted == .released ? [wanted] : [wanted, .released]
        let scores = scoring.scores(rules: rules, kinds: [countKind])
        var leaderboard = LeaderboardScoring(
            scoring: scoring, scores: scores, comparison: comparison, countKind: countKind)
        return leaderboard.rows()
    }

    func seedScores(of cell: ScoredCell) -> [UDScore] {
        guard let score = headline(cell) else { return [] }
        return seedScores[LeaderboardScoring.key(cell.label, score.rule, score.baseline)] ?? []
    }

    /// Streams differ by purpose and cell, so that adding a cell changes no other's interval.
    func stream(_ purpose: String, of cell: ScoredCell) -> RandomStream {
        random.derived(purpose).derived(cell.label)
    }

    /// One row per cell, in the order of the plan.
    public mutating func rows() -> [LeaderboardRow] {
        scoring.cells.sorted { ($0.position, $0.label) < ($1.position, $1.label) }.map { row($0) }
    }

    private func role(of cell: ScoredCell) -> LeaderboardRow.Role {
        if cell.isClean { return .clean }
        let names = comparison.controls
        return names.contains(cell.method) || names.contains(cell.methodName) ? .control : .method
    }

    private mutating func row(_ cell: ScoredCell) -> LeaderboardRow {
        var row = LeaderboardRow(cell: cell, role: role(of: cell))
        row.settings = settings.text(of: cell.baselineGroup)
        if let reason = cell.notApplicable {
            row.note = LeaderboardRow.notApplicable + reason
            return row
        }
        let clean = scoring.baselineCell(of: cell, baseline)
        fillUD(&row, cell: cell, clean: clean)
        fillMetric(&row, cell: cell)
        fillDamage(&row, cell: cell, clean: clean)
        fillSeeds(&row, cell: cell, clean: clean)
        fillBaselines(&row, cell: cell)
        fillMatched(&row, cell: cell, clean: clean)
        fillLosses(&row, cell: cell, clean: clean)
        fillCalibration(&row, cell: cell, clean: clean)
        row.note = note(on: row, cell: cell)
        return row
    }

    private func fillUD(_ row: inout LeaderboardRow, cell: ScoredCell, clean: ScoredCell?) {
        guard let score = headline(cell) else {
            row.udReason = UndefinedReason.incomplete.rawValue
            return
        }
        row.ud = score.ud
        row.udInterval = score.interval
        row.udMean = score.meanOfRatios
        row.udDeviation = score.deviation
        row.udReason = score.reason
        row.seedCount = score.seedCount
        row.rule = score.rule.rawValue
        row.countKind = score.countKind.rawValue
        row.baseline = score.baseline.rawValue
        row.learnable = score.learnable
        row.learnableBaseline = score.learnableBaseline
        let matrix = clean?.runs.compactMap(\.matrix).first
        row.layerCount = matrix?.layerCount
        if let learnable = score.learnableBaseline, let matrix {
            row.learnableTotal = learnable * Double(matrix.epochs.count * score.seedCount)
        }
    }

    private func fillMetric(_ row: inout LeaderboardRow, cell: ScoredCell) {
        let values = cell.runs.compactMap(\.metric)
        row.chance = cell.chance
        guard !values.isEmpty else { return }
        row.metric = Statistics.mean(values)
        row.metricInterval = Statistics.meanInterval(values)
        row.metricDeviation = Statistics.standardDeviation(values)
    }

    private func fillLosses(_ row: inout LeaderboardRow, cell: ScoredCell, clean: ScoredCell?) {
        func mean(_ values: [Double]?) -> Double? {
            values.flatMap { $0.isEmpty ? nil : Statistics.mean($0) }
        }
        row.trainLoss = mean(cell.runs.compactMap(\.trainLoss))
        row.salLoss = mean(cell.runs.compactMap(\.salLoss))
        row.reach = mean(cell.runs.compactMap(\.reach))
        row.salLossBaseline = mean(clean?.runs.compactMap(\.salLoss))
        row.reachBaseline = mean(clean?.runs.compactMap(\.reach))
    }

    /// UD is believed where the intervals of all controls, and of clean against clean, lie within
    /// the bounds and clean training has enough learnable layers for a ratio to mean something.
    private mutating func fillCalibration(
        _ row: inout LeaderboardRow, cell: ScoredCell, clean: ScoredCell?
    ) {
        let controls = scoring.cells.filter {
            role(of: $0) == .control && $0.baselineGroup == cell.baselineGroup
                && $0.defense == cell.defense
        }
        if let clean { row.bimodalShare = knownBimodalShare(of: clean) }
        guard let clean, !controls.isEmpty, let score = headline(clean) else { return }
        let among = scoring.cleanAgainstClean(clean, rule: score.rule, kind: score.countKind)
        let intervals = controls.map { headline($0)?.interval } + [among]
        let known = intervals.compactMap { $0 }
        row.control = known.dropFirst().reduce(known.first) { $0?.union($1) }
        let inside = intervals.allSatisfy {
            $0?.lies(within: LeaderboardScoring.controlBounds) ?? false
        }
        let share = (score.learnableBaseline ?? 0) / Double(max(countMax(of: clean), 1))
        row.isCalibrated = inside && share >= LeaderboardScoring.learnableShareMin
    }

    /// How much could be learnable at most: layers, or weights.
    private func countMax(of clean: ScoredCell) -> Int {
        guard let run = clean.runs.first(where: { $0.matrix != nil }) else { return 0 }
        return countKind == .layers ? run.matrix?.layerCount ?? 0 : run.weightCounts.reduce(0, +)
    }

    private mutating func knownBimodalShare(of clean: ScoredCell) -> Double? {
        if let known = bimodalShares[clean.label] { return known }
        let share = bimodalShare(of: clean)
        bimodalShares[clean.label] = share
        return share
    }

    private func note(on row: LeaderboardRow, cell: ScoredCell) -> String? {
        var notes: [String] = []
        let flagged = cell.runs.reduce(0) { $0 + $1.flaggedCount }
        if flagged > 0 { notes.append("\(flagged) SAL entries diverged") }
        if let own = row.reach, let base = row.reachBaseline, abs(own - base) > 0.1 {
            notes.append("reach differs from the baseline's")
        }
        return notes.isEmpty ? nil : notes.joined(separator: "; ")
    }
}
