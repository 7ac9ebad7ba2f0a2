import Foundation
import Synchronization

/// A store's file, held open for as long as this process has connections to it.
///
/// When a process closes any descriptor of a file, it loses all POSIX locks that it has on it,
/// those of SQLite too. Any other program that opened the store then took itself for the only one
/// and removed the log from under the coordinator. So all looks at a file share one descriptor
/// here, which is closed after the last of them and the last connection are gone.
final class StoreFile: Sendable {
    private struct Identity: Hashable {
        var device: UInt64
        var inode: UInt64

        init(_ status: stat) {
            device = UInt64(status.st_dev)
            inode = UInt64(status.st_ino)
        }
    }

    private struct Entry {
        var descriptors: [Int32] = []
        var userCount = 0
    }

    private static let entries = Mutex<[Identity: Entry]>([:])

    private let identity: Identity
    private let descriptor: Int32

    /// Takes part in the file's descriptor, or opens it; `nil`, with the reason in `errno`, when
    /// that cannot be.
    init?(path: String) {
        let found = Self.entries.withLock { entries -> (Identity, Int32)? in
            var status = stat()
            guard stat(path, &status) == 0 else { return nil }
            var identity = Identity(status)
            if entries[identity] == nil {
                let opened = open(path, O_RDONLY | O_CLOEXEC)
                guard opened >= 0 else { return nil }
                // The name may have come to mean another file meanwhile.
                fstat(opened, &status)
                identity = Identity(status)
                entries[identity, default: Entry()].descriptors.append(opened)
            }
            guard let descriptor = entries[identity]?.descriptors.first else { return nil }
            entries[identity]?.userCount += 1
            return (identity, descriptor)
        }
        guard let found else { return nil }
        (identity, descriptor) = found
    }

    deinit {
        Self.entries.withLock { entries in
            entries[identity]?.userCount -= 1
            guard let entry = entries[identity], entry.userCount == 0 else { return }
            entries[identity] = nil
            for descriptor in entry.descriptors { close(descriptor) }
        }
    }

    /// The first bytes; fewer in a short file.
    ///
    /// - Throws: `StoreError.inputOutput`.
    func first(_ count: Int, path: String) throws(StoreError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        let read = pread(descriptor, &bytes, count, 0)
        guard read >= 0 else {
            throw .inputOutput(path: path, detail: String(cString: strerror(errno)))
        }
        return Array(bytes.prefix(read))
    }
}
