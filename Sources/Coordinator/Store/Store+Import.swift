import FathomProtocol
import GRDB

extension Store {
    /// Takes SAL values from elsewhere into a sweep, beside whatever else is in it; its leaderboard
    /// is to be merged afterwards. Taking the same file in again changes nothing.
    ///
    /// - Returns: The sweep, which is made where there is none of this name, and how many runs
    ///   the file holds.
    public func importSAL(
        _ values: ImportedSAL, _ setting: ImportedSAL.Setting
    ) throws(StoreError) -> (sweep: SweepID, runs: Int) {
        let (plan, changes) = values.plan(setting, term: try nextTerm())
        let (sweep, finished) = try write { db in
            let sweep = try Store.sweepForImport(plan, db)
            let numbers = try JobRegistrar(db: db).insert(plan.jobs)
            let jobs = JobNumbers(keys: plan.jobs.map(\.key), numbers: numbers)
            try Store.addCells(plan.cells, to: sweep, jobs: jobs, db)
            let states = try Set(
                String.fetchAll(db, sql: "SELECT key FROM job WHERE state = 'finished'"))
            return (SweepID(number: sweep), states)
        }
        try apply(
            changes.filter { change in
                switch change {
                case .accepted(let lease, _, _): !finished.contains(lease.job.description)
                case .jobFinished(let key): !finished.contains(key.description)
                default: true
                }
            } + [
                .event(
                    kind: "imported", subject: setting.sweep,
                    detail: "\(plan.jobs.count) jobs of \(plan.cells.count) methods")
            ])
        return (sweep, plan.cells.reduce(0) { $0 + $1.runs.count })
    }
}
