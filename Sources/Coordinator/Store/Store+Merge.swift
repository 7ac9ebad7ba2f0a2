import FathomCore
import GRDB

extension Store {
    /// Recomputes `salMatrix`, `udScore` and `leaderboard` of a sweep from its raw rows, in one
    /// transaction. Merging again gives the same bytes.
    public func merge(_ sweep: SweepID) throws(StoreError) {
        try write { db in
            let name = try StoreReader.name(of: sweep, db)
            for table in ["salMatrix", "udScore"] {
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
                comparison: try StoreReader.comparison(of: sweep, db))
            try writer.replace(
                with: LeaderboardContent(
                    rows: leaderboard.rows(), costs: try LeaderboardContent.costs(of: sweep, db)))
        }
    }

    /// Brings `leaderboard` up to date while a sweep goes on, and leaves `salMatrix` and `udScore`
    /// as last merged. Everything is read and worked out on a connection of its own, so that
    /// commits wait for the writing of a few rows only.
    ///
    /// - Parameters:
    ///   - reader: Another connection to this store.
    ///   - cache: What earlier calls read of runs that are finished.
    public func refreshLeaderboard(
        of sweep: SweepID, reading reader: StoreReader, cache: inout ScoreCache
    ) throws(StoreError) {
        var kept = cache
        let (name, cells, comparison, costs) = try reader.read { db in
            (
                try StoreReader.name(of: sweep, db),
                try ScoreLoader(db: db, sweep: sweep).load(&kept),
                try StoreReader.comparison(of: sweep, db),
                try LeaderboardContent.costs(of: sweep, db)
            )
        }
        cache = kept
        let rows = LeaderboardScoring.rows(of: cells, comparison: comparison)
        let content = LeaderboardContent(rows: rows, costs: costs)
        try write { db in
            try ScoreWriter(db: db, sweep: name, cells: cells).replace(with: content)
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
}
