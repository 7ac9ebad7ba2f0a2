import Foundation
import GRDB

/// The steps from a path to a connection.
enum StoreOpening {
    /// Why the file must not be opened at all, found without opening it in SQLite.
    static func refusal(path: String, schema: StoreSchema) throws(StoreError) -> StoreError? {
        switch try StoreHeader.kind(ofFile: path) {
        case .absent:
            return nil
        case .other(let what):
            return .foreignDatabase(path: path, found: what)
        case .database(schema.applicationID, let version):
            guard version > schema.version else { return nil }
            return .newerSchema(path: path, found: version, supported: schema.version)
        case .database:
            return .foreignDatabase(path: path, found: "another program's SQLite database")
        }
    }

    /// Makes the file, or brings it to the newest version. Called under the lock.
    static func prepare(path: String, schema: StoreSchema) throws(StoreError) {
        // Held, so that nobody's look at the header ends the locks of the migration.
        let file = StoreFile(path: path)
        defer { withExtendedLifetime(file) {} }
        guard case .database(_, let version) = try StoreHeader.kind(ofFile: path) else {
            return try create(path: path, schema: schema)
        }
        guard access(path, W_OK) == 0 else {
            throw .readOnly(path: path, detail: "no permission to write it")
        }
        guard version < schema.version else { return }
        do {
            try migrate(path: path, from: version, schema: schema)
        } catch {
            throw StoreError(error, path: path)
        }
    }

    /// The file appears under its name only when it is whole, so that a crash leaves nothing
    /// that the next start would take for somebody else's.
    private static func create(path: String, schema: StoreSchema) throws(StoreError) {
        let unfinished = path + ".new"
        unlink(unfinished)
        defer { unlink(unfinished) }
        do {
            let queue = try DatabaseQueue(path: unfinished, configuration: migrating)
            try queue.write { db in try apply(schema, from: 0, to: db) }
            try queue.close()
        } catch {
            throw StoreError(error, path: path)
        }
        guard rename(unfinished, path) == 0 else {
            throw .readOnly(path: path, detail: String(cString: strerror(errno)))
        }
    }

    private static func migrate(path: String, from version: Int, schema: StoreSchema) throws {
        let queue = try DatabaseQueue(path: path, configuration: migrating)
        let backup = "\(path).backup-v\(version)"
        if !FileManager.default.fileExists(atPath: backup) {
            try queue.writeWithoutTransaction { db in
                try db.execute(sql: "VACUUM INTO ?", arguments: [backup])
            }
        }
        try queue.write { db in try apply(schema, from: version, to: db) }
        // The version must stand in the file itself, where the next start looks for it.
        try queue.writeWithoutTransaction { db in
            try db.execute(sql: "PRAGMA wal_checkpoint(TRUNCATE)")
        }
        try queue.close()
    }

    private static func apply(_ schema: StoreSchema, from version: Int, to db: Database) throws {
        for step in schema.migrations[version...] { try db.execute(sql: step) }
        let broken = try Row.fetchAll(db, sql: "PRAGMA foreign_key_check")
        guard broken.isEmpty else {
            let table: String = broken[0][0]
            throw StoreError.constraint(
                detail: "\(broken.count) rows of \(table) and others refer to missing rows")
        }
        try db.execute(sql: "PRAGMA application_id = \(schema.applicationID)")
        try db.execute(sql: "PRAGMA user_version = \(schema.version)")
    }

    private static let cacheMebibytes = 64
    /// How much of the log is written back at once: enough that a page which many results touch
    /// is written back once for all of them.
    private static let pagesPerCheckpoint = 8_192

    static func writingConnection(path: String) throws -> DatabaseQueue {
        let queue = try DatabaseQueue(path: path, configuration: configuration())
        try queue.writeWithoutTransaction { db in
            _ = try String.fetchOne(db, sql: "PRAGMA journal_mode = WAL")
            try db.execute(sql: "PRAGMA synchronous = FULL")
            try db.execute(sql: "PRAGMA cache_size = -\(cacheMebibytes << 10)")
            try db.execute(sql: "PRAGMA wal_autocheckpoint = \(pagesPerCheckpoint)")
            // Sorting the keys of a large sweep is the one thing that takes long enough for two.
            try db.execute(sql: "PRAGMA threads = 1")
        }
        return queue
    }

    static func readingConnection(path: String) throws -> DatabaseQueue {
        var settings = configuration()
        settings.readonly = true
        return try DatabaseQueue(path: path, configuration: settings)
    }

    /// A table that others refer to is replaced with foreign keys off, and checked afterwards.
    private static var migrating: Configuration {
        var settings = configuration()
        settings.foreignKeysEnabled = false
        return settings
    }

    private static func configuration() -> Configuration {
        var settings = Configuration()
        settings.foreignKeysEnabled = true
        settings.busyMode = .timeout(5)
        return settings
    }
}
