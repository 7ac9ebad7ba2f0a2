import FathomCore
public import FathomProtocol
import Foundation
import GRDB

extension StoreReader {
    /// Everything measured of the sweep's cells, read from the raw rows: what scores under any
    /// rule are made from.
    public func scoredCells(of sweep: SweepID) throws(StoreError) -> [ScoredCell] {
        try read { db in try ScoreLoader(db: db, sweep: sweep).load() }
    }

    /// The same with SAL as walks of fewer steps, or passes, would have found it.
    public func scoredCells(
        of sweep: SweepID, walkLength: Int
    ) throws(StoreError) -> [ScoredCell] {
        try read { db in
            try ScoreLoader(db: db, sweep: sweep, walkLength: walkLength).load()
        }
    }

    /// How many steps, or passes, the sweep's walks have at most.
    public func walkLength(of sweep: SweepID) throws(StoreError) -> Int {
        try read { db in
            try Int.fetchOne(
                db,
                sql: """
                    SELECT max(length) FROM (SELECT json_array_length(w.losses) AS length
                      FROM cell c JOIN run r ON r.cell = c.id
                        JOIN runJob rj ON rj.run = r.id AND rj.role = 'sal'
                        JOIN salWalk w ON w.job = rj.job
                      WHERE c.sweep = ? AND c.hidden = 0 AND r.hidden = 0 LIMIT 1000)
                    """, arguments: [sweep.number]) ?? 0
        }
    }

    /// How the sweep's manifest wants runs compared.
    public func comparison(of sweep: SweepID) throws(StoreError) -> ComparisonSettings {
        try read { db in try StoreReader.comparison(of: sweep, db) }
    }

    static func comparison(of sweep: SweepID, _ db: Database) throws -> ComparisonSettings {
        let find = "SELECT comparison FROM sweep WHERE id = ?"
        let text = try String.fetchOne(db, sql: find, arguments: [sweep.number]) ?? "{}"
        return try JSONDecoder().decode(ComparisonSettings.self, from: Data(text.utf8))
    }

    /// What the sweep's cells took until it was merged last, by cell.
    public func costs(of sweep: SweepID) throws(StoreError) -> [String: CellCost] {
        try read { db in
            var found: [String: CellCost] = [:]
            let name = try StoreReader.name(of: sweep, db)
            for row in try Row.fetchAll(
                db,
                sql: "SELECT cell, kind, jobs, seconds, forwardEquivalents FROM cellCost "
                    + "WHERE sweep = ? ORDER BY cell, kind", arguments: [name])
            {
                let share = CellCost.Share(
                    jobs: row[2], seconds: row[3], forwardEquivalents: row[4])
                found[row[0], default: CellCost()].kinds[row[1]] = share
            }
            return found
        }
    }

    /// The cells that lack jobs which failed or wait for failed ones, as the store knows it now.
    public func troubles(of sweep: SweepID) throws(StoreError) -> [String: CellTrouble] {
        try read { db in try StoreReader.troubles(of: sweep, db) }
    }

    static func troubles(of sweep: SweepID, _ db: Database) throws -> [String: CellTrouble] {
        var found: [String: CellTrouble] = [:]
        for row in try Row.fetchAll(db, sql: troubleSQL, arguments: [sweep.number]) {
            let state: String = row["state"]
            let count: Int = row["count"]
            let isFailed = state == "quarantined"
            var trouble =
                found[row["label"]] ?? CellTrouble(failed: 0, blocked: 0, reason: row["reason"])
            if isFailed { trouble.failed = count } else { trouble.blocked = count }
            found[row["label"]] = trouble
        }
        return found
    }

    /// Those given up come first, so that their reason is told. The condition on the state is
    /// that of the index `jobInTrouble`, which has few rows.
    private static let troubleSQL = """
        SELECT label, state, count(*) AS count, coalesce(min(reason), 'no reason is known') AS reason
        FROM (SELECT DISTINCT c.label, j.id, j.state, j.reason
          FROM job j INDEXED BY jobInTrouble CROSS JOIN runJob rj ON rj.job = j.id
            JOIN run r ON r.id = rj.run AND r.hidden = 0
            JOIN cell c ON c.id = r.cell AND c.hidden = 0
          WHERE j.state IN ('quarantined', 'blocked') AND c.sweep = ?)
        GROUP BY label, state ORDER BY label, state DESC
        """
}
