import FathomCore
import FathomMessaging
import Foundation
import Glibc
import Logging
import Synchronization

/// Reads and writes files with keys, and checks who else can.
enum KeyFile {
    /// A secret key, which nobody but its owner may read.
    static func secret(_ path: String) throws -> CurveKeyPair {
        guard let status = FileStatus(path) else {
            throw InputError(
                description: "there is no key file \(path); `fathom keys new` makes one")
        }
        try status.requireOurs(path)
        guard status.mode & 0o077 == 0 else {
            throw InputError(description: "\(path) can be read by others; run chmod 600 \(path)")
        }
        let line = try text(path).split(whereSeparator: \.isNewline).first.map(String.init)
        return try CurveKeyPair(
            secretKey: (line ?? "").trimmingCharacters(in: .whitespaces), field: path)
    }

    /// Makes a key pair; the file must not exist.
    static func make(_ path: String) throws -> CurveKeyPair {
        let pair = try CurveKeyPair.generate()
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw InputError(
                description: "\(path) cannot be made: \(String(cString: strerror(errno)))")
        }
        let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        do {
            try handle.write(contentsOf: Data((pair.secretKey + "\n").utf8))
            try handle.synchronize()
        } catch {
            unlink(path)
            throw InputError(
                description: "\(path) cannot be written: \(error.localizedDescription)")
        }
        return pair
    }

    /// The keys that may come in: a file that nobody but its owner may change.
    static func allowList(_ path: String) throws -> AllowList {
        guard let status = FileStatus(path) else {
            throw InputError(
                description: "there is no allow-list \(path); `fathom keys allow` makes one")
        }
        try status.requireOurs(path)
        guard status.mode & 0o022 == 0 else {
            throw InputError(
                description: "\(path) can be changed by others; run chmod 600 \(path)")
        }
        return try AllowList(text: text(path), field: path)
    }

    /// Replaces an allow-list whole.
    static func write(_ list: AllowList, to path: String) throws {
        try AtomicFile.write(Array(list.text.utf8), to: path, mode: 0o600)
    }

    private static func text(_ path: String) throws -> String {
        guard let text = try? String(contentsOfFile: path, encoding: .utf8) else {
            throw InputError(description: "\(path) cannot be read")
        }
        return text
    }
}

/// What the system says of a file.
struct FileStatus: Hashable {
    let mode: mode_t
    let owner: uid_t
    private let identity: [Int]

    /// `nil`: there is none.
    init?(_ path: String) {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        mode = status.st_mode
        owner = status.st_uid
        identity = [
            Int(status.st_ino), Int(status.st_size), status.st_mtim.tv_sec, status.st_mtim.tv_nsec,
        ]
    }

    func requireOurs(_ path: String) throws {
        guard owner == geteuid() || owner == 0 else {
            throw InputError(description: "\(path) belongs to somebody else; make your own")
        }
    }
}

/// Looks at an allow-list every second, and at once on SIGHUP, and hands over what has changed.
///
/// A file that cannot be read any more changes nothing: the list before stays, and the log says so.
final class AllowListWatch {
    private let thread: NamedThread
    private let bell: BoundedQueue<Bool>
    private let hangUp: any DispatchSourceSignal

    init(
        path: String, logger: Logger, changed: @escaping @Sendable (Set<CurvePublicKey>) -> Void
    ) throws {
        let bell = BoundedQueue<Bool>(capacity: 1)
        self.bell = bell
        signal(SIGHUP, SIG_IGN)
        hangUp = DispatchSource.makeSignalSource(signal: SIGHUP, queue: DispatchQueue.global())
        hangUp.setEventHandler { bell.offer(true) }
        hangUp.activate()
        thread = try NamedThread(name: "fathom-keys", stackBytes: 512 << 10) {
            Self.watch(path, bell, logger, changed)
        }
    }

    func end() {
        hangUp.cancel()
        bell.close()
        thread.join()
    }

    private static func watch(
        _ path: String, _ bell: BoundedQueue<Bool>, _ logger: Logger,
        _ changed: (Set<CurvePublicKey>) -> Void
    ) {
        var known = FileStatus(path)
        while !bell.isClosed {
            let isAsked = !bell.take(atMost: 1, within: .seconds(1)).isEmpty
            let now = FileStatus(path)
            guard now != known || isAsked else { continue }
            known = now
            do {
                let list = try KeyFile.allowList(path)
                changed(list.keys)
                logger.notice(
                    "allow-list read again", metadata: ["keys": "\(list.entries.count)"])
            } catch {
                logger.error(
                    "allow-list not read, the one before stays", metadata: ["reason": "\(error)"])
            }
        }
    }
}
