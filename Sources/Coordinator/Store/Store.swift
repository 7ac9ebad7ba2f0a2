public import FathomProtocol
import Foundation
import GRDB

/// Names a sweep within one store.
public struct SweepID: Hashable, Sendable, Codable {
    public let number: Int64

    init(number: Int64) { self.number = number }
}

/// A store opened for writing: the one connection that writes, and the lock that keeps others off.
///
/// Every call is one transaction, durable when it returns. Calls may come from any thread and
/// take their turn.
public final class Store: Sendable {
    public let path: String
    /// Reads through the same connection, for those who hold the store anyway.
    public let reader: StoreReader
    let queue: DatabaseQueue
    /// Let go after the connection.
    private let file: StoreFile?
    private let lock: StoreLock
    let hot = HotPath()

    /// Opens the store at `path`, making it when there is none and migrating it, after a backup
    /// copy `PATH.backup-vN`, when it is older.
    ///
    /// - Throws: When the file is not ours, newer, in use, on a network file system, or cannot be
    ///   written; a file that is not ours is left as it is.
    public convenience init(path: String) throws(StoreError) {
        try self.init(path: path, schema: .current)
    }

    /// The same under another schema, as tests of migrations need.
    public init(path: String, schema: StoreSchema) throws(StoreError) {
        let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
        if let kind = NetworkFileSystem.holding(folder: folder) {
            throw .networkFileSystem(path: path, kind: kind)
        }
        if let problem = try StoreOpening.refusal(path: path, schema: schema) { throw problem }
        lock = try StoreLock(storePath: path)
        try StoreOpening.prepare(path: path, schema: schema)
        file = StoreFile(path: path)
        do {
            queue = try StoreOpening.writingConnection(path: path)
        } catch {
            throw StoreError(error, path: path)
        }
        self.path = path
        reader = StoreReader(path: path, queue: queue, file: file)
    }

    /// Raises the term, which tells leases of this start of the coordinator from earlier ones.
    ///
    /// - Returns: 1 for the first start, one more with each call.
    public func nextTerm() throws(StoreError) -> Int {
        try write { db in
            let row = try db.cachedStatement(sql: "INSERT INTO term (startedAt) VALUES (?)")
            try row.execute(arguments: [Store.now])
            return Int(db.lastInsertedRowID)
        }
    }

    /// Writes the log back into the database file, closes the connection and lets go of the lock,
    /// so that the file stands alone. The store must not be used afterwards.
    public func checkpointAndClose() throws(StoreError) {
        do {
            try queue.writeWithoutTransaction { db in
                hot.close()
                try Store.trimEvents(db)
                try db.execute(sql: "PRAGMA wal_checkpoint(TRUNCATE)")
            }
            try queue.close()
            lock.release()
        } catch {
            throw StoreError(error, path: path)
        }
    }

    /// One transaction that is undone when `body` throws.
    func write<Result>(
        _ body: (Database) throws -> Result
    ) throws(StoreError) -> Result {
        do {
            return try queue.write(body)
        } catch {
            hot.doubt()
            throw StoreError(error, path: path)
        }
    }

    deinit {
        // Statements go before their connection.
        hot.close()
    }

    /// Stored times are UTC microseconds since 1970.
    static var now: Int64 { Int64(Date().timeIntervalSince1970 * 1_000_000) }

    /// The newest events are kept; a sweep in trouble must not fill the disk.
    private static func trimEvents(_ db: Database) throws {
        try db.execute(
            sql: """
                DELETE FROM event
                WHERE kind <> 'disagreement' AND id <= (SELECT max(id) FROM event) - ?
                """, arguments: [eventsMax])
    }

    private static let eventsMax = 100_000
}

/// Reading, through the store that writes.
extension Store {
    /// Opens the store at `path` for reading only, beside a coordinator that may be writing it.
    public static func openReadOnly(path: String) throws(StoreError) -> StoreReader {
        try StoreReader(path: path)
    }

    public func jobs(
        of sweep: SweepID, planned: [PlannedJob] = []
    ) throws(StoreError) -> [StoredJob] {
        try reader.jobs(of: sweep, planned: planned)
    }

    public func acceptedOutcome(
        of job: JobKey, entries: Range<Int>
    ) throws(StoreError) -> JobOutcome? {
        try reader.acceptedOutcome(of: job, entries: entries)
    }

    public func acceptedOutcome(of lease: Lease) throws(StoreError) -> JobOutcome? {
        try reader.acceptedOutcome(of: lease)
    }

    @discardableResult
    public func export(
        _ sweep: SweepID, to folder: String, format: ExportFormat
    ) throws(StoreError) -> [String] {
        try reader.export(sweep, to: folder, format: format)
    }
}
