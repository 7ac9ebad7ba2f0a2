import GRDB

/// Why the store cannot do what was asked. Each description says what would help.
public enum StoreError: Error, Sendable, Hashable {
    /// The file is no SQLite database of ours; nothing in it was changed.
    case foreignDatabase(path: String, found: String)
    case newerSchema(path: String, found: Int, supported: Int)
    /// The file was never finished or made by an older program; only a writer may bring it up.
    case olderSchema(path: String, found: Int, supported: Int)
    case inUse(path: String, processID: Int?)
    case networkFileSystem(path: String, kind: String)
    case missing(path: String)
    case readOnly(path: String, detail: String)
    case diskFull(path: String)
    case busy(path: String)
    case corrupt(path: String, detail: String)
    case inputOutput(path: String, detail: String)
    /// The schema refused a row: our own mistake, or a plan that contradicts the store.
    case constraint(detail: String)
    case unknownSweep(name: String, known: [String])
    case unknownJob(String)
    /// What a user typed as a query does not do.
    case query(detail: String)
    case queryTooSlow(seconds: Double)
    /// What should have been written outside the database was not.
    case exportFailed(path: String, detail: String)

    /// Whether the same call may succeed later without anything being repaired by hand.
    public var isRetryable: Bool {
        switch self {
        case .inUse, .diskFull, .busy: true
        default: false
        }
    }
}

extension StoreError {
    /// Whether what was asked for is wrong, and not the store.
    public var isWrongRequest: Bool {
        switch self {
        case .unknownSweep, .unknownJob, .query: true
        default: false
        }
    }
}

extension StoreError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .foreignDatabase(let path, let found):
            "\(path) is \(found), not a Fathom store; it was left as it is, name another file"
        case .newerSchema(let path, let found, let supported):
            "\(path) has schema version \(found), this program knows up to \(supported); "
                + "use the newer program that wrote it"
        case .olderSchema(let path, let found, let supported):
            "\(path) has schema version \(found), this program reads \(supported); "
                + "open it once for writing (any `fathom run`) to migrate it, a backup is kept"
        case .inUse(let path, let processID):
            "\(path) is in use by \(processID.map { "process \($0)" } ?? "another process"); "
                + "stop that one first, or choose another --db"
        case .networkFileSystem(let path, let kind):
            "\(path) lies on a network file system (\(kind)), where SQLite's locks cannot be "
                + "trusted; put it on a local disk, such as --db /var/tmp/NAME.fathom.sqlite"
        case .unknownSweep, .unknownJob, .query, .queryTooSlow, .constraint:
            requestDescription
        default:
            fileDescription
        }
    }

    private var fileDescription: String {
        switch self {
        case .missing(let path): "there is no store at \(path); `fathom run` makes one"
        case .readOnly(let path, let detail):
            "\(path) cannot be written (\(detail)); its folder must be writable too, "
                + "because SQLite keeps a log beside the file"
        case .diskFull(let path):
            "the disk of \(path) is full; free some space, nothing acknowledged is lost"
        case .busy(let path):
            "\(path) is locked by another program; close it (a `sqlite3` left in a transaction?)"
        case .corrupt(let path, let detail):
            "\(path) is damaged (\(detail)); restore a backup, or rescue it with "
                + "`sqlite3 \(path) .recover`"
        case .inputOutput(let path, let detail):
            "reading or writing \(path) failed (\(detail)); check the disk and the system's log"
        case .exportFailed(let path, let detail):
            "\(path) cannot be written (\(detail)); choose a writable folder with space"
        default: requestDescription
        }
    }

    private var requestDescription: String {
        switch self {
        case .constraint(let detail): "the store refused contradicting rows: \(detail)"
        case .unknownSweep(let name, let known):
            "no sweep is called \(name); this store has "
                + (known.isEmpty ? "none yet" : known.joined(separator: ", "))
        case .unknownJob(let key): "no job has the key \(key); `fathom status` lists them"
        case .query(let detail): "the query failed: \(detail)"
        case .queryTooSlow(let seconds):
            "the query took longer than \(seconds) seconds; narrow it, or use `sqlite3` itself"
        default: "the store failed"
        }
    }
}

extension StoreError {
    /// Puts what GRDB and SQLite say into our terms.
    init(_ error: any Error, path: String) {
        if let known = error as? StoreError {
            self = known
            return
        }
        guard let error = error as? DatabaseError else {
            self = .inputOutput(path: path, detail: "\(error)")
            return
        }
        let detail = error.message ?? "\(error.resultCode)"
        // The file that readers and writer share lies on the same disk.
        if error.extendedResultCode == .SQLITE_IOERR_SHMSIZE {
            self = .diskFull(path: path)
            return
        }
        switch error.resultCode {
        case .SQLITE_BUSY, .SQLITE_LOCKED: self = .busy(path: path)
        case .SQLITE_FULL: self = .diskFull(path: path)
        case .SQLITE_CORRUPT: self = .corrupt(path: path, detail: detail)
        case .SQLITE_NOTADB: self = .foreignDatabase(path: path, found: detail)
        case .SQLITE_READONLY, .SQLITE_PERM, .SQLITE_CANTOPEN:
            self = .readOnly(path: path, detail: detail)
        case .SQLITE_CONSTRAINT: self = .constraint(detail: detail)
        default: self = .inputOutput(path: path, detail: detail)
        }
    }
}
