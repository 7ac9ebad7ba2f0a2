import FathomCore

/// Every column of a leaderboard, for programs.
struct LeaderboardFacts {
    private let leaderboard: Leaderboard
    private let sweep: String

    init(_ leaderboard: Leaderboard, sweep: String) {
        self.leaderboard = leaderboard
        self.sweep = sweep
    }

    private typealias Fact = (String, QueryValue)

    /// Costs have columns where rows were given them; without, equal results give equal tables.
    var result: QueryResult {
        let hasCosts = leaderboard.groups.contains { $0.rows.contains { $0.cost != nil } }
        var rows: [[QueryValue]] = []
        var columns: [String] = []
        for group in leaderboard.groups {
            let neighbours = group.neighbours
            for index in group.rows.indices {
                let row = group.rows[index]
                var facts = headFacts(row, rank: group.rank(index)) + supportFacts(row)
                facts += comparisonFacts(row, neighbours[index])
                if hasCosts { facts += costFacts(row) }
                columns = facts.map(\.0)
                rows.append(facts.map(\.1))
            }
        }
        return QueryResult(columns: columns, rows: rows)
    }

    private func real(_ value: Double?) -> QueryValue { value.map(QueryValue.real) ?? .null }
    private func text(_ value: String?) -> QueryValue { value.map(QueryValue.text) ?? .null }
    private func whole(_ value: Int?) -> QueryValue {
        value.map { .integer(Int64($0)) } ?? .null
    }

    private func headFacts(_ row: LeaderboardRow, rank: Int?) -> [Fact] {
        [
            ("sweep", .text(sweep)), ("rank", whole(rank)), ("cell", .text(row.cell)),
            ("method", .text(row.method)), ("role", .text(row.role.rawValue)),
            ("task", .text(row.task)), ("model", .text(row.model)),
            ("defense", .text(row.defense)), ("dataSet", .text(row.dataSet)),
            ("n", whole(row.seedCount)), ("seeds", whole(row.seeds)), ("ud", real(row.ud)),
            ("udLow", real(row.udInterval?.low)), ("udHigh", real(row.udInterval?.high)),
            ("udMean", real(row.udMean)), ("udDeviation", real(row.udDeviation)),
            ("udReason", text(row.udReason)),
            ("calibrated", whole(row.isCalibrated.map { $0 ? 1 : 0 })),
            ("metricName", .text(row.metricName)), ("metric", real(row.metric)),
            ("metricLow", real(row.metricInterval?.low)),
            ("metricHigh", real(row.metricInterval?.high)),
            ("metricDeviation", real(row.metricDeviation)), ("chance", real(row.chance)),
            ("damage", real(row.damage)), ("damageLow", real(row.damageInterval?.low)),
            ("damageHigh", real(row.damageInterval?.high)),
            ("damageReason", text(row.damageReason)),
        ]
    }

    private func supportFacts(_ row: LeaderboardRow) -> [Fact] {
        [
            ("learnable", real(row.learnable)), ("learnableBaseline", real(row.learnableBaseline)),
            ("learnableTotal", real(row.learnableTotal)), ("layerCount", whole(row.layerCount)),
            ("controlLow", real(row.control?.low)), ("controlHigh", real(row.control?.high)),
            ("rule", .text(row.rule)), ("countKind", .text(row.countKind)),
            ("baseline", .text(row.baseline)), ("trainLoss", real(row.trainLoss)),
            ("salLoss", real(row.salLoss)), ("salLossBaseline", real(row.salLossBaseline)),
            ("reach", real(row.reach)), ("reachBaseline", real(row.reachBaseline)),
            ("note", text(row.note)),
        ]
    }

    private func comparisonFacts(_ row: LeaderboardRow, _ above: NeighbourComparison?) -> [Fact] {
        [
            ("settings", .text(row.settings)), ("udVanilla", real(row.udVanilla)),
            ("udDefended", real(row.udDefended)), ("damageVanilla", real(row.damageVanilla)),
            ("damageDefended", real(row.damageDefended)), ("udMatched", real(row.udMatched)),
            ("udMatchedLow", real(row.udMatchedInterval?.low)),
            ("udMatchedHigh", real(row.udMatchedInterval?.high)),
            ("matchedCount", whole(row.matchedCount)), ("bimodalShare", real(row.bimodalShare)),
            ("differsFromControls", whole(row.differsFromControls.map { $0 ? 1 : 0 })),
            ("pAbove", real(above?.pValue)),
            ("differsFromAbove", whole(above.map { $0.isDistinguishable ? 1 : 0 })),
            ("failedJobs", whole(row.trouble?.failed ?? 0)),
            ("blockedJobs", whole(row.trouble?.blocked ?? 0)),
            ("trouble", text(row.trouble?.reason)),
        ]
    }

    private func costFacts(_ row: LeaderboardRow) -> [Fact] {
        [
            ("poisonSeconds", real(row.cost?.kinds["poison"]?.seconds)),
            ("trainSeconds", real(row.cost?.kinds["train"]?.seconds)),
            ("salSeconds", real(row.cost?.kinds["sal"]?.seconds)),
            ("salForwardEquivalents", real(row.cost?.kinds["sal"]?.forwardEquivalents)),
        ]
    }
}
