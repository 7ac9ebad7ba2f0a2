import Foundation
import GRDB

extension StoreReader {
    /// How long a query may take unless told otherwise, in seconds.
    public static let querySecondsMax = 30.0
    /// How many bytes of values a query may give.
    public static let queryBytesMax = 256 << 20

    /// Caps what SQLite takes for itself in this process, so that a query cannot ask for more
    /// memory than there is (`zeroblob(2000000000)`). For processes that do nothing but query.
    public func limitHeap(bytes: Int) throws(StoreError) {
        try read { db in
            _ = try Int64.fetchOne(db, sql: "PRAGMA hard_heap_limit = \(bytes)")
        }
    }

    /// Breaks off what it reads at this moment, from another thread.
    public func interrupt() { queue.interrupt() }

    /// Runs one SELECT that a user typed. Nothing can be changed through it.
    ///
    /// - Parameters:
    ///   - limit: At most this many rows are read; the result says when there were more.
    ///   - seconds: After this time the query is broken off.
    public func query(
        _ sql: String, limit: Int = 10_000, seconds: Double = querySecondsMax
    ) throws(StoreError) -> QueryResult {
        let guardian = QueryGuardian(queue: queue, seconds: seconds)
        defer { guardian.stop() }
        do {
            return try queue.read { db in
                guardian.start()
                return try StoreReader.run(sql, limit: limit, db)
            }
        } catch let error as DatabaseError where error.resultCode == .SQLITE_INTERRUPT {
            throw .queryTooSlow(seconds: seconds)
        } catch let error as DatabaseError where StoreReader.isUsersMistake(error) {
            throw .query(detail: error.message ?? "\(error.resultCode)")
        } catch {
            throw StoreError(error, path: path)
        }
    }

    private static func isUsersMistake(_ error: DatabaseError) -> Bool {
        switch error.resultCode {
        case .SQLITE_ERROR, .SQLITE_MISUSE, .SQLITE_READONLY, .SQLITE_AUTH, .SQLITE_RANGE,
            .SQLITE_MISMATCH, .SQLITE_TOOBIG, .SQLITE_NOMEM:
            true
        default: false
        }
    }

    private static func run(_ sql: String, limit: Int, _ db: Database) throws -> QueryResult {
        let first = sql.drop { $0.isWhitespace || $0 == "(" }.prefix { $0.isLetter }.uppercased()
        guard ["SELECT", "WITH", "VALUES", "EXPLAIN"].contains(first) else {
            throw StoreError.query(detail: "only one SELECT is run, and this begins with \(first)")
        }
        let statement = try db.makeStatement(sql: sql)
        guard statement.isReadonly else {
            throw StoreError.query(detail: "only reading is allowed; this would write")
        }
        var result = QueryResult(columns: statement.columnNames, rows: [])
        var bytes = 0
        let cursor = try Row.fetchCursor(statement)
        while let row = try cursor.next() {
            guard result.rows.count < limit else {
                result.isCutOff = true
                break
            }
            result.rows.append(row.map { value($0.1) })
            bytes += result.rows[result.rows.count - 1].reduce(0) { $0 + $1.byteCount }
            guard bytes <= queryBytesMax else {
                throw StoreError.query(
                    detail: "the rows take more than \(queryBytesMax >> 20) MiB; ask for fewer, "
                        + "or use `fathom export`")
            }
        }
        return result
    }

    static func value(_ stored: DatabaseValue) -> QueryValue {
        switch stored.storage {
        case .null: .null
        case .int64(let number): .integer(number)
        case .double(let number): .real(number)
        case .string(let text): .text(text)
        case .blob(let bytes): .blob(bytes.map { hexadecimal($0) }.joined())
        }
    }

    private static func hexadecimal(_ byte: UInt8) -> String {
        let digits = String(byte, radix: 16)
        return digits.count == 1 ? "0" + digits : digits
    }
}

extension Store {
    /// The same through the writing connection, which refuses to write meanwhile.
    public func query(
        _ sql: String, limit: Int = 10_000
    ) throws(StoreError) -> QueryResult { try reader.query(sql, limit: limit) }
}

/// Interrupts a query that takes too long. Started only once the connection is ours, so that it
/// never interrupts somebody else's transaction.
private final class QueryGuardian: Sendable {
    private let queue: DatabaseQueue
    private let seconds: Double
    private let finished = DispatchSemaphore(value: 0)

    init(queue: DatabaseQueue, seconds: Double) {
        self.queue = queue
        self.seconds = seconds
    }

    func start() {
        let (queue, seconds, finished) = (queue, seconds, finished)
        Thread.detachNewThread {
            if finished.wait(timeout: .now() + seconds) == .timedOut { queue.interrupt() }
        }
    }

    func stop() { finished.signal() }
}
