import FathomProtocol
import GRDB

/// Puts a plan's jobs into the store, a million as well as ten, within a transaction.
struct JobRegistrar {
    let db: Database

    /// From so many new jobs on, and where they are more than a quarter of all, the index of keys
    /// is made anew afterwards: sorting is faster than putting each in its place.
    private static let indexedAnewMin = 20_000

    /// Inserts the jobs that are missing.
    ///
    /// - Returns: The number of every job, in the plan's order.
    func insert(_ jobs: [PlannedJob]) throws -> [Int64] {
        let last = try Int64.fetchOne(db, sql: "SELECT coalesce(max(id), 0) FROM job") ?? 0
        var numbers = last == 0 ? Array(repeating: 0, count: jobs.count) : try known(jobs)
        let missing = numbers.count { $0 == 0 }
        guard missing > 0 else { return numbers }
        let isIndexedAnew = missing >= Self.indexedAnewMin && missing > Int(last) / 4
        if isIndexedAnew { try db.execute(sql: "DROP INDEX jobByKey") }
        let insert = try HotStatement(
            "INSERT INTO job (id, key, kind, spec, entryCount) VALUES (?, ?, ?, ?, ?)", db)
        var next = last
        var added = KeyIndex(capacity: missing)
        for (place, job) in jobs.enumerated() where numbers[place] == 0 {
            if let same = added.place(of: job.key, keyAt: { jobs[$0].key }) {
                numbers[place] = numbers[same]
                continue
            }
            added.insert(job.key, place: place)
            next += 1
            insert.bind(1, next)
            insert.bind(2, job.key.description)
            insert.bind(3, job.spec.kind.rawValue)
            insert.bind(4, utf8: job.canonical)
            insert.bind(5, job.entryCount)
            try insert.run()
            numbers[place] = next
        }
        if isIndexedAnew { try db.execute(sql: "CREATE UNIQUE INDEX jobByKey ON job(key)") }
        return numbers
    }

    /// The numbers of jobs that are there, 0 for others.
    private func known(_ jobs: [PlannedJob]) throws -> [Int64] {
        let find = try HotStatement("SELECT id FROM job WHERE key = ?", db)
        return try jobs.map { job in
            find.bind(1, job.key.description)
            return try find.firstInteger() ?? 0
        }
    }

    /// Makes these the sweep's jobs, in this order.
    func link(_ jobs: [Int64], to sweep: Int64) throws {
        let before = try Int64.fetchAll(
            db, sql: "SELECT job FROM sweepJob WHERE sweep = ? ORDER BY position",
            arguments: [sweep])
        guard before != jobs else { return }
        try db.execute(sql: "DELETE FROM sweepJob WHERE sweep = ?", arguments: [sweep])
        if let first = jobs.first, jobs.count >= Self.indexedAnewMin,
            jobs.indices.allSatisfy({ jobs[$0] == first + Int64($0) })
        {
            return try linkRange(of: jobs.count, from: first, to: sweep)
        }
        let insert = try HotStatement(
            "INSERT INTO sweepJob (sweep, position, job) VALUES (?, ?, ?)", db)
        for (position, job) in jobs.enumerated() {
            insert.bind(1, sweep)
            insert.bind(2, position)
            insert.bind(3, job)
            try insert.run()
        }
    }

    /// The same for many jobs with numbers in a row, as a new sweep has them.
    private func linkRange(of count: Int, from first: Int64, to sweep: Int64) throws {
        let isFirst = try Int.fetchOne(db, sql: "SELECT 1 FROM sweepJob LIMIT 1") == nil
        if isFirst { try db.execute(sql: "DROP INDEX sweepJobByJob") }
        try db.execute(
            sql: """
                INSERT INTO sweepJob (sweep, position, job) SELECT ?, id - ?, id FROM job
                WHERE id >= ? AND id < ? ORDER BY id
                """, arguments: [sweep, first, first, first + Int64(count)])
        if isFirst { try db.execute(sql: "CREATE INDEX sweepJobByJob ON sweepJob(job)") }
    }
}
