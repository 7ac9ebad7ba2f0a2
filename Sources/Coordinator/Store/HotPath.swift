import FathomProtocol
import GRDB

/// What the writing connection keeps between transactions so that a result costs little: prepared
/// statements, workers that have a row, and the numbers of a sweep's jobs.
///
/// Unchecked, because it is used only in the turn of the one writing connection.
final class HotPath: @unchecked Sendable {
    private var prepared: [HotStatement?] = Array(repeating: nil, count: SQL.allCases.count)
    private var workersSeen: Set<WorkerID> = []
    private(set) var numbers = JobNumbers()

    /// The statements that every result needs.
    enum SQL: Int, CaseIterable {
        case attempt, metric, cost, state
    }

    func statement(_ which: SQL, _ db: Database) throws -> HotStatement {
        if let known = prepared[which.rawValue] { return known }
        let made = try HotStatement(which.text, db)
        prepared[which.rawValue] = made
        return made
    }

    func remember(_ numbers: JobNumbers) { self.numbers = numbers }

    /// Whether the worker is named for the first time, so that it may lack a row.
    func isNew(_ worker: WorkerID) -> Bool { workersSeen.insert(worker).inserted }

    /// After a transaction that was undone: rows thought to be there may not be.
    func doubt() { workersSeen.removeAll() }

    /// Lets go of the connection.
    func close() { prepared = prepared.map { _ in nil } }
}

extension HotPath.SQL {
    /// An accepted attempt keeps that state whatever is said of it later; every other state gives
    /// way, because a result of an attempt given up for lost may still arrive and be taken.
    var text: String {
        switch self {
        case .attempt:
            """
            INSERT INTO attempt (job, attempt, term, worker, entryFirst, entryEnd, state, error,
              logTail, seconds, endedAt) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT (job, attempt, term) DO UPDATE SET
              worker = excluded.worker, entryFirst = excluded.entryFirst,
              entryEnd = excluded.entryEnd, state = excluded.state, error = excluded.error,
              logTail = excluded.logTail, seconds = excluded.seconds, endedAt = excluded.endedAt
            WHERE state <> 'accepted'
            """
        case .metric:
            """
            INSERT INTO metric (job, epoch, task, split, name, value, flag)
            VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING
            """
        case .cost:
            """
            INSERT INTO jobCost (job, seconds, forwardEquivalents) VALUES (?, ?, ?)
            ON CONFLICT (job) DO UPDATE SET seconds = seconds + excluded.seconds,
              forwardEquivalents = forwardEquivalents + excluded.forwardEquivalents
            """
        case .state: "UPDATE job SET state = ?, reason = ? WHERE id = ?"
        }
    }
}

/// The numbers that the store knows jobs by.
struct JobNumbers: Sendable {
    private let keys: [JobKey]
    private let numbers: [Int64]
    private var index: KeyIndex

    init() { self.init(keys: [], numbers: []) }

    /// - Parameters:
    ///   - keys: Each once.
    ///   - numbers: One for each key.
    init(keys: [JobKey], numbers: [Int64]) {
        self.keys = keys
        self.numbers = numbers
        index = KeyIndex(capacity: keys.count)
        for (place, key) in keys.enumerated() { index.insert(key, place: place) }
    }

    /// The number of a job; `nil` for one that is not of the sweep.
    subscript(key: JobKey) -> Int64? {
        index.place(of: key) { keys[$0] }.map { numbers[$0] }
    }
}
