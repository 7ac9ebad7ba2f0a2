import Foundation
import GRDB

/// Reads a store: beside a coordinator that writes it, or after one has ended.
public final class StoreReader: Sendable {
    public let path: String
    let queue: DatabaseQueue
    /// Let go after the connection.
    private let file: StoreFile?

    /// Opens the store at `path` for reading only. Takes no lock and changes nothing.
    public init(path: String) throws(StoreError) {
        file = StoreFile(path: path)
        try StoreReader.check(path: path)
        do {
            queue = try StoreOpening.readingConnection(path: path)
        } catch {
            throw StoreError(error, path: path)
        }
        self.path = path
    }

    init(path: String, queue: DatabaseQueue, file: StoreFile?) {
        self.path = path
        self.queue = queue
        self.file = file
    }

    private static func check(path: String) throws(StoreError) {
        let schema = StoreSchema.current
        if let problem = try StoreOpening.refusal(path: path, schema: schema) { throw problem }
        guard case .database(_, let version) = try StoreHeader.kind(ofFile: path) else {
            throw .missing(path: path)
        }
        guard version == schema.version else {
            throw .olderSchema(path: path, found: version, supported: schema.version)
        }
        let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
        if let kind = NetworkFileSystem.holding(folder: folder) {
            throw .networkFileSystem(path: path, kind: kind)
        }
    }

    /// One consistent view of the store while `body` runs.
    func read<Result>(_ body: (Database) throws -> Result) throws(StoreError) -> Result {
        do {
            return try queue.read(body)
        } catch {
            throw StoreError(error, path: path)
        }
    }

    /// The names of all sweeps, sorted.
    public func sweepNames() throws(StoreError) -> [String] {
        try read { db in try String.fetchAll(db, sql: "SELECT name FROM sweep ORDER BY name") }
    }

    /// The sweep called `name`, or the only one when `name` is `nil`.
    ///
    /// - Throws: `unknownSweep`, naming those there are.
    public func sweep(named name: String?) throws(StoreError) -> SweepID {
        try read { db in
            let rows = try Row.fetchAll(db, sql: "SELECT id, name FROM sweep ORDER BY name")
            let fitting = rows.filter { row in name.map { $0 == row["name"] } ?? true }
            guard fitting.count == 1, let id: Int64 = fitting[0]["id"] else {
                let known = rows.compactMap { $0["name"] as String? }
                throw StoreError.unknownSweep(name: name ?? "(not given)", known: known)
            }
            return SweepID(number: id)
        }
    }

    /// The sweep's name.
    public func name(of sweep: SweepID) throws(StoreError) -> String {
        try read { db in try StoreReader.name(of: sweep, db) }
    }

    static func name(of sweep: SweepID, _ db: Database) throws -> String {
        let find = try db.cachedStatement(sql: "SELECT name FROM sweep WHERE id = ?")
        guard let name = try String.fetchOne(find, arguments: [sweep.number]) else {
            let known = try String.fetchAll(db, sql: "SELECT name FROM sweep ORDER BY name")
            throw StoreError.unknownSweep(name: "number \(sweep.number)", known: known)
        }
        return name
    }

    /// The manifest the sweep was last registered with, every default filled in, as JSON.
    public func manifest(of sweep: SweepID) throws(StoreError) -> String {
        try read { db in
            let find = "SELECT manifest FROM sweep WHERE id = ?"
            return try String.fetchOne(db, sql: find, arguments: [sweep.number]) ?? "{}"
        }
    }
}
