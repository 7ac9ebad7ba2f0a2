import FathomCore
import FathomProtocol
import GRDB

extension Store {
    /// Makes changes last, all or none, in one transaction.
    public func apply(_ changes: [StoreChange]) throws(StoreError) {
        guard !changes.isEmpty else { return }
        try write { db in
            let writer = ChangeWriter(db: db, now: Store.now, hot: hot)
            for change in changes { try writer.apply(change) }
        }
    }
}

/// Turns changes into rows, within a transaction.
private struct ChangeWriter {
    let db: Database
    let now: Int64
    let hot: HotPath

    func apply(_ change: StoreChange) throws {
        switch change {
        case .accepted(let lease, let worker, let outcome):
            try accept(lease, worker: worker, outcome: outcome)
        case .jobFinished(let key):
            try setState("finished", of: key, reason: nil)
        case .attemptFailed(let lease, let worker, let reason, let error, let logTail):
            try recordAttempt(
                lease, worker: worker, state: reason.rawValue, error: error, logTail: logTail)
        case .jobQuarantined(let key, let reason):
            try setState("quarantined", of: key, reason: reason)
        case .jobBlocked(let key, let cause):
            try setState("blocked", of: key, reason: "needs job \(cause), which was given up")
        case .jobReopened(let key):
            try reopen(key)
        case .jobPaused(let key): try setPaused(true, of: key)
        case .jobResumed(let key): try setPaused(false, of: key)
        case .jobForgotten(let key): try forget(key)
        case .agreed(let lease, let worker):
            try recordAttempt(lease, worker: worker, state: "agreed")
        case .disagreement(let lease, let worker, let detail):
            try recordAttempt(lease, worker: worker, state: "disagreed", error: detail)
            try recordEvent("disagreement", subject: lease.job.description, detail: detail)
        case .workerSeen(let id, let facts):
            try recordWorker(id, facts)
        case .workerGone(let id):
            try run("UPDATE worker SET leftAt = ? WHERE id = ?", [now, id.text])
        case .event(let kind, let subject, let detail):
            try recordEvent(kind, subject: subject, detail: detail)
        }
    }

    private func run(_ sql: String, _ arguments: StatementArguments) throws {
        try db.cachedStatement(sql: sql).execute(arguments: arguments)
    }

    private func number(of key: JobKey) throws -> Int64 {
        if let known = hot.numbers[key] { return known }
        let find = try db.cachedStatement(sql: "SELECT id FROM job WHERE key = ?")
        guard let id = try Int64.fetchOne(find, arguments: [key.description]) else {
            throw StoreError.unknownJob(key.description)
        }
        return id
    }

    private func setState(_ state: String, of key: JobKey, reason: String?) throws {
        let update = try hot.statement(.state, db)
        update.bind(1, state)
        update.bind(2, reason)
        update.bind(3, try number(of: key))
        guard try update.run() == 1 else { throw StoreError.unknownJob(key.description) }
    }

    private func setPaused(_ paused: Bool, of key: JobKey) throws {
        try run("UPDATE job SET paused = ? WHERE key = ?", [paused, key.description])
        guard db.changesCount == 1 else { throw StoreError.unknownJob(key.description) }
    }

    /// Its attempts stay as history, and their numbers are not used again.
    private func forget(_ key: JobKey) throws {
        let job = try number(of: key)
        for table in [
            "metric", "poisonReport", "salWalk", "sal", "landscapeStep", "landscapePlane",
            "landscape", "artifact", "jobCost",
        ] {
            try run("DELETE FROM \(table) WHERE job = ?", [job])
        }
        try run(
            "UPDATE attempt SET state = 'forgotten' "
                + "WHERE job = ? AND state IN ('accepted', 'agreed', 'disagreed')", [job])
        try reopen(key)
        try recordEvent(
            "forgotten", subject: key.description, detail: "its results were thrown away")
    }

    /// A job put back starts with a clean slate: attempts so far are no longer held against it.
    private func reopen(_ key: JobKey) throws {
        try setState("open", of: key, reason: nil)
        try run(
            """
            UPDATE job SET forgivenAttempts =
              (SELECT coalesce(max(attempt), 0) FROM attempt WHERE attempt.job = job.id)
            WHERE key = ?
            """, [key.description])
    }

    private func recordEvent(_ kind: String, subject: String, detail: String) throws {
        try run(
            "INSERT INTO event (at, kind, subject, detail) VALUES (?, ?, ?, ?)",
            [now, kind, subject, clipped(detail, to: 16_384)])
    }

    private func recordWorker(_ id: WorkerID, _ facts: WorkerFacts) throws {
        try run(
            """
            INSERT INTO worker (id, host, processID, slots, build, numericClass, firstSeenAt,
              lastSeenAt) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT (id) DO UPDATE SET host = excluded.host, processID = excluded.processID,
              slots = excluded.slots, build = excluded.build,
              numericClass = excluded.numericClass, lastSeenAt = excluded.lastSeenAt,
              leftAt = NULL
            """,
            [
                id.text, facts.host, facts.processID, facts.slots, facts.build,
                facts.numericClass, now, now,
            ])
    }

    private func recordAttempt(
        _ lease: Lease, worker: WorkerID, state: String, error: String? = nil,
        logTail: String? = nil, seconds: Double? = nil
    ) throws {
        if hot.isNew(worker) {
            try run(
                """
                INSERT INTO worker (id, firstSeenAt, lastSeenAt) VALUES (?, ?, ?)
                ON CONFLICT DO NOTHING
                """, [worker.text, now, now])
        }
        let insert = try hot.statement(.attempt, db)
        insert.bind(1, try number(of: lease.job))
        insert.bind(2, lease.attempt)
        insert.bind(3, lease.term)
        insert.bind(4, worker.text)
        insert.bind(5, lease.entries.lowerBound)
        insert.bind(6, lease.entries.upperBound)
        insert.bind(7, state)
        insert.bind(8, error.map { clipped($0, to: 16_384) })
        insert.bind(9, logTail.map { clipped($0, to: 65_536) })
        insert.bind(10, seconds)
        insert.bind(11, now)
        try insert.run()
    }

    private func accept(_ lease: Lease, worker: WorkerID, outcome: JobOutcome) throws {
        let job = try number(of: lease.job)
        let seconds = outcome.seconds.isFinite ? outcome.seconds : 0
        try recordAttempt(lease, worker: worker, state: "accepted", seconds: seconds)
        try OutcomeWriter(db: db, job: job, hot: hot).write(outcome)
        let work =
            outcome.sal.reduce(0) { $0 + ($1.measurement.forwardEquivalents.finite ?? 0) }
            + Double(outcome.landscape.count)
        let cost = try hot.statement(.cost, db)
        cost.bind(1, job)
        cost.bind(2, seconds)
        cost.bind(3, work)
        try cost.run()
    }

    /// The end of a log says more than its beginning.
    private func clipped(_ text: String, to bytes: Int) -> String {
        text.utf8.count <= bytes
            ? text : "…" + String(decoding: text.utf8.suffix(bytes), as: UTF8.self)
    }
}
