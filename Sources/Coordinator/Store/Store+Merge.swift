import FathomCore
import FathomProtocol
import Foundation
import GRDB

extension Store {
    /// Recomputes `salMatrix`, `udScore` and `leaderboard` of a sweep from its raw rows, in one
    /// transaction. Merging again gives the same bytes.
    public func merge(_ sweep: SweepID) throws(StoreError) {
        try write { db in
            let name = try StoreReader.name(of: sweep, db)
            for table in ["salMatrix", "udScore", "leaderboard"] {
                try db.execute(sql: "DELETE FROM \(table) WHERE sweep = ?", arguments: [name])
            }
            try db.execute(sql: Store.mergeMatrixSQL, arguments: [sweep.number])
            let cells = try ScoreLoader(db: db, sweep: sweep).load()
            var scoring = UDScoring(cells: cells)
            let scores = scoring.scores()
            let writer = ScoreWriter(db: db, sweep: name, cells: cells)
            for score in scores { try writer.write(score) }
            var leaderboard = LeaderboardScoring(
                scoring: scoring, scores: scores,
                comparison: try Store.comparison(of: sweep, db))
            for row in leaderboard.rows() { try writer.write(row) }
        }
    }

    private static let mergeMatrixSQL = """
        INSERT INTO salMatrix (sweep, cell, method, task, model, defense, seed, granularity, epoch,
          layerIndex, layer, filter, sMax, sMin, sal, salAccuracy, flag, entry)
        SELECT w.name, c.label, c.method, c.task, c.model, c.defense, r.seed, c.granularity,
          rj.epoch, s.layerIndex, s.layer, s.filter, s.sMax, s.sMin, s.sal, s.salAccuracy, s.flag,
          s.entry
        FROM sweep w JOIN cell c ON c.sweep = w.id JOIN run r ON r.cell = c.id
          JOIN runJob rj ON rj.run = r.id AND rj.role = 'sal' JOIN sal s ON s.job = rj.job
        WHERE w.id = ? AND c.hidden = 0 AND r.hidden = 0
        """

    private static func comparison(
        of sweep: SweepID, _ db: Database
    ) throws -> ComparisonSettings {
        let find = "SELECT comparison FROM sweep WHERE id = ?"
        let text = try String.fetchOne(db, sql: find, arguments: [sweep.number]) ?? "{}"
        return try JSONDecoder().decode(ComparisonSettings.self, from: Data(text.utf8))
    }
}

/// Writes the rows that merging makes.
private struct ScoreWriter {
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

    func write(_ row: LeaderboardRow) throws {
        try insert("leaderboard", headColumns(row) + supportColumns(row))
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
