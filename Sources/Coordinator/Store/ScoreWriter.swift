import FathomCore
import FathomProtocol
import GRDB

/// A leaderboard with what follows from it, worked out before anything is written.
struct LeaderboardContent {
    var rows: [LeaderboardRow]
    var agreements: [RankAgreement]
    /// By cell, in the order of cells.
    var costs: [(cell: String, cost: CellCost)]

    init(rows: [LeaderboardRow], costs: [(cell: String, cost: CellCost)]) {
        self.rows = rows
        self.costs = costs
        agreements = Leaderboard(rows).groups.flatMap { RankAgreement.all(of: $0.rows) }
    }

    /// What every cell of the sweep took so far.
    static func costs(
        of sweep: SweepID, _ db: Database
    ) throws -> [(cell: String, cost: CellCost)] {
        var found: [(cell: String, cost: CellCost)] = []
        for row in try Row.fetchAll(db, sql: costSQL, arguments: [sweep.number]) {
            let label: String = row[0]
            if found.last?.cell != label { found.append((label, CellCost())) }
            found[found.count - 1].cost.kinds[row[1]] = CellCost.Share(
                jobs: row[2], seconds: row[3], forwardEquivalents: row[4])
        }
        return found
    }

    private static let costSQL = """
        SELECT c.label, j.kind, count(*), sum(o.seconds), sum(o.forwardEquivalents)
        FROM cell c
          JOIN (SELECT DISTINCT r.cell, rj.job FROM run r JOIN runJob rj ON rj.run = r.id
            WHERE r.hidden = 0) x ON x.cell = c.id
          JOIN job j ON j.id = x.job JOIN jobCost o ON o.job = j.id
        WHERE c.sweep = ? AND c.hidden = 0 GROUP BY c.label, j.kind ORDER BY c.label, j.kind
        """
}

/// Writes the rows that merging makes.
struct ScoreWriter {
    let db: Database
    let sweep: String
    let cells: [String: ScoredCell]

    init(db: Database, sweep: String, cells: [ScoredCell]) {
        self.db = db
        self.sweep = sweep
        self.cells = Dictionary(
            cells.map { ($0.label, $0) }, uniquingKeysWith: { first, _ in first })
    }

    private func insert(_ table: String, _ columns: [(String, (any DatabaseValueConvertible)?)])
        throws
    {
        let names = columns.map(\.0).joined(separator: ", ")
        let marks = columns.map { _ in "?" }.joined(separator: ", ")
        let statement = try db.cachedStatement(
            sql: "INSERT INTO \(table) (\(names)) VALUES (\(marks))")
        try statement.execute(arguments: StatementArguments(columns.map(\.1)))
    }

    func write(_ score: UDScore) throws {
        guard let cell = cells[score.cell] else { return }
        try insert(
            "udScore",
            [
                ("sweep", sweep), ("cell", cell.label), ("method", cell.method),
                ("task", cell.task), ("model", cell.model), ("defense", cell.defense),
                ("seed", score.seed), ("rule", score.rule.rawValue),
                ("countKind", score.countKind.rawValue), ("baseline", score.baseline.rawValue),
                ("beta", score.beta), ("learnable", score.learnable),
                ("learnableBaseline", score.learnableBaseline), ("ud", score.ud),
                ("reason", score.reason), ("n", score.seedCount),
                ("udLow", score.interval?.low), ("udHigh", score.interval?.high),
                ("udMean", score.meanOfRatios),
            ])
    }

    /// Puts a leaderboard in place of the one there was.
    func replace(with content: LeaderboardContent) throws {
        for table in ["leaderboard", "rankAgreement", "cellCost"] {
            try db.execute(sql: "DELETE FROM \(table) WHERE sweep = ?", arguments: [sweep])
        }
        for row in content.rows {
            try insert("leaderboard", headColumns(row) + supportColumns(row) + seedColumns(row))
        }
        for agreement in content.agreements { try write(agreement) }
        for (cell, cost) in content.costs {
            for (kind, share) in cost.kinds.sorted(by: { $0.key < $1.key }) {
                try insert(
                    "cellCost",
                    [
                        ("sweep", sweep), ("cell", cell), ("kind", kind), ("jobs", share.jobs),
                        ("seconds", share.seconds),
                        ("forwardEquivalents", share.forwardEquivalents),
                    ])
            }
        }
    }

    private func write(_ agreement: RankAgreement) throws {
        try insert(
            "rankAgreement",
            [
                ("sweep", sweep), ("dataSet", agreement.dataSet), ("task", agreement.task),
                ("model", agreement.model), ("defense", agreement.defense),
                ("settings", agreement.settings), ("other", agreement.other.rawValue),
                ("controls", agreement.includesControls), ("n", agreement.count),
                ("rho", agreement.rho), ("rhoLow", agreement.interval?.low),
                ("rhoHigh", agreement.interval?.high), ("tau", agreement.tau),
            ])
    }

    private func seedColumns(
        _ row: LeaderboardRow
    ) -> [(String, (any DatabaseValueConvertible)?)] {
        func list(_ value: (LeaderboardRow.SeedValues) -> Double?) -> String {
            NumberList.text(row.seedValues.map { value($0) ?? .nan })
        }
        let seeds = row.seedValues.map { "\($0.seed)" }.joined(separator: ",")
        return [
            ("settings", row.settings), ("seedNumbers", "[\(seeds)]"),
            ("seedUD", list(\.ud)), ("seedLearnable", list(\.learnable)),
            ("seedMetric", list(\.metric)), ("seedDamage", list(\.damage)),
            ("udVanilla", row.udVanilla), ("udDefended", row.udDefended),
            ("damageVanilla", row.damageVanilla), ("damageDefended", row.damageDefended),
            ("udMatched", row.udMatched), ("udMatchedLow", row.udMatchedInterval?.low),
            ("udMatchedHigh", row.udMatchedInterval?.high), ("matchedCount", row.matchedCount),
            ("bimodalShare", row.bimodalShare),
        ]
    }

    private func headColumns(
        _ row: LeaderboardRow
    ) -> [(String, (any DatabaseValueConvertible)?)] {
        [
            ("sweep", sweep), ("cell", row.cell), ("method", row.method), ("task", row.task),
            ("model", row.model), ("defense", row.defense), ("n", row.seedCount),
            ("ud", row.ud), ("udLow", row.udInterval?.low), ("udHigh", row.udInterval?.high),
            ("metric", row.metric), ("metricLow", row.metricInterval?.low),
            ("metricHigh", row.metricInterval?.high), ("damage", row.damage),
            ("calibrated", row.isCalibrated), ("learnable", row.learnable),
            ("learnableBaseline", row.learnableBaseline), ("learnableTotal", row.learnableTotal),
            ("controlLow", row.control?.low), ("controlHigh", row.control?.high),
            ("rule", row.rule), ("countKind", row.countKind), ("baseline", row.baseline),
        ]
    }

    private func supportColumns(
        _ row: LeaderboardRow
    ) -> [(String, (any DatabaseValueConvertible)?)] {
        [
            ("udMean", row.udMean), ("udReason", row.udReason), ("udDeviation", row.udDeviation),
            ("metricName", row.metricName), ("metricDeviation", row.metricDeviation),
            ("chance", row.chance), ("damageLow", row.damageInterval?.low),
            ("damageHigh", row.damageInterval?.high), ("damageReason", row.damageReason),
            ("trainLoss", row.trainLoss), ("salLoss", row.salLoss),
            ("salLossBaseline", row.salLossBaseline), ("reach", row.reach),
            ("reachBaseline", row.reachBaseline), ("layerCount", row.layerCount),
            ("dataSet", row.dataSet), ("role", row.role.rawValue), ("seeds", row.seeds),
            ("position", row.position), ("note", row.note),
        ]
    }
}
