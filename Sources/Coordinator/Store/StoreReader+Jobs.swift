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
            return try loader.load(JobSpec.Kind(rawValue: kind), entries: entries)
        }
    }

    /// The same for what a lease covers.
    public func acceptedOutcome(of lease: Lease) throws(StoreError) -> JobOutcome? {
        try acceptedOutcome(of: lease.job, entries: lease.entries)
    }
}
