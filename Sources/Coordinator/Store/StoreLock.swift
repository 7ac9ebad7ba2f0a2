import Foundation

/// Holds the file beside a store that says "a coordinator is using this one". The system lets go
/// of the lock when the process ends, however it ends; the file stays.
final class StoreLock: Sendable {
    private let descriptor: Int32

    /// Takes the lock of the store at `path`.
    init(storePath path: String) throws(StoreError) {
        let file = path + ".lock"
        let opened = open(file, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard opened >= 0 else {
            throw .readOnly(path: path, detail: "\(file): \(StoreLock.lastError)")
        }
        guard flock(opened, LOCK_EX | LOCK_NB) == 0 else {
            let owner = StoreLock.processID(in: opened)
            close(opened)
            throw .inUse(path: path, processID: owner)
        }
        descriptor = opened
        let text = Array("\(getpid())\n".utf8)
        // The number only serves the message to the next who tries, so a full disk is no error.
        if ftruncate(opened, 0) == 0 { _ = pwrite(opened, text, text.count, 0) }
    }

    deinit { close(descriptor) }

    /// Lets the next one in before this value ends.
    func release() { _ = flock(descriptor, LOCK_UN) }

    /// The process that holds the lock of a store; `nil` when none does. Looks only: not even for
    /// a moment is the lock taken, which could turn away a coordinator.
    static func holder(ofStore path: String) -> Int? {
        var status = stat()
        guard stat(path + ".lock", &status) == 0,
            let table = try? String(contentsOfFile: "/proc/locks", encoding: .utf8)
        else { return nil }
        for line in table.split(separator: "\n") {
            let fields = line.split(separator: " ", omittingEmptySubsequences: true)
            guard fields.count > 5, fields[1] == "FLOCK",
                fields[5].split(separator: ":").last == "\(status.st_ino)"
            else { continue }
            return Int(fields[4])
        }
        return nil
    }

    private static func processID(in descriptor: Int32) -> Int? {
        var bytes = [UInt8](repeating: 0, count: 32)
        let count = pread(descriptor, &bytes, bytes.count, 0)
        guard count > 0 else { return nil }
        let text = String(decoding: bytes[..<count], as: UTF8.self)
        return Int(text.trimmingCharacters(in: .whitespacesAndNewlines))
    }

    private static var lastError: String { String(cString: strerror(errno)) }
}
