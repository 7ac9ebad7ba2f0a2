public import FathomProtocol
import FathomCore
import Foundation
import GRDB

extension Store {
    /// Puts a plan into the store: what is missing is added, what is there stays, and cells and
    /// seeds that the plan no longer has are hidden, not deleted. Registering again changes
    /// nothing.
    public func register(_ plan: SweepPlan) throws(StoreError) -> SweepID {
        let (id, numbers) = try write { db in
            let sweep = try Store.upsertSweep(plan, db)
            let jobs = try JobRegistrar(db: db).insert(plan.jobs)
            try JobRegistrar(db: db).link(jobs, to: sweep)
            let numbers = JobNumbers(keys: plan.jobs.map(\.key), numbers: jobs)
            try Store.reopenHollowJobs(of: sweep, db)
            // What was imported belongs to no manifest and stays.
            try db.execute(
                sql: "UPDATE cell SET hidden = 1 WHERE sweep = ? AND model NOT LIKE ?",
                arguments: [sweep, "%\(ImportedSAL.modelMark)%"])
            for (position, cell) in plan.cells.enumerated() {
                let id = try Store.upsertCell(cell, position: position, sweep: sweep, db)
                try Store.registerRuns(cell.runs, of: id, jobs: numbers, db)
            }
            return (SweepID(number: sweep), numbers)
        }
        queue.inDatabase { _ in hot.remember(numbers) }
        return id
    }

    private static func upsertSweep(_ plan: SweepPlan, _ db: Database) throws -> Int64 {
        try db.execute(
            sql: """
                INSERT INTO sweep (name, manifest, comparison, createdAt, registeredAt)
                VALUES (:name, :manifest, :comparison, :now, :now)
                ON CONFLICT (name) DO UPDATE SET manifest = excluded.manifest,
                  comparison = excluded.comparison, registeredAt = excluded.registeredAt
                """,
            arguments: [
                "name": plan.name, "manifest": plan.manifest,
                "comparison": try canonicalText(plan.comparison), "now": now,
            ])
        return try id("SELECT id FROM sweep WHERE name = ?", [plan.name], db)
    }

    /// The sweep that imported runs join: the one of this name as it is, or a new one.
    static func sweepForImport(_ plan: SweepPlan, _ db: Database) throws -> Int64 {
        let known = try Int64.fetchOne(
            db, sql: "SELECT id FROM sweep WHERE name = ?", arguments: [plan.name])
        return try known ?? upsertSweep(plan, db)
    }

    /// Puts cells behind those that are there.
    static func addCells(
        _ cells: [PlannedCell], to sweep: Int64, jobs: JobNumbers, _ db: Database
    ) throws {
        let last = try Int.fetchOne(
            db, sql: "SELECT coalesce(max(position), -1) FROM cell WHERE sweep = ?",
            arguments: [sweep])
        for (place, cell) in cells.enumerated() {
            let position = (last ?? -1) + 1 + place
            let id = try upsertCell(cell, position: position, sweep: sweep, db)
            try registerRuns(cell.runs, of: id, jobs: jobs, db)
        }
    }

    /// Opens finished jobs again whose rows somebody has deleted.
    private static func reopenHollowJobs(of sweep: Int64, _ db: Database) throws {
        try db.execute(
            sql: """
                UPDATE job SET state = 'open', reason = NULL, forgivenAttempts =
                  (SELECT coalesce(max(attempt), 0) FROM attempt WHERE attempt.job = job.id)
                WHERE state = 'finished' AND +id IN (SELECT job FROM sweepJob WHERE sweep = ?)
                  AND CASE kind
                    WHEN 'sal' THEN (SELECT count(*) FROM sal WHERE sal.job = job.id) < entryCount
                    WHEN 'landscape' THEN
                      (SELECT count(*) FROM landscape l WHERE l.job = job.id) < entryCount
                      OR NOT EXISTS (SELECT 1 FROM landscapePlane p WHERE p.job = job.id)
                    WHEN 'poison' THEN NOT EXISTS
                      (SELECT 1 FROM poisonReport p WHERE p.job = job.id)
                    ELSE NOT EXISTS (SELECT 1 FROM metric m WHERE m.job = job.id) END
                """, arguments: [sweep])
    }

    private static func upsertCell(
        _ cell: PlannedCell, position: Int, sweep: Int64, _ db: Database
    ) throws -> Int64 {
        let statement = try db.cachedStatement(sql: upsertCellSQL)
        try statement.execute(arguments: [
            "sweep": sweep, "key": cell.key.description, "label": cell.key.digest.short,
            "position": position, "method": cell.methodLabel, "methodName": cell.method.name,
            "task": cell.task, "model": cell.modelLabel, "defense": cell.defenseLabel,
            "dataSet": cell.data.set, "epochs": cell.training.epochs,
            "classCount": cell.classCount, "granularity": cell.sal.granularity.rawValue,
            "baselineGroup": try canonicalText(BaselineGroup(cell)),
            "methodSettings": try canonicalText(cell.method),
            "defenseSettings": try canonicalText(cell.defense),
            "notApplicable": cell.notApplicable,
        ])
        return try id(
            "SELECT id FROM cell WHERE sweep = ? AND key = ?", [sweep, cell.key.description], db)
    }

    private static let upsertCellSQL = """
        INSERT INTO cell (sweep, key, label, position, method, methodName, task, model, defense,
          dataSet, epochs, classCount, granularity, baselineGroup, methodSettings,
          defenseSettings, notApplicable)
        VALUES (:sweep, :key, :label, :position, :method, :methodName, :task, :model, :defense,
          :dataSet, :epochs, :classCount, :granularity, :baselineGroup, :methodSettings,
          :defenseSettings, :notApplicable)
        ON CONFLICT (sweep, key) DO UPDATE SET hidden = 0, position = excluded.position,
          method = excluded.method, model = excluded.model, classCount = excluded.classCount,
          defense = excluded.defense, defenseSettings = excluded.defenseSettings,
          notApplicable = excluded.notApplicable
        """

    private static func registerRuns(
        _ runs: [PlannedRun], of cell: Int64, jobs: JobNumbers, _ db: Database
    ) throws {
        try db.execute(sql: "UPDATE run SET hidden = 1 WHERE cell = ?", arguments: [cell])
        let upsert = try db.cachedStatement(
            sql: """
                INSERT INTO run (cell, seed) VALUES (?, ?)
                ON CONFLICT (cell, seed) DO UPDATE SET hidden = 0
                """)
        let clear = try db.cachedStatement(sql: "DELETE FROM runJob WHERE run = ?")
        for run in runs {
            try upsert.execute(arguments: [cell, run.seed])
            let number = try id(
                "SELECT id FROM run WHERE cell = ? AND seed = ?", [cell, run.seed], db)
            try clear.execute(arguments: [number])
            try linkRun(run, number: number, jobs: jobs, db)
        }
    }

    private static func linkRun(
        _ run: PlannedRun, number: Int64, jobs: JobNumbers, _ db: Database
    ) throws {
        let insert = try db.cachedStatement(
            sql: "INSERT INTO runJob (run, role, position, epoch, job) VALUES (?, ?, ?, ?, ?)")
        func link(_ role: String, _ position: Int, _ epoch: Int?, _ key: JobKey) throws {
            guard let job = jobs[key] else {
                throw StoreError.constraint(
                    detail: "a run of seed \(run.seed) needs job \(key), which the plan lacks")
            }
            try insert.execute(arguments: [number, role, position, epoch, job])
        }
        if let poison = run.poison { try link("poison", 0, nil, poison) }
        // What a poison takes stands behind it, so that a cell's progress counts it.
        for (position, key) in run.prerequisites.enumerated() {
            try link("poison", position + 1, nil, key)
        }
        for (position, key) in run.segments.enumerated() { try link("segment", position, nil, key) }
        for (position, measurement) in run.measurements.enumerated() {
            try link("sal", position, measurement.epoch, measurement.job)
        }
        for (position, key) in run.landscapes.enumerated() {
            try link("landscape", position, nil, key)
        }
    }

    private static func id(
        _ sql: String, _ arguments: StatementArguments, _ db: Database
    ) throws -> Int64 {
        try id(db.cachedStatement(sql: sql), arguments)
    }

    private static func id(_ find: Statement, _ arguments: StatementArguments) throws -> Int64 {
        guard let id = try Int64.fetchOne(find, arguments: arguments) else {
            throw StoreError.constraint(detail: "a row just written is missing")
        }
        return id
    }

    static func canonicalText(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }
}

/// What must be equal for a clean run to be a poisoned run's baseline; the defense is told apart
/// beside it.
private struct BaselineGroup: Encodable {
    var data: DataSettings
    var task: String
    var model: ModelSettings
    var training: TrainingSettings
    var sal: SALSettings

    init(_ cell: PlannedCell) {
        data = cell.data
        task = cell.task
        // Tags of workers change no result, and so no baseline.
        model = cell.model.identity
        training = cell.training
        sal = cell.sal
    }
}
