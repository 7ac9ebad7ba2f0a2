import FathomCore
import FathomProtocol
import GRDB

/// Reads what a report needs beside leaderboard and scores, in a few passes over the tables.
struct ReportLoader {
    let db: Database
    let sweep: SweepID
    let name: String
    let limits: ReportLimits

    private func rows(_ sql: String, _ arguments: StatementArguments? = nil) throws -> [Row] {
        try Row.fetchAll(db, sql: sql, arguments: arguments ?? [sweep.number])
    }

    func work() throws -> ReportWork {
        var work = ReportWork()
        work.kinds = try kinds()
        work.workers = try workers()
        (work.problems, work.problemCount) = try problems()
        for row in try rows(
            """
            SELECT r.seed, sum(j.state <> 'finished') = 0 AS done
            FROM cell c JOIN run r ON r.cell = c.id JOIN runJob rj ON rj.run = r.id
              JOIN job j ON j.id = rj.job
            WHERE c.sweep = ? AND c.hidden = 0 AND r.hidden = 0 GROUP BY r.id
            """)
        {
            work.runCount += 1
            if row["done"] { work.runsFinished += 1 }
        }
        work.seeds = try Int.fetchAll(
            db,
            sql: """
                SELECT DISTINCT r.seed FROM cell c JOIN run r ON r.cell = c.id
                WHERE c.sweep = ? AND c.hidden = 0 AND r.hidden = 0 ORDER BY r.seed LIMIT 1000
                """, arguments: [sweep.number])
        work.createdAt = try Int64.fetchOne(
            db, sql: "SELECT createdAt FROM sweep WHERE id = ?", arguments: [sweep.number])
        work.terms = try Int.fetchOne(db, sql: "SELECT count(*) FROM term") ?? 0
        for row in try rows(
            """
            SELECT a.state, count(*) AS number, max(a.endedAt) AS last
            FROM sweepJob sj JOIN attempt a ON a.job = sj.job WHERE sj.sweep = ? GROUP BY a.state
            """)
        {
            work.attempts[row["state"]] = row["number"]
            let last: Int64 = row["last"]
            if row["state"] == "accepted" { work.lastResultAt = last }
        }
        return work
    }

    private func kinds() throws -> [ReportWork.Kind] {
        try rows(
            """
            SELECT j.kind, count(*) AS total, sum(j.state = 'finished') AS finished,
              sum(j.state = 'quarantined') AS failed, sum(j.state = 'blocked') AS blocked,
              total(o.seconds) AS seconds, total(o.forwardEquivalents) AS forwards,
              group_concat(DISTINCT json_extract(j.spec, '$.revision')) AS revisions
            FROM sweepJob sj JOIN job j ON j.id = sj.job LEFT JOIN jobCost o ON o.job = j.id
            WHERE sj.sweep = ? GROUP BY j.kind ORDER BY min(sj.position)
            """
        ).map { row in
            ReportWork.Kind(
                kind: row["kind"], total: row["total"], finished: row["finished"],
                failed: row["failed"], blocked: row["blocked"], seconds: row["seconds"],
                forwardEquivalents: row["forwards"], revisions: row["revisions"] ?? "")
        }
    }

    private func workers() throws -> [ReportWork.Worker] {
        try rows(
            """
            SELECT k.host, k.slots, k.build, k.numericClass, count(DISTINCT k.id) AS number,
              count(*) AS jobs
            FROM sweepJob sj JOIN attempt a ON a.job = sj.job AND a.state = 'accepted'
              JOIN worker k ON k.id = a.worker
            WHERE sj.sweep = ? GROUP BY 1, 2, 3, 4 ORDER BY jobs DESC, k.host LIMIT 100
            """
        ).map { row in
            ReportWork.Worker(
                host: row["host"] ?? "unknown", slots: row["slots"] ?? 0,
                build: row["build"] ?? "unknown", numericClass: row["numericClass"] ?? "unknown",
                count: row["number"], jobs: row["jobs"])
        }
    }

    private func problems() throws -> ([ReportWork.Problem], Int) {
        let total = try Int.fetchOne(
            db, sql: "SELECT count(DISTINCT job || state) FROM problem WHERE sweep = ?",
            arguments: [name])
        let shown = try rows(
            """
            SELECT min(method) AS method, kind, job, state, min(reason) AS reason FROM problem
            WHERE sweep = ? GROUP BY job, state
            ORDER BY state = 'blocked', state, method, kind, job LIMIT ?
            """, [name, limits.problems]
        ).map { row in
            ReportWork.Problem(
                method: row["method"] ?? "", kind: row["kind"], job: row["job"],
                state: row["state"], reason: row["reason"] ?? "")
        }
        return (shown, total ?? 0)
    }

    /// Scores over all seeds, under every choice.
    func scores() throws -> [UDScore] {
        try rows("SELECT * FROM udScore WHERE sweep = ? AND seed IS NULL ORDER BY rowid", [name])
            .compactMap(ReportLoader.score)
    }

    private static func score(_ row: Row) -> UDScore? {
        guard let rule = ThresholdRule(rawValue: row["rule"]),
            let kind = CountKind(rawValue: row["countKind"]),
            let baseline = ComparisonSettings.Baseline(rawValue: row["baseline"])
        else { return nil }
        var score = UDScore(
            cell: row["cell"], seed: row["seed"], rule: rule, countKind: kind, baseline: baseline,
            beta: row["beta"], learnable: row["learnable"],
            learnableBaseline: row["learnableBaseline"], ud: row["ud"], reason: row["reason"],
            seedCount: row["n"])
        if let low: Double = row["udLow"], let high: Double = row["udHigh"] {
            score.interval = Interval(low: low, high: high)
        }
        score.meanOfRatios = row["udMean"]
        return score
    }

    /// Layer names by cell, from one measured checkpoint of each.
    func layers() throws -> [String: [String]] {
        var found: [String: [String]] = [:]
        for row in try rows(
            """
            WITH one AS (SELECT c.label, min(rj.job) AS job
              FROM cell c JOIN run r ON r.cell = c.id
                JOIN runJob rj ON rj.run = r.id AND rj.role = 'sal'
                JOIN job j ON j.id = rj.job AND j.state = 'finished'
              WHERE c.sweep = ? AND c.hidden = 0 AND r.hidden = 0 GROUP BY c.id)
            SELECT DISTINCT one.label, s.layerIndex, s.layer FROM one JOIN sal s ON s.job = one.job
            ORDER BY one.label, s.layerIndex
            """)
        { found[row["label"], default: []].append(row["layer"]) }
        return found
    }

    /// Training losses and the tasks' main metrics of some cells.
    func curves(of cells: [ScoredCell]) throws -> [String: [ReportCurve]] {
        var found: [String: [ReportCurve]] = [:]
        for cell in cells {
            let main = ScoredCell.metric(ofTask: cell.task).name
            let task = cell.task.split(separator: "@").first.map(String.init) ?? cell.task
            for (split, metric) in [("train", "loss"), ("test", main)] {
                let points = try rows(
                    """
                    SELECT m.epoch, avg(m.value) AS mean, min(m.value) AS low,
                      max(m.value) AS high, count(m.value) AS number
                    FROM cell c JOIN run r ON r.cell = c.id AND r.hidden = 0
                      JOIN runJob rj ON rj.run = r.id AND rj.role = 'segment'
                      JOIN metric m ON m.job = rj.job
                    WHERE c.sweep = ? AND c.label = ? AND c.hidden = 0 AND m.split = ?
                      AND m.name = ? AND m.task = ? GROUP BY m.epoch ORDER BY m.epoch
                    """, [sweep.number, cell.label, split, metric, task]
                ).map { row in
                    ReportCurve.Point(
                        epoch: row["epoch"], mean: row["mean"], low: row["low"],
                        high: row["high"], seedCount: row["number"])
                }
                guard !points.isEmpty else { continue }
                found[cell.label, default: []].append(
                    ReportCurve(split: split, metric: metric, points: points))
            }
        }
        return found
    }

    /// SAL of single runs, complete or not.
    func matrices(of runs: [(cell: String, seed: Int)]) throws -> [ReportMatrix] {
        try runs.compactMap { run in
            let measured = try rows(
                """
                SELECT rj.epoch, s.layerIndex, s.layer, avg(s.sal) AS sal
                FROM cell c JOIN run r ON r.cell = c.id AND r.hidden = 0
                  JOIN runJob rj ON rj.run = r.id AND rj.role = 'sal'
                  JOIN sal s ON s.job = rj.job
                WHERE c.sweep = ? AND c.label = ? AND c.hidden = 0 AND r.seed = ?
                GROUP BY rj.epoch, s.layerIndex ORDER BY s.layerIndex, rj.epoch
                """, [sweep.number, run.cell, run.seed])
            guard !measured.isEmpty else { return nil }
            let epochs = Set(measured.map { $0["epoch"] as Int }).sorted()
            let places = Dictionary(
                uniqueKeysWithValues: epochs.enumerated().map { ($0.element, $0.offset) })
            var matrix = ReportMatrix(
                cell: run.cell, seed: run.seed, epochs: epochs, layers: [], values: [])
            var lastIndex = -1
            for row in measured {
                let index: Int = row["layerIndex"]
                if index != lastIndex {
                    matrix.layers.append(row["layer"])
                    matrix.values.append([Double?](repeating: nil, count: epochs.count))
                    lastIndex = index
                }
                if let place = places[row["epoch"]] {
                    matrix.values[matrix.values.count - 1][place] = row["sal"]
                }
            }
            return matrix
        }
    }
}
