import FathomCore
public import FathomProtocol
import Foundation
import Glibc

/// Results that no coordinator has acknowledged, on disk, so that they outlive their worker.
///
/// Each worker has a folder of its own, locked while it lives, in a folder that workers of one
/// coordinator share; whoever starts there takes over what dead workers have left.
public final class ResultSpool {
    private static let bytesMax = 256 << 20
    private let own: String
    private let lock: Int32
    /// What earlier workers left unacknowledged, in a fixed order.
    public let inherited: [WorkerMessage]

    /// - Parameters:
    ///   - folder: Shared by the workers of one coordinator on this machine; made if missing.
    ///   - worker: Whose results these are.
    public init(folder: String, worker: WorkerID) throws(SpoolError) {
        own = "\(folder)/\(worker.text)"
        lock = try Self.claim(own)
        Self.takeOver(folder, except: worker.text, into: own)
        inherited = Self.messages(in: own)
    }

    deinit { close(lock) }

    /// Makes a folder and locks it.
    ///
    /// A worker that starts at the same moment may take it for one that was left, lock it first and
    /// remove it; then it is made again.
    private static func claim(_ folder: String) throws(SpoolError) -> Int32 {
        var reason = "somebody else holds it"
        for _ in 0..<claimsMax {
            do {
                try FileManager.default.createDirectory(
                    atPath: folder, withIntermediateDirectories: true,
                    attributes: [.posixPermissions: 0o700])
                if let lock = lock(folder) {
                    if isThere(lock, in: folder) { return lock }
                    close(lock)
                }
            } catch {
                reason = error.localizedDescription
            }
            usleep(10_000)
        }
        throw .cannotWrite(path: folder, reason: reason)
    }

    private static let claimsMax = 100

    /// Whether the file that was locked is still the one of that name.
    private static func isThere(_ lock: Int32, in folder: String) -> Bool {
        var (held, named) = (stat(), stat())
        return fstat(lock, &held) == 0 && stat(folder + "/lock", &named) == 0
            && held.st_ino == named.st_ino && held.st_dev == named.st_dev
    }

    /// Writes a result; afterwards it is whole on disk or not there at all.
    public func keep(_ message: WorkerMessage) throws(SpoolError) {
        guard case .result(let lease, _) = message else { return }
        let frame = WorkerFrame(worker: WorkerID("spool"), messages: [message])
        let file = file(lease)
        let draft = file + ".draft"
        let descriptor = open(draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw .cannotWrite(path: file, reason: Self.reason) }
        let isWritten =
            FrameStream.write(MessageCodec.encode(frame), to: descriptor)
            && fdatasync(descriptor) == 0
        close(descriptor)
        guard isWritten, rename(draft, file) == 0 else {
            let reason = Self.reason
            unlink(draft)
            throw .cannotWrite(path: file, reason: reason)
        }
    }

    /// Removes what was acknowledged.
    public func drop(_ leases: [Lease]) {
        for lease in leases { unlink(file(lease)) }
    }

    /// Removes the folder, if nothing is left in it.
    public func removeIfEmpty() {
        guard Self.names(in: own).isEmpty else { return }
        try? FileManager.default.removeItem(atPath: own)
        // The folder above goes with the last worker.
        rmdir(URL(fileURLWithPath: own).deletingLastPathComponent().path)
    }

    private func file(_ lease: Lease) -> String {
        let entries = "\(lease.entries.lowerBound)-\(lease.entries.upperBound)"
        return "\(own)/\(lease.job)-\(lease.term)-\(lease.attempt)-\(entries).result"
    }

    private static var reason: String { String(cString: strerror(errno)) }

    /// The descriptor that holds a folder; `nil` when a living worker does.
    private static func lock(_ folder: String) -> Int32? {
        let descriptor = open(folder + "/lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { return nil }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            close(descriptor)
            return nil
        }
        return descriptor
    }

    private static func takeOver(_ folder: String, except worker: String, into own: String) {
        let others = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        for other in others where other != worker && !ArtifactCache.isFolder(other) {
            let path = "\(folder)/\(other)"
            guard let lock = lock(path) else { continue }
            for name in names(in: path) { rename("\(path)/\(name)", "\(own)/\(name)") }
            try? FileManager.default.removeItem(atPath: path)
            close(lock)
        }
    }

    private static func names(in folder: String) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [])
            .filter { $0.hasSuffix(".result") }.sorted()
    }

    /// What can be read; a file that cannot is of no use to anybody and goes.
    private static func messages(in folder: String) -> [WorkerMessage] {
        names(in: folder).compactMap { name in
            let path = "\(folder)/\(name)"
            var status = stat()
            guard stat(path, &status) == 0, status.st_size <= bytesMax,
                let data = FileManager.default.contents(atPath: path),
                let frame = try? MessageCodec.decodeWorkerFrame(Array(data)),
                case .result? = frame.messages.first
            else {
                unlink(path)
                return nil
            }
            return frame.messages[0]
        }
    }
}

/// Why a result could not be kept on disk.
public enum SpoolError: Error, Sendable, Hashable, CustomStringConvertible {
    case cannotWrite(path: String, reason: String)

    public var description: String {
        switch self {
        case .cannotWrite(let path, let reason):
            "cannot keep results in \(path): \(reason); --work names another folder"
        }
    }
}
