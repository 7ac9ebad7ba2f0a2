import FathomCore
public import FathomProtocol

/// Turns scores into leaderboard rows: metric, damage, and whether UD can be believed.
public struct LeaderboardScoring: Sendable {
    private var scoring: UDScoring
    private let comparison: ComparisonSettings
    private let scores: [String: UDScore]
    private let random = RandomStream(seed: 2_509_080_58)

    /// Within these bounds the intervals of harmless controls must lie.
    public static let controlBounds = 0.8...1.25
    /// The share of layers that must be learnable in clean training.
    public static let learnableShareMin = 0.2
    /// How many seed deviations clean training must lie away from chance for a damage.
    public static let chanceDeviationsMin = 5.0

    /// - Parameter scores: What `scoring.scores()` gave.
    public init(scoring: UDScoring, scores: [UDScore], comparison: ComparisonSettings) {
        self.scoring = scoring
        self.comparison = comparison
        var summaries: [String: UDScore] = [:]
        for score in scores where score.seed == nil && score.countKind == .layers {
            summaries[LeaderboardScoring.key(score.cell, score.rule, score.baseline)] = score
        }
        self.scores = summaries
    }

    private static func key(
        _ cell: String, _ rule: ThresholdRule, _ baseline: ComparisonSettings.Baseline
    ) -> String { "\(cell) \(rule.rawValue) \(baseline.rawValue)" }

    private var baseline: ComparisonSettings.Baseline {
        comparison.baseline == .defended ? .defended : .vanilla
    }

    /// The configured rule where there are seeds enough for it, and the released one elsewhere.
    private func headline(_ cell: ScoredCell) -> UDScore? {
        let wanted = ThresholdRule(rawValue: comparison.threshold.rawValue) ?? .released
        return scores[LeaderboardScoring.key(cell.label, wanted, baseline)]
            ?? scores[LeaderboardScoring.key(cell.label, .released, baseline)]
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
        if let reason = cell.notApplicable {
            row.note = LeaderboardRow.notApplicable + reason
            return row
        }
        let clean = scoring.baselineCell(of: cell, baseline)
        fillUD(&row, cell: cell, clean: clean)
        fillMetric(&row, cell: cell)
        fillDamage(&row, cell: cell, clean: clean)
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

    private func fillDamage(_ row: inout LeaderboardRow, cell: ScoredCell, clean: ScoredCell?) {
        guard let clean else {
            row.damageReason = UndefinedReason.baselineMissing.rawValue
            return
        }
        let cleanValues = clean.runs.compactMap(\.metric)
        guard let chance = clean.chance else {
            row.damageReason =
                TaskSettings(text: cell.task)?.hasChance == false
                ? "a sum of losses has no level of chance" : "no clean run told its level of chance"
            return
        }
        guard let deviation = Statistics.standardDeviation(cleanValues) else {
            row.damageReason = "damage needs two clean seeds or more"
            return
        }
        let isUp = ScoredCell.metric(ofTask: cell.task).isHigherBetter
        let gain = (Statistics.mean(cleanValues) - chance) * (isUp ? 1 : -1)
        guard gain > 0 else {
            row.damageReason = "clean training is no better than chance"
            return
        }
        guard gain >= LeaderboardScoring.chanceDeviationsMin * deviation else {
            row.damageReason = "clean training is too near chance for its spread"
            return
        }
        let pairs = LeaderboardScoring.metricPairs(cell: cell, clean: clean)
        row.damage = LeaderboardScoring.damage(pairs, chance: chance)
        row.damageInterval = Bootstrap.interval(
            of: pairs, random: random.derived("damage").derived(cell.label)
        ) { LeaderboardScoring.damage($0, chance: chance) }
        row.damageReason = row.damage == nil ? "no seed has both metrics" : nil
    }

    private struct MetricPair {
        var clean: Double
        var own: Double
    }

    private static func metricPairs(cell: ScoredCell, clean: ScoredCell) -> [MetricPair] {
        cell.runs.compactMap { run in
            guard let own = run.metric,
                let base = clean.runs.first(where: { $0.seed == run.seed })?.metric
            else { return nil }
            return MetricPair(clean: base, own: own)
        }
    }

    /// The share of what clean training gains over chance that is lost; never clipped.
    private static func damage(_ pairs: [MetricPair], chance: Double) -> Double? {
        guard !pairs.isEmpty else { return nil }
        let clean = Statistics.mean(pairs.map(\.clean))
        guard clean != chance else { return nil }
        return (clean - Statistics.mean(pairs.map(\.own))) / (clean - chance)
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
        guard let clean, !controls.isEmpty, let score = headline(clean) else { return }
        let among = scoring.cleanAgainstClean(clean, rule: score.rule, kind: score.countKind)
        let intervals = controls.map { headline($0)?.interval } + [among]
        let known = intervals.compactMap { $0 }
        row.control = known.dropFirst().reduce(known.first) { $0?.union($1) }
        let inside = intervals.allSatisfy {
            $0?.lies(within: LeaderboardScoring.controlBounds) ?? false
        }
        let layers = clean.runs.compactMap(\.matrix).first?.layerCount ?? 0
        let share = (score.learnableBaseline ?? 0) / Double(max(layers, 1))
        row.isCalibrated = inside && share >= LeaderboardScoring.learnableShareMin
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
