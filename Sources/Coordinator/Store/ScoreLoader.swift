import FathomCore
import GRDB

/// Reads a sweep's measurements from the raw rows, for scores to be made of.
struct ScoreLoader {
    let db: Database
    let sweep: SweepID

    func load() throws -> [ScoredCell] {
        let runs = try runs()
        return try fetch(
            """
            SELECT id, label, position, method, methodName, task, model, defense, dataSet,
              baselineGroup, classCount, notApplicable
            FROM cell WHERE sweep = ? AND hidden = 0 ORDER BY position, id
            """
        ).map { row in
            ScoredCell(
                label: row["label"], position: row["position"], method: row["method"],
                methodName: row["methodName"], task: row["task"], model: row["model"],
                defense: row["defense"], dataSet: row["dataSet"],
                baselineGroup: row["baselineGroup"], classCount: row["classCount"],
                runs: runs[row["id"]] ?? [], notApplicable: row["notApplicable"])
        }
    }

    private func fetch(_ sql: String) throws -> [Row] {
        try Row.fetchAll(db.cachedStatement(sql: sql), arguments: [sweep.number])
    }

    private func runs() throws -> [Int64: [ScoredRun]] {
        let metrics = try metrics()
        let matrices = try matrices()
        let reach = try reach()
        var found: [Int64: [ScoredRun]] = [:]
        for row in try fetch(
            """
            SELECT r.id, r.cell, r.seed FROM run r JOIN cell c ON c.id = r.cell
            WHERE c.sweep = ? AND c.hidden = 0 AND r.hidden = 0 ORDER BY r.cell, r.seed
            """)
        {
            let id: Int64 = row["id"]
            var run = (matrices[id] ?? MatrixBuilder()).run(seed: row["seed"])
            run.metric = metrics[id]?.main
            run.trainLoss = metrics[id]?.trainLoss
            run.chance = metrics[id]?.chance
            run.reach = reach[id]
            found[row["cell"], default: []].append(run)
        }
        return found
    }

    private struct Metrics {
        var main: Double?
        var trainLoss: Double?
        var chance: Double?
    }

    /// The rows of what a cell measures, which may be one of several tasks trained together.
    private func metrics() throws -> [Int64: Metrics] {
        var found: [Int64: Metrics] = [:]
        for row in try fetch(
            """
            SELECT r.id, c.task, m.split, m.name, m.value
            FROM cell c JOIN run r ON r.cell = c.id
              JOIN runJob rj ON rj.run = r.id AND rj.role = 'segment'
              JOIN metric m ON m.job = rj.job AND m.epoch = c.epochs
                AND m.task = substr(c.task, 1, instr(c.task || '@', '@') - 1)
            WHERE c.sweep = ? AND c.hidden = 0 AND r.hidden = 0
            """)
        {
            let main = ScoredCell.metric(ofTask: row["task"])
            let name: String = row["name"]
            let split: String = row["split"]
            let value: Double? = row["value"]
            switch split {
            case "test" where name == main.name: found[row["id"], default: Metrics()].main = value
            case "train" where name == "loss":
                found[row["id"], default: Metrics()].trainLoss = value
            case "chance" where name == main.name:
                found[row["id"], default: Metrics()].chance = value
            default: break
            }
        }
        return found
    }

    private func reach() throws -> [Int64: Double] {
        var found: [Int64: Double] = [:]
        for row in try fetch(
            """
            SELECT r.id, avg(w.reachedAt IS NOT NULL) AS reach
            FROM cell c JOIN run r ON r.cell = c.id
              JOIN runJob rj ON rj.run = r.id AND rj.role = 'sal'
              JOIN salWalk w ON w.job = rj.job
            WHERE c.sweep = ? AND c.hidden = 0 AND r.hidden = 0 GROUP BY r.id
            """)
        { found[row["id"]] = row["reach"] }
        return found
    }

    private func matrices() throws -> [Int64: MatrixBuilder] {
        var found: [Int64: MatrixBuilder] = [:]
        for row in try fetch(
            """
            SELECT r.id, count(*) AS epochs, sum(j.entryCount) AS entries
            FROM cell c JOIN run r ON r.cell = c.id
              JOIN runJob rj ON rj.run = r.id AND rj.role = 'sal' JOIN job j ON j.id = rj.job
            WHERE c.sweep = ? AND c.hidden = 0 AND r.hidden = 0 GROUP BY r.id
            """)
        { found[row["id"]] = MatrixBuilder(entriesPlanned: row["entries"]) }
        let cursor = try Row.fetchCursor(
            db.cachedStatement(
                sql: """
                    SELECT r.id, rj.epoch, s.entry, s.weightCount, s.sal, s.flag, s.originLoss
                    FROM cell c JOIN run r ON r.cell = c.id
                      JOIN runJob rj ON rj.run = r.id AND rj.role = 'sal'
                      JOIN sal s ON s.job = rj.job
                    WHERE c.sweep = ? AND c.hidden = 0 AND r.hidden = 0
                    ORDER BY r.id, rj.epoch, s.entry
                    """), arguments: [sweep.number])
        while let row = try cursor.next() { found[row[0]]?.add(row) }
        return found
    }
}

/// Gathers one run's SAL rows, which come in the order of epochs and layers.
private struct MatrixBuilder {
    var entriesPlanned = 0
    private var epochs: [Int] = []
    private var values: [Double] = []
    private var originLosses: [Double] = []
    private var weightCounts: [Int] = []
    private var lastLosses: [Double] = []
    private var flaggedCount = 0
    private var hasDiverged = false
    private var rowCount = 0

    init(entriesPlanned: Int = 0) { self.entriesPlanned = entriesPlanned }

    mutating func add(_ row: Row) {
        let epoch: Int = row[1]
        if epochs.last != epoch {
            epochs.append(epoch)
            lastLosses = []
        }
        rowCount += 1
        if epochs.count == 1 { weightCounts.append(row[3]) }
        let value: Double? = row[4]
        let flag: String? = row[5]
        let loss: Double? = row[6]
        if let loss { lastLosses.append(loss) }
        // A run whose loss is no number has nothing to measure; a walk that ran away has.
        guard let value, let loss else {
            hasDiverged = true
            return
        }
        values.append(value)
        originLosses.append(loss)
        if flag == "diverged" { flaggedCount += 1 }
    }

    func run(seed: Int) -> ScoredRun {
        var run = ScoredRun(seed: seed, flaggedCount: flaggedCount)
        run.salLoss = lastLosses.isEmpty ? nil : Statistics.mean(lastLosses)
        let isRectangle = !epochs.isEmpty && rowCount == epochs.count * weightCounts.count
        if hasDiverged {
            run.problem = .diverged
        } else if entriesPlanned == 0 || rowCount != entriesPlanned || !isRectangle {
            run.problem = .incomplete
        } else {
            run.weightCounts = weightCounts
            run.matrix = SALMatrix(
                epochs: epochs, layerCount: weightCounts.count, values: values,
                originLosses: originLosses)
        }
        return run
    }
}
