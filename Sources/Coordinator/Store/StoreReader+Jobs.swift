import FathomCore
public import FathomProtocol
import Foundation
import GRDB

extension StoreReader {
    /// The sweep's jobs as the store knows them, dependencies before those who depend on them.
    ///
    /// - Parameter planned: The plan that was registered last, where it is at hand: its
    ///   specifications need not be read again.
    public func jobs(
        of sweep: SweepID, planned: [PlannedJob] = []
    ) throws(StoreError) -> [StoredJob] {
        try read { db in try JobLoader(db: db, sweep: sweep, planned: planned).load() }
    }

    /// How many of the sweep's jobs are in which state.
    public func tally(of sweep: SweepID) throws(StoreError) -> JobTally {
        try read { db in
            let rows = try Row.fetchAll(
                db,
                sql: """
                    SELECT j.state, count(*) FROM sweepJob sj JOIN job j ON j.id = sj.job
                    WHERE sj.sweep = ? GROUP BY j.state
                    """, arguments: [sweep.number])
            var tally = JobTally()
            for row in rows {
                let count: Int = row[1]
                switch StoredJob.State(rawValue: row[0]) {
                case .open: tally.open = count
                case .finished: tally.finished = count
                case .quarantined: tally.quarantined = count
                case .blocked: tally.blocked = count
                case nil: break
                }
            }
            return tally
        }
    }

    /// Workers that were there when the last coordinator ended, as far as the store knows: they
    /// may come back with work they hold.
    public func workersThatMayReturn() throws(StoreError) -> Set<WorkerID> {
        try read { db in
            let names = try String.fetchAll(
                db,
                sql: "SELECT id FROM worker WHERE leftAt IS NULL AND host IS NOT NULL "
                    + "ORDER BY lastSeenAt DESC LIMIT 100000")
            return Set(names.map { WorkerID($0) })
        }
    }

    /// What was accepted for these entries of a job, `seconds` apart, to compare a late outcome
    /// with; `nil` while one of the entries has nothing.
    public func acceptedOutcome(
        of job: JobKey, entries: Range<Int>
    ) throws(StoreError) -> JobOutcome? {
        try read { db in
            let find = try db.cachedStatement(sql: "SELECT id, kind FROM job WHERE key = ?")
            guard let row = try Row.fetchOne(find, arguments: [job.description]),
                let id: Int64 = row["id"], let kind: String = row["kind"]
            else { throw StoreError.unknownJob(job.description) }
            let loader = OutcomeLoader(db: db, job: id)
            return try loader.load(hasEntries: kind == "sal", entries: entries)
        }
    }

    /// The same for what a lease covers.
    public func acceptedOutcome(of lease: Lease) throws(StoreError) -> JobOutcome? {
        try acceptedOutcome(of: lease.job, entries: lease.entries)
    }
}

/// Reads a sweep's jobs with four passes over the tables, whatever their number.
private struct JobLoader {
    let db: Database
    let sweep: SweepID
    let planned: [PlannedJob]

    private struct Attempts {
        var used = 0
        var charged = 0
        var lost = 0
        var isAudited = false
    }

    func load() throws -> [StoredJob] {
        let attempts = try attempts()
        let entries = try entries()
        let artifacts = try artifacts()
        let decoder = JSONDecoder()
        let rows = try Row.fetchCursor(
            db,
            sql: """
                SELECT j.id, j.key, sj.position, j.entryCount, j.state, j.paused
                FROM sweepJob sj JOIN job j ON j.id = sj.job WHERE sj.sweep = ? ORDER BY sj.position
                """, arguments: [sweep.number])
        var jobs: [StoredJob] = []
        while let row = try rows.next() {
            let id: Int64 = row[0]
            let tried = attempts[id] ?? Attempts()
            guard let digest = Digest(hex: row[1]), let state = StoredJob.State(rawValue: row[4])
            else { throw damaged("job \(id) has no readable key or state") }
            let key = JobKey(digest)
            jobs.append(
                StoredJob(
                    key: key, spec: try spec(of: id, key, position: row[2], decoder),
                    entryCount: row[3], state: state, entriesFinished: entries[id] ?? [],
                    attemptsUsed: tried.used, attemptsCharged: tried.charged,
                    attemptsLost: tried.lost, isPaused: row[5], isAudited: tried.isAudited,
                    artifacts: artifacts[id] ?? []))
        }
        return jobs
    }

    private func spec(
        of id: Int64, _ key: JobKey, position: Int, _ decoder: JSONDecoder
    ) throws -> JobSpec {
        if planned.indices.contains(position), planned[position].key == key {
            return planned[position].spec
        }
        let find = try db.cachedStatement(sql: "SELECT spec FROM job WHERE id = ?")
        let text = try String.fetchOne(find, arguments: [id]) ?? ""
        do {
            return try decoder.decode(JobSpec.self, from: Data(text.utf8))
        } catch {
            throw damaged("job \(id) has settings this program cannot read: \(error)")
        }
    }

    private func damaged(_ detail: String) -> StoreError {
        .corrupt(path: db.configuration.label ?? "the store", detail: detail)
    }

    private func rows(_ sql: String, _ body: (Row) throws -> Void) throws {
        let cursor = try Row.fetchCursor(db, sql: sql, arguments: [sweep.number])
        while let row = try cursor.next() { try body(row) }
    }

    private func attempts() throws -> [Int64: Attempts] {
        var found: [Int64: Attempts] = [:]
        try rows(
            """
            SELECT a.job, max(a.attempt),
              sum(a.attempt > j.forgivenAttempts AND a.state IN ('error', 'slotDeath')),
              sum(a.attempt > j.forgivenAttempts AND a.state IN ('workerLost', 'coordinatorLost')),
              max(a.state IN ('agreed', 'disagreed'))
            FROM attempt a JOIN job j ON j.id = a.job
            WHERE a.job IN (SELECT job FROM sweepJob WHERE sweep = ?) GROUP BY a.job
            """
        ) { row in
            found[row[0]] = Attempts(
                used: row[1], charged: row[2], lost: row[3], isAudited: row[4])
        }
        return found
    }

    private func entries() throws -> [Int64: Set<Int>] {
        var found: [Int64: Set<Int>] = [:]
        try rows(
            """
            SELECT s.job, s.entry FROM sal s JOIN job j ON j.id = s.job
            WHERE j.state <> 'finished' AND s.job IN (SELECT job FROM sweepJob WHERE sweep = ?)
            """
        ) { row in found[row[0], default: []].insert(row[1]) }
        return found
    }

    private func artifacts() throws -> [Int64: [ArtifactReference]] {
        var found: [Int64: [ArtifactReference]] = [:]
        try rows(
            """
            SELECT job, name, digest, bytes FROM artifact
            WHERE job IN (SELECT job FROM sweepJob WHERE sweep = ?) ORDER BY job, name
            """
        ) { row in
            guard let digest = Digest(hex: row[2]) else { return }
            found[row[0], default: []].append(
                ArtifactReference(name: row[1], digest: digest, bytes: row[3]))
        }
        return found
    }
}
