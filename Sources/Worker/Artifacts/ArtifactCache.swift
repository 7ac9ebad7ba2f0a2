public import FathomCore
public import FathomProtocol
import Foundation
import Glibc
import Synchronization

/// A worker's own copies of files, at most so many bytes of them: the one used least recently goes
/// first, and none that a job here reads or that nobody has taken yet.
///
/// It may be used from any thread.
public final class ArtifactCache: Sendable {
    public let folder: ArtifactFolder
    /// The most bytes of files that are not in use.
    public let bytesMax: Int
    private let lock: Int32
    /// Caches of other workers on this machine.
    private let siblings: String
    private let state = Mutex(State())

    fileprivate struct State {
        /// How many jobs or results need a file.
        var pins: [Digest: Int] = [:]
        var files: [Digest: StoredArtifact] = [:]
        var bytes = 0
        var evicted = 0
    }

    /// Takes the first cache in a folder that no living worker uses, or makes one.
    ///
    /// - Parameter work: Shared by the workers of one coordinator on this machine.
    public init(work: String, bytesMax: Int) throws(ArtifactError) {
        self.bytesMax = bytesMax
        siblings = work
        let (path, lock) = try Self.claim(in: work)
        self.lock = lock
        folder = ArtifactFolder(path: path)
        folder.removeStalePartials()
        let found = folder.contents()
        state.withLock { state in
            for file in found { state.add(file) }
        }
    }

    deinit { close(lock) }

    private static let prefix = "cache-"

    /// Whether that is the name of a cache's folder.
    static func isFolder(_ name: String) -> Bool { name.hasPrefix(prefix) }

    private static func claim(
        in work: String
    ) throws(ArtifactError) -> (path: String, lock: Int32) {
        for number in 0..<MessageLimits.slotsPerWorker {
            let path = "\(work)/\(prefix)\(number)"
            do {
                try FileManager.default.createDirectory(
                    atPath: path, withIntermediateDirectories: true,
                    attributes: [.posixPermissions: 0o700])
            } catch {
                throw .cannotWrite(path: path, reason: error.localizedDescription)
            }
            let descriptor = open(path + "/lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
            guard descriptor >= 0 else {
                throw .cannotWrite(path: path, reason: String(cString: strerror(errno)))
            }
            if flock(descriptor, LOCK_EX | LOCK_NB) == 0 { return (path, descriptor) }
            close(descriptor)
        }
        throw .cannotWrite(path: work, reason: "all its caches are in use")
    }

    /// Bytes of all files that are known to be here.
    public var bytes: Int { state.withLock { $0.bytes } }

    /// How many files have made room for others.
    public var evicted: Int { state.withLock { $0.evicted } }

    // MARK: Using

    /// Keeps these files from being removed until they are let go as often.
    public func pin(_ digests: some Sequence<Digest>) {
        state.withLock { state in
            for digest in digests { state.pins[digest, default: 0] += 1 }
        }
    }

    public func unpin(_ digests: some Sequence<Digest>) {
        state.withLock { state in
            for digest in digests {
                let count = (state.pins[digest] ?? 0) - 1
                state.pins[digest] = count > 0 ? count : nil
            }
        }
    }

    /// Whether the file is here, as far as its length says. It counts as used now.
    public func holds(_ reference: ArtifactReference) -> Bool {
        guard folder.holds(reference) else { return false }
        folder.touch(reference.digest)
        note(reference.digest, bytes: reference.bytes)
        return true
    }

    /// A file has come in.
    public func note(_ digest: Digest, bytes: Int) {
        let now = Date().timeIntervalSince1970
        state.withLock { state in
            state.remove(digest)
            state.add(StoredArtifact(digest: digest, bytes: bytes, usedAt: now))
        }
    }

    /// Throws away a file that does not have its digest.
    public func drop(_ digest: Digest) {
        folder.setAside(digest)
        state.withLock { _ = $0.remove(digest) }
    }

    /// Looks for a file in the caches of workers that have worked here before.
    public func adopt(_ reference: ArtifactReference) -> Bool {
        if folder.holds(reference) { return true }
        let names = (try? FileManager.default.contentsOfDirectory(atPath: siblings)) ?? []
        for name in names.sorted() where Self.isFolder(name) {
            let other = ArtifactFolder(path: "\(siblings)/\(name)")
            guard other.holds(reference), (try? folder.adopt(reference.digest, from: other)) == true
            else { continue }
            note(reference.digest, bytes: reference.bytes)
            return true
        }
        return false
    }

    /// Removes files until so many more bytes fit under the bound, as far as files are not in use.
    ///
    /// - Parameter isDiskFull: Whether room is needed on the disk, whatever the bound.
    /// - Returns: Whether something was removed.
    @discardableResult
    public func makeRoom(for bytes: Int, isDiskFull: Bool = false) -> Bool {
        let victims = state.withLock { state in
            let excess = isDiskFull ? max(1, bytes) : state.bytes + bytes - bytesMax
            return state.victims(freeing: excess)
        }
        for digest in victims { folder.remove(digest) }
        return !victims.isEmpty
    }
}

extension ArtifactCache.State {
    mutating func add(_ file: StoredArtifact) {
        files[file.digest] = file
        bytes += file.bytes
    }

    @discardableResult
    mutating func remove(_ digest: Digest) -> Bool {
        guard let file = files.removeValue(forKey: digest) else { return false }
        bytes -= file.bytes
        return true
    }

    /// Takes the least recently used files that nobody needs out of the book.
    mutating func victims(freeing excess: Int) -> [Digest] {
        guard excess > 0 else { return [] }
        var left = excess
        var chosen: [Digest] = []
        let idle = files.values.filter { pins[$0.digest] == nil }
        for file in idle.sorted(by: { ($0.usedAt, $0.digest) < ($1.usedAt, $1.digest) }) {
            guard left > 0 else { break }
            left -= file.bytes
            chosen.append(file.digest)
        }
        for digest in chosen { remove(digest) }
        evicted += chosen.count
        return chosen
    }
}
