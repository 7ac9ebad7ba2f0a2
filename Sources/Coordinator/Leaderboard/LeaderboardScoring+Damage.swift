import FathomCore
import FathomProtocol

/// Damage: the share of what clean training gains over chance that is lost; equation (12) in
/// `docs/science/sal-ud.md`.
extension LeaderboardScoring {
    private struct MetricPair {
        var seed: Int
        var clean: Double
        var own: Double
    }

    /// What a damage is measured against, or why there is none.
    private enum Ground {
        case known(clean: Double, chance: Double)
        case missing(String)
    }

    func fillDamage(_ row: inout LeaderboardRow, cell: ScoredCell, clean: ScoredCell?) {
        switch ground(cell: cell, clean: clean) {
        case .missing(let reason): row.damageReason = reason
        case .known(_, let chance):
            let pairs = metricPairs(cell: cell, clean: clean)
            row.damage = damage(pairs, chance: chance)
            row.damageInterval = Bootstrap.interval(
                of: pairs, random: stream("damage", of: cell)
            ) { damage($0, chance: chance) }
            row.damageReason = row.damage == nil ? "no seed has both metrics" : nil
        }
    }

    /// The damage of all seeds together against the clean cell of either baseline.
    func damage(of cell: ScoredCell, against clean: ScoredCell?) -> Double? {
        guard case .known(_, let chance) = ground(cell: cell, clean: clean) else { return nil }
        return damage(metricPairs(cell: cell, clean: clean), chance: chance)
    }

    /// Each seed's own damage, as a share of the mean gain of clean training.
    func seedDamages(of cell: ScoredCell, against clean: ScoredCell?) -> [Int: Double] {
        guard case .known(let mean, let chance) = ground(cell: cell, clean: clean) else {
            return [:]
        }
        let pairs = metricPairs(cell: cell, clean: clean)
        return Dictionary(
            pairs.map { ($0.seed, ($0.clean - $0.own) / (mean - chance)) },
            uniquingKeysWith: { first, _ in first })
    }

    private func ground(cell: ScoredCell, clean: ScoredCell?) -> Ground {
        guard let clean else { return .missing(UndefinedReason.baselineMissing.rawValue) }
        guard let chance = clean.chance else {
            return .missing(
                TaskSettings(text: cell.task)?.hasChance == false
                    ? "a sum of losses has no level of chance"
                    : "no clean run told its level of chance")
        }
        let values = clean.runs.compactMap(\.metric)
        guard let deviation = Statistics.standardDeviation(values) else {
            return .missing("damage needs two clean seeds or more")
        }
        let isUp = ScoredCell.metric(ofTask: cell.task).isHigherBetter
        let mean = Statistics.mean(values)
        let gain = (mean - chance) * (isUp ? 1 : -1)
        guard gain > 0 else { return .missing("clean training is no better than chance") }
        guard gain >= LeaderboardScoring.chanceDeviationsMin * deviation else {
            return .missing("clean training is too near chance for its spread")
        }
        return .known(clean: mean, chance: chance)
    }

    private func metricPairs(cell: ScoredCell, clean: ScoredCell?) -> [MetricPair] {
        cell.runs.compactMap { run in
            guard let own = run.metric,
                let base = clean?.runs.first(where: { $0.seed == run.seed })?.metric
            else { return nil }
            return MetricPair(seed: run.seed, clean: base, own: own)
        }
    }

    /// Never clipped.
    private func damage(_ pairs: [MetricPair], chance: Double) -> Double? {
        guard !pairs.isEmpty else { return nil }
        let clean = Statistics.mean(pairs.map(\.clean))
        guard clean != chance else { return nil }
        return (clean - Statistics.mean(pairs.map(\.own))) / (clean - chance)
    }
}
