import Foundation
import GRDB

extension StoreReader {
    /// Copies the store as it is at this moment, while a coordinator may be writing it.
    ///
    /// One read transaction sees it all, and the coordinator is not kept waiting. The copy is
    /// checked, and appears under its name only when it is whole and on disk.
    ///
    /// - Returns: How many bytes the copy has.
    /// - Throws: `exportFailed` when there is something of that name or it cannot be written,
    ///   `corrupt` when the copy does not pass its check.
    public func backUp(to target: String) throws(StoreError) -> Int {
        guard !FileManager.default.fileExists(atPath: target) else {
            throw .exportFailed(path: target, detail: "it exists; a backup replaces nothing")
        }
        let draft = target + ".part"
        unlink(draft)
        defer {
            for ending in ["", "-wal", "-shm", "-journal"] { unlink(draft + ending) }
        }
        do {
            let copy = try DatabaseQueue(path: draft)
            try queue.backup(to: copy)
            // A copy is one file, which a mere `cp` may take elsewhere.
            try copy.writeWithoutTransaction { db in
                try db.execute(sql: "PRAGMA journal_mode = DELETE")
            }
            let problems = try copy.read { db in try StoreCheck.problems(db) }
            try copy.close()
            if let problem = problems.first {
                throw StoreError.corrupt(path: path, detail: "its copy: \(problem)")
            }
        } catch let error as StoreError {
            throw error
        } catch let error as DatabaseError where error.resultCode == .SQLITE_CANTOPEN {
            throw .exportFailed(path: target, detail: error.message ?? "it cannot be opened")
        } catch {
            throw StoreError(error, path: draft)
        }
        guard Self.synchronize(draft), rename(draft, target) == 0,
            Self.synchronize(URL(fileURLWithPath: target).deletingLastPathComponent().path)
        else {
            throw .exportFailed(path: target, detail: String(cString: strerror(errno)))
        }
        var status = stat()
        return stat(target, &status) == 0 ? Int(status.st_size) : 0
    }

    private static func synchronize(_ path: String) -> Bool {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        return fsync(descriptor) == 0
    }
}
