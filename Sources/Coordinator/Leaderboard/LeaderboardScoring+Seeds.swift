import FathomCore
import FathomProtocol

/// What each seed gave, both baselines side by side, and UD at equal loss.
extension LeaderboardScoring {
    func fillSeeds(_ row: inout LeaderboardRow, cell: ScoredCell, clean: ScoredCell?) {
        let damages = seedDamages(of: cell, against: clean)
        let scores = Dictionary(
            seedScores(of: cell).map { ($0.seed ?? -1, $0) },
            uniquingKeysWith: { first, _ in first })
        row.seedValues = cell.runs.map { run in
            LeaderboardRow.SeedValues(
                seed: run.seed, ud: scores[run.seed]?.ud, learnable: scores[run.seed]?.learnable,
                metric: run.metric, damage: damages[run.seed])
        }
    }

    func fillBaselines(_ row: inout LeaderboardRow, cell: ScoredCell) {
        row.udVanilla = headline(cell, .vanilla)?.ud
        row.udDefended = headline(cell, .defended)?.ud
        row.damageVanilla = damage(of: cell, against: scoring.baselineCell(of: cell, .vanilla))
        row.damageDefended = damage(of: cell, against: scoring.baselineCell(of: cell, .defended))
    }

    /// UD of checkpoints whose losses on the SAL images are alike, under the headline's threshold;
    /// equation (13).
    mutating func fillMatched(_ row: inout LeaderboardRow, cell: ScoredCell, clean: ScoredCell?) {
        guard let clean, let score = headline(cell) else { return }
        var pairs: [UnlearnableDistance.Pair] = []
        for run in cell.runs {
            guard let index = clean.runs.firstIndex(where: { $0.seed == run.seed }),
                let threshold = scoring.threshold(score.rule, of: clean, at: index),
                let own = LeaderboardScoring.checkpoints(of: run, above: threshold, row),
                let base = LeaderboardScoring.checkpoints(
                    of: clean.runs[index], above: threshold, row),
                let matched = MatchedLoss.learnable(own, base)
            else { continue }
            pairs.append(matched.pair)
            row.matchedCount += matched.count
        }
        let summary = UnlearnableDistance.overSeeds(pairs, random: stream("matched", of: cell))
        row.udMatched = summary.ratioOfSums
        row.udMatchedInterval = summary.interval
    }

    private static func checkpoints(
        of run: ScoredRun, above threshold: LearnableThreshold, _ row: LeaderboardRow
    ) -> [MatchedLoss.Checkpoint]? {
        guard let matrix = run.matrix, !threshold.isDegenerate, !matrix.originLosses.isEmpty,
            let counts = LearnableCount.byEpoch(
                CountKind(rawValue: row.countKind) ?? .layers, of: matrix, above: threshold,
                weightCounts: run.weightCounts)
        else { return nil }
        return zip(counts, matrix.epochLosses).map {
            MatchedLoss.Checkpoint(learnable: $0, lossNats: $1)
        }
    }

    /// The share of a clean cell's measured epochs whose layers form two clusters.
    func bimodalShare(of clean: ScoredCell) -> Double? {
        let matrices = clean.runs.compactMap(\.matrix)
        guard let layers = matrices.first?.layerCount else { return nil }
        let level = Bimodality.explainedShareOfChance(count: layers)
        let epochs = matrices.reduce(0) { $0 + $1.epochs.count }
        guard epochs > 0 else { return nil }
        let found = matrices.reduce(0) { $0 + Bimodality.epochCount(of: $1, above: level) }
        return Double(found) / Double(epochs)
    }
}
