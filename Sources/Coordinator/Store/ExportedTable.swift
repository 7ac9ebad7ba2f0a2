/// A table as it is exported: a query with a total order.
struct ExportedTable {
    var folder: String
    var name: String
    /// Whether the query asks for the sweep's name rather than its number.
    var byName: Bool
    var sql: String

    static let all = [
        ExportedTable(
            folder: "results", name: "salMatrix", byName: true,
            sql: "SELECT * FROM salMatrix WHERE sweep = ? ORDER BY cell, seed, epoch, entry"),
        ExportedTable(
            folder: "results", name: "udScore", byName: true,
            sql: """
                SELECT * FROM udScore WHERE sweep = ?
                ORDER BY cell, rule, countKind, baseline, seed IS NULL, seed
                """),
        ExportedTable(
            folder: "results", name: "leaderboard", byName: true,
            sql: "SELECT * FROM leaderboard WHERE sweep = ? ORDER BY cell"),
        ExportedTable(
            folder: "results", name: "lossPlane", byName: true,
            sql: "SELECT * FROM lossPlane WHERE sweep = ? ORDER BY cell, seed, plane"),
        ExportedTable(
            folder: "results", name: "lossSurface", byName: true,
            sql: "SELECT * FROM lossSurface WHERE sweep = ? ORDER BY cell, seed, plane, entry"),
        ExportedTable(
            folder: "results", name: "lossTrajectory", byName: true,
            sql: "SELECT * FROM lossTrajectory WHERE sweep = ? ORDER BY cell, seed, epoch"),
        ExportedTable(
            folder: "results", name: "rankAgreement", byName: true,
            sql: """
                SELECT * FROM rankAgreement WHERE sweep = ?
                ORDER BY dataSet, task, model, defense, settings, other, controls
                """),
        ExportedTable(folder: "results", name: "metric", byName: false, sql: metricSQL),
        ExportedTable(folder: "results", name: "poisonReport", byName: false, sql: poisonSQL),
        ExportedTable(folder: "timings", name: "attempt", byName: false, sql: attemptSQL),
        ExportedTable(
            folder: "timings", name: "cellCost", byName: true,
            sql: "SELECT * FROM cellCost WHERE sweep = ? ORDER BY cell, kind"),
        ExportedTable(folder: "timings", name: "jobCost", byName: false, sql: costSQL),
    ]

    private static let metricSQL = """
        SELECT w.name AS sweep, c.label AS cell, c.method, c.task, c.model, c.defense, r.seed,
          m.epoch, m.task AS metricTask, m.split, m.name, m.value, m.flag
        FROM sweep w JOIN cell c ON c.sweep = w.id JOIN run r ON r.cell = c.id
          JOIN runJob rj ON rj.run = r.id AND rj.role = 'segment' JOIN metric m ON m.job = rj.job
        WHERE w.id = ? AND c.hidden = 0 AND r.hidden = 0
        ORDER BY c.label, r.seed, m.epoch, m.task, m.split, m.name
        """
    private static let poisonSQL = """
        SELECT w.name AS sweep, c.label AS cell, c.method, c.task, c.model, c.defense, r.seed,
          p.name, p.number, p.word
        FROM sweep w JOIN cell c ON c.sweep = w.id JOIN run r ON r.cell = c.id
          JOIN runJob rj ON rj.run = r.id AND rj.role = 'poison' AND rj.position = 0
          JOIN poisonReport p ON p.job = rj.job
        WHERE w.id = ? AND c.hidden = 0 AND r.hidden = 0 ORDER BY c.label, r.seed, p.name
        """
    private static let attemptSQL = """
        SELECT j.kind, j.key AS job, a.attempt, a.term, a.worker, k.host, k.numericClass,
          a.entryFirst, a.entryEnd, a.state, a.error, a.seconds, a.endedAt
        FROM sweepJob sj JOIN job j ON j.id = sj.job JOIN attempt a ON a.job = j.id
          JOIN worker k ON k.id = a.worker
        WHERE sj.sweep = ? ORDER BY j.kind, j.key, a.attempt
        """
    private static let costSQL = """
        SELECT j.kind, j.key AS job, o.seconds, o.forwardEquivalents
        FROM sweepJob sj JOIN job j ON j.id = sj.job JOIN jobCost o ON o.job = j.id
        WHERE sj.sweep = ? ORDER BY j.kind, j.key
        """
}
