public import FathomCore
import Foundation
import GRDB

/// What a careful look at a store finds. Nothing is changed, and no lock is taken.
public struct StoreCheck: Sendable {
    public var schemaVersion = 0
    /// The newest version that this program reads.
    public var schemaSupported = StoreSchema.current.version
    /// What SQLite's own check and the references between tables say; empty when all is well.
    public var problems: [String] = []
    /// The process that writes it now; `nil`: nobody does.
    public var writer: Int?
    public var fileBytes = 0
    /// The log of changes that are not written back into the file yet.
    public var logBytes = 0
    /// Room on its disk for its owner; `nil` when the system does not say.
    public var roomBytes: Int?
    /// The network file system it lies on; `nil` for a local one.
    public var networkFileSystem: String?
    public var jobs = 0
    /// The files that jobs made, each once.
    public var artifacts: [Digest] = []

    /// Looks at the store at `path`.
    ///
    /// - Throws: When it is no store of ours, or cannot be read at all.
    public init(path: String) throws(StoreError) {
        let schema = StoreSchema.current
        if let refusal = try StoreOpening.refusal(path: path, schema: schema) { throw refusal }
        guard case .database(_, let version) = try StoreHeader.kind(ofFile: path) else {
            throw .missing(path: path)
        }
        schemaVersion = version
        writer = StoreLock.holder(ofStore: path)
        fileBytes = Self.size(path)
        logBytes = Self.size(path + "-wal")
        roomBytes = DiskRoom.bytes(at: path)
        let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
        networkFileSystem = NetworkFileSystem.holding(folder: folder)
        do {
            let queue = try StoreOpening.readingConnection(path: path)
            try queue.read { db in
                problems = try Self.problems(db)
                jobs = try Int.fetchOne(db, sql: "SELECT count(*) FROM job") ?? 0
                artifacts = try String.fetchAll(
                    db, sql: "SELECT DISTINCT digest FROM artifact ORDER BY digest"
                ).compactMap { Digest(hex: $0) }
            }
            try queue.close()
        } catch let error as DatabaseError where error.resultCode == .SQLITE_CORRUPT {
            problems.append(error.message ?? "the file is damaged")
        } catch {
            throw StoreError(error, path: path)
        }
    }

    /// What SQLite finds wrong, a hundred things at most.
    static func problems(_ db: Database) throws -> [String] {
        let found = try String.fetchAll(db, sql: "PRAGMA integrity_check").filter {
            try $0 != "ok" && !isMistaken($0, db)
        }
        let broken = try Row.fetchAll(db, sql: "PRAGMA foreign_key_check").prefix(100).map { row in
            let table: String = row[0]
            let parent: String = row[2]
            return "a row of \(table) refers to one of \(parent) that is missing"
        }
        return found + broken
    }

    /// SQLite before 3.41 looks for NULL in the wrong columns of tables whose key is not in the
    /// order of their columns, and complains of them though there is none.
    private static func isMistaken(_ problem: String, _ db: Database) throws -> Bool {
        let prefix = "NULL value in "
        let names = problem.dropFirst(prefix.count).split(separator: ".")
        guard problem.hasPrefix(prefix), names.count == 2 else { return false }
        let (table, column) = (String(names[0]), String(names[1]))
        guard try db.tableExists(table),
            try db.columns(in: table).contains(where: { $0.name == column })
        else { return false }
        let sql =
            "SELECT 1 FROM \(table.quotedDatabaseIdentifier) "
            + "WHERE \(column.quotedDatabaseIdentifier) IS NULL LIMIT 1"
        return try Int.fetchOne(db, sql: sql) == nil
    }

    private static func size(_ path: String) -> Int {
        var status = stat()
        return stat(path, &status) == 0 ? Int(status.st_size) : 0
    }
}

/// How much may still be written.
public enum DiskRoom {
    /// Bytes free for ordinary users on the file system of `path`; `nil` when unknown.
    public static func bytes(at path: String) -> Int? {
        var status = statvfs()
        guard statvfs(path, &status) == 0 else { return nil }
        return Int(clamping: UInt64(status.f_bavail) * UInt64(status.f_frsize))
    }
}
