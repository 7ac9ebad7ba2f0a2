import FathomCore
import GRDB

/// Runs that are read already and will not change: all their jobs are finished.
///
/// Reading a store of a million rows takes seconds; of a sweep that goes on, most is as it was.
public struct ScoreCache: Sendable {
    var runs: [Int64: ScoredRun] = [:]

    public init() {}
}

/// Reads a sweep's measurements from the raw rows, for scores to be made of.
struct ScoreLoader {
    let db: Database
    let sweep: SweepID
    /// Walks are cut to this many steps or passes; `nil`: not at all.
    var walkLength: Int?

    func load() throws -> [ScoredCell] {
        var cache = ScoreCache()
        return try load(&cache)
    }

    /// The same, without reading again what cannot have changed.
    func load(_ cache: inout ScoreCache) throws -> [ScoredCell] {
        let finished = try finishedRuns()
        // A run that somebody reopened is read anew, also when it is finished again.
        cache.runs = cache.runs.filter { finished.contains($0.key) }
        let reader = RunReader(db: db, walkLength: walkLength)
        return try cellRows().map { row in
            var cell = ScoreLoader.cell(row)
            let epochs: Int = row["epochs"]
            for run in try runRows(ofCell: row["id"]) {
                let id: Int64 = run["id"]
                if let known = cache.runs[id] {
                    cell.runs.append(known)
                    continue
                }
                let read = try reader.run(
                    id: id, seed: run["seed"], task: cell.task, lastEpoch: epochs)
                if finished.contains(id) { cache.runs[id] = read }
                cell.runs.append(read)
            }
            return cell
        }
    }

    private static func cell(_ row: Row) -> ScoredCell {
        ScoredCell(
            label: row["label"], position: row["position"], method: row["method"],
            methodName: row["methodName"], task: row["task"], model: row["model"],
            defense: row["defense"], dataSet: row["dataSet"],
            baselineGroup: row["baselineGroup"], classCount: row["classCount"], runs: [],
            notApplicable: row["notApplicable"])
    }

    private func cellRows() throws -> [Row] {
        try Row.fetchAll(
            db.cachedStatement(
                sql: """
                    SELECT id, label, position, method, methodName, task, model, defense, dataSet,
                      baselineGroup, classCount, notApplicable, epochs
                    FROM cell WHERE sweep = ? AND hidden = 0 ORDER BY position, id
                    """), arguments: [sweep.number])
    }

    private func runRows(ofCell cell: Int64) throws -> [Row] {
        try Row.fetchAll(
            db.cachedStatement(
                sql: "SELECT id, seed FROM run WHERE cell = ? AND hidden = 0 ORDER BY seed"),
            arguments: [cell])
    }

    private func finishedRuns() throws -> Set<Int64> {
        try Set(
            Int64.fetchAll(
                db.cachedStatement(
                    sql: """
                        SELECT r.id FROM cell c JOIN run r ON r.cell = c.id AND r.hidden = 0
                          JOIN runJob rj ON rj.run = r.id JOIN job j ON j.id = rj.job
                        WHERE c.sweep = ? AND c.hidden = 0
                        GROUP BY r.id HAVING min(j.state = 'finished') = 1
                        """), arguments: [sweep.number]))
    }
}

/// Reads one run by its number.
private struct RunReader {
    let db: Database
    let walkLength: Int?

    func run(id: Int64, seed: Int, task: String, lastEpoch: Int) throws -> ScoredRun {
        var builder = MatrixBuilder(entriesPlanned: try entriesPlanned(id))
        builder.walkLength = walkLength
        let sql = walkLength == nil ? RunReader.entriesSQL : RunReader.walksSQL
        let cursor = try Row.fetchCursor(db.cachedStatement(sql: sql), arguments: [id])
        while let row = try cursor.next() { builder.add(row) }
        var run = builder.run(seed: seed)
        run.reach = try Double.fetchOne(
            db.cachedStatement(sql: RunReader.reachSQL), arguments: [id])
        try addMetrics(to: &run, id: id, task: task, lastEpoch: lastEpoch)
        return run
    }

    /// In the order of epochs and entries, which is that of the keys.
    private static let entriesSQL = """
        SELECT rj.epoch, s.entry, s.weightCount, s.sal, s.flag, s.originLoss
        FROM runJob rj CROSS JOIN sal s ON s.job = rj.job
        WHERE rj.run = ? AND rj.role = 'sal' ORDER BY rj.position, s.entry
        """

    private static let walksSQL = """
        SELECT rj.epoch, s.entry, s.weightCount, s.sal, s.flag, s.originLoss, d.losses, u.losses,
          s.sMax, s.sMin
        FROM runJob rj CROSS JOIN sal s ON s.job = rj.job
          CROSS JOIN salWalk d ON d.job = s.job AND d.entry = s.entry AND d.direction = 'down'
          CROSS JOIN salWalk u ON u.job = s.job AND u.entry = s.entry AND u.direction = 'up'
        WHERE rj.run = ? AND rj.role = 'sal' ORDER BY rj.position, s.entry
        """

    private static let reachSQL = """
        SELECT avg(w.reachedAt IS NOT NULL)
        FROM runJob rj CROSS JOIN salWalk w ON w.job = rj.job
        WHERE rj.run = ? AND rj.role = 'sal'
        """

    private func entriesPlanned(_ id: Int64) throws -> Int {
        try Int.fetchOne(
            db.cachedStatement(
                sql: """
                    SELECT coalesce(sum(j.entryCount), 0) FROM runJob rj JOIN job j ON j.id = rj.job
                    WHERE rj.run = ? AND rj.role = 'sal'
                    """), arguments: [id]) ?? 0
    }

    /// The rows of what a cell measures, which may be one of several tasks trained together.
    private func addMetrics(
        to run: inout ScoredRun, id: Int64, task: String, lastEpoch: Int
    ) throws {
        let main = ScoredCell.metric(ofTask: task)
        let rowTask = String(task.split(separator: "@").first ?? "")
        for row in try Row.fetchAll(
            db.cachedStatement(
                sql: """
                    SELECT m.split, m.name, m.value
                    FROM runJob rj CROSS JOIN metric m ON m.job = rj.job AND m.epoch = ?
                      AND m.task = ?
                    WHERE rj.run = ? AND rj.role = 'segment'
                    """), arguments: [lastEpoch, rowTask, id])
        {
            let name: String = row["name"]
            let split: String = row["split"]
            let value: Double? = row["value"]
            switch split {
            case "test" where name == main.name: run.metric = value
            case "train" where name == "loss": run.trainLoss = value
            case "chance" where name == main.name: run.chance = value
            default: break
            }
        }
    }
}

/// Gathers one run's SAL rows, which come in the order of epochs and layers.
private struct MatrixBuilder {
    let entriesPlanned: Int
    var walkLength: Int?
    private var epochs: [Int] = []
    private var values: [Double] = []
    private var originLosses: [Double] = []
    private var weightCounts: [Int] = []
    private var lastLosses: [Double] = []
    private var flaggedCount = 0
    private var hasDiverged = false
    private var rowCount = 0

    init(entriesPlanned: Int) { self.entriesPlanned = entriesPlanned }

    mutating func add(_ row: Row) {
        let epoch: Int = row[0]
        if epochs.last != epoch {
            epochs.append(epoch)
            lastLosses = []
        }
        rowCount += 1
        if epochs.count == 1 { weightCounts.append(row[2]) }
        let value: Double? = row[3]
        let flag: String? = row[4]
        let loss: Double? = row[5]
        if let loss { lastLosses.append(loss) }
        // A run whose loss is no number has nothing to measure; a walk that ran away has.
        guard let value, let loss else {
            hasDiverged = true
            return
        }
        guard let length = walkLength else {
            values.append(value)
            originLosses.append(loss)
            return countFlag(flag)
        }
        let walks = ShortenedWalks(down: row[6], up: row[7], sMax: row[8], sMin: row[9])
        values.append(walks.sal(steps: length))
        originLosses.append(loss)
        countFlag(flag)
    }

    private mutating func countFlag(_ flag: String?) {
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

/// SAL as walks of fewer steps would have found it; equations (2) and (3) of
/// `docs/science/sal-ud.md` over the first losses of each.
private struct ShortenedWalks {
    let down: [Double]
    let up: [Double]
    /// The loss that the extremes are measured from, as the whole walks show it.
    let origin: Double?

    init(down: String, up: String, sMax: Double?, sMin: Double?) {
        self.down = NumberList.values(down)
        self.up = NumberList.values(up)
        let highest = self.up.filter(\.isFinite).max()
        let lowest = self.down.filter(\.isFinite).min()
        if let highest, let sMax, sMax > 0 {
            origin = highest - sMax
        } else if let lowest, let sMin, sMin > 0 {
            origin = lowest + sMin
        } else {
            origin = nil
        }
    }

    func sal(steps: Int) -> Double {
        guard let origin else { return 0 }
        let high = up.prefix(steps).filter(\.isFinite).reduce(origin, max)
        let low = down.prefix(steps).filter(\.isFinite).reduce(origin, min)
        return max(high - origin, origin - low)
    }
}
