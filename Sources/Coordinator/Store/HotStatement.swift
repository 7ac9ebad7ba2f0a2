import GRDB
import GRDBSQLite

/// A prepared statement that is bound and stepped through SQLite itself.
///
/// GRDB wraps every argument in a box, which costs more than the row it writes; this is for the
/// few statements that run for every result and every job.
final class HotStatement {
    private let handle: OpaquePointer
    private let connection: OpaquePointer
    /// Where bound texts lie until the next one is bound in their place: SQLite reads them there,
    /// and nothing is allocated for a row.
    private var texts: [UnsafeMutableRawBufferPointer]

    /// - Throws: `DatabaseError` for what is no SQL.
    init(_ sql: String, _ db: Database) throws {
        guard let connection = db.sqliteConnection else {
            throw DatabaseError(resultCode: .SQLITE_MISUSE, message: "the store is closed")
        }
        self.connection = connection
        var handle: OpaquePointer?
        let code = sqlite3_prepare_v3(
            connection, sql, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &handle, nil)
        guard code == SQLITE_OK, let handle else {
            throw DatabaseError(
                resultCode: ResultCode(rawValue: code),
                message: String(cString: sqlite3_errmsg(connection)), sql: sql)
        }
        self.handle = handle
        let none = UnsafeMutableRawBufferPointer(start: nil, count: 0)
        texts = Array(
            repeating: none, count: Int(sqlite3_bind_parameter_count(handle)) + 1)
    }

    deinit {
        sqlite3_finalize(handle)
        for text in texts { text.deallocate() }
    }

    // Places are counted from 1, as SQLite does.

    func bind(_ place: Int32, _ value: Int64) { sqlite3_bind_int64(handle, place, value) }
    func bind(_ place: Int32, _ value: Int) { sqlite3_bind_int64(handle, place, Int64(value)) }

    func bind(_ place: Int32, _ value: Double?) {
        guard let value else { return bindNull(place) }
        sqlite3_bind_double(handle, place, value)
    }

    func bind(_ place: Int32, _ text: String?) {
        guard var text else { return bindNull(place) }
        text.withUTF8 { bind(place, UnsafeRawBufferPointer($0)) }
    }

    /// Binds UTF-8 as text.
    func bind(_ place: Int32, utf8 bytes: [UInt8]) {
        bytes.withUnsafeBytes { bind(place, $0) }
    }

    private func bind(_ place: Int32, _ bytes: UnsafeRawBufferPointer) {
        let index = Int(place)
        if texts[index].baseAddress == nil || texts[index].count < bytes.count {
            texts[index].deallocate()
            texts[index] = .allocate(byteCount: max(64, 2 * bytes.count), alignment: 1)
        }
        texts[index].copyMemory(from: bytes)
        // Without a destructor the bytes are taken for constant, which they are until the next.
        sqlite3_bind_text(
            handle, place, texts[index].baseAddress?.assumingMemoryBound(to: CChar.self),
            Int32(bytes.count), nil)
    }

    func bindNull(_ place: Int32) { sqlite3_bind_null(handle, place) }

    /// Runs a statement that answers no rows.
    ///
    /// - Returns: How many rows it changed.
    @discardableResult
    func run() throws -> Int {
        defer { sqlite3_reset(handle) }
        let code = sqlite3_step(handle)
        guard code == SQLITE_DONE || code == SQLITE_ROW else { throw error(code) }
        return Int(sqlite3_changes(connection))
    }

    /// The first column of the first row; `nil` when there is no row.
    func firstInteger() throws -> Int64? {
        defer { sqlite3_reset(handle) }
        let code = sqlite3_step(handle)
        if code == SQLITE_DONE { return nil }
        guard code == SQLITE_ROW else { throw error(code) }
        return sqlite3_column_int64(handle, 0)
    }

    private func error(_ code: Int32) -> DatabaseError {
        DatabaseError(
            resultCode: ResultCode(rawValue: code),
            message: String(cString: sqlite3_errmsg(connection)))
    }
}
