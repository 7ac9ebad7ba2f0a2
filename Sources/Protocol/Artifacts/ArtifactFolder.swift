public import FathomCore
import Foundation
import Glibc

/// Immutable files named by their content, in one folder.
///
/// The only names that ever reach the file system are digests in hexadecimal: whatever a message
/// says, it cannot name another file.
public struct ArtifactFolder: Sendable, Hashable {
    public let path: String

    public init(path: String) { self.path = path }

    /// Where the file with this content lies, or would lie.
    public func file(_ digest: Digest) -> String {
        "\(path)/\(digest.hex.prefix(2))/\(digest.hex)"
    }

    /// Where a file lies that is being fetched or brought.
    func partialFile(_ digest: Digest) -> String { "\(path)/partial/\(digest.hex)" }

    /// Where a file lies that was found not to have its digest.
    func damagedFile(_ digest: Digest) -> String { "\(path)/damaged/\(digest.hex)" }

    // MARK: Looking

    /// The file's size in bytes; `nil` when there is none.
    public func size(of digest: Digest) -> Int? {
        var status = stat()
        guard stat(file(digest), &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            return nil
        }
        return Int(status.st_size)
    }

    /// Whether a file of this digest and length is here; what is in it is not looked at.
    public func holds(_ reference: ArtifactReference) -> Bool {
        size(of: reference.digest) == reference.bytes
    }

    /// Reads the whole file and says whether it has its digest; false too when there is none.
    public func isSound(_ digest: Digest) -> Bool {
        (try? Digest(ofFile: file(digest))) == digest
    }

    /// Up to `count` bytes from `offset` on, and the length of the whole; `nil` when the file
    /// cannot be read.
    public func read(
        _ digest: Digest, from offset: Int, count: Int
    ) -> (bytes: [UInt8], total: Int)? {
        let descriptor = open(file(digest), O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { return nil }
        let total = Int(status.st_size)
        let wanted = max(0, min(count, total - offset))
        guard wanted > 0 else { return ([], total) }
        var isWhole = true
        let bytes = [UInt8](unsafeUninitializedCapacity: wanted) { buffer, filled in
            while filled < wanted {
                let rest = UnsafeMutableRawBufferPointer(
                    rebasing: UnsafeMutableRawBufferPointer(buffer)[filled..<wanted])
                let got = pread(descriptor, rest.baseAddress, rest.count, off_t(offset + filled))
                if got < 0 && errno == EINTR { continue }
                guard got > 0 else { break }
                filled += got
            }
            isWhole = filled == wanted
        }
        return isWhole ? (bytes, total) : nil
    }

    /// Every whole file, with its length and when it was last used.
    public func contents() -> [StoredArtifact] {
        let manager = FileManager.default
        var found: [StoredArtifact] = []
        for folder in (try? manager.contentsOfDirectory(atPath: path)) ?? []
        where folder.utf8.count == 2 {
            for name in (try? manager.contentsOfDirectory(atPath: "\(path)/\(folder)")) ?? [] {
                guard let digest = Digest(hex: name), name.hasPrefix(folder) else { continue }
                var status = stat()
                guard stat(file(digest), &status) == 0 else { continue }
                let used = Double(status.st_mtim.tv_sec) + Double(status.st_mtim.tv_nsec) / 1e9
                found.append(
                    StoredArtifact(digest: digest, bytes: Int(status.st_size), usedAt: used))
            }
        }
        return found
    }

    // MARK: Changing

    /// Writes content under its digest; afterwards it is whole on disk or not there at all.
    public func keep(
        _ bytes: [UInt8], name: String
    ) throws(ArtifactError) -> ArtifactReference {
        let digest = Digest(of: bytes)
        let reference = ArtifactReference(name: name, digest: digest, bytes: bytes.count)
        // One that is here already may have rotted meanwhile.
        if holds(reference), isSound(digest) { return reference }
        let file = file(digest)
        try prepareFolder(of: file)
        let draft = "\(file).\(getpid()).draft"
        guard write(bytes, to: draft), rename(draft, file) == 0 else {
            let error = failure(file)
            unlink(draft)
            throw error
        }
        Self.synchronize(folderOf: file)
        return reference
    }

    /// Takes a file over from another folder on the same disk, or copies it.
    ///
    /// - Returns: False when it is not there whole.
    public func adopt(_ digest: Digest, from other: ArtifactFolder) throws(ArtifactError) -> Bool {
        guard other.path != path, other.isSound(digest) else { return false }
        try prepareFolder(of: file(digest))
        if link(other.file(digest), file(digest)) == 0 || errno == EEXIST { return true }
        guard let content = FileManager.default.contents(atPath: other.file(digest)) else {
            return false
        }
        _ = try keep([UInt8](content), name: digest.short)
        return true
    }

    /// Notes that a file was used now, by which the least recently used one is found.
    public func touch(_ digest: Digest) {
        utimensat(AT_FDCWD, file(digest), nil, 0)
    }

    public func remove(_ digest: Digest) {
        unlink(file(digest))
    }

    /// Puts a file that does not have its digest where nobody reads it, for people to look at; of
    /// those the last sixteen stay.
    public func setAside(_ digest: Digest) {
        let damaged = damagedFile(digest)
        guard (try? prepareFolder(of: damaged)) != nil, rename(file(digest), damaged) == 0 else {
            unlink(file(digest))
            return
        }
        utimensat(AT_FDCWD, damaged, nil, 0)
        removeOldest(in: "\(path)/damaged", keeping: 16)
    }

    /// Removes what transfers have left that nobody has gone on with for a week.
    public func removeStalePartials() {
        let folder = "\(path)/partial"
        let week = time(nil) - 7 * 86_400
        for name in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [] {
            var status = stat()
            guard Digest(hex: name) != nil, stat("\(folder)/\(name)", &status) == 0,
                status.st_mtim.tv_sec < week
            else { continue }
            unlink("\(folder)/\(name)")
        }
    }

    func prepareFolder(of file: String) throws(ArtifactError) {
        let folder = URL(fileURLWithPath: file).deletingLastPathComponent().path
        do {
            try FileManager.default.createDirectory(
                atPath: folder, withIntermediateDirectories: true)
        } catch {
            throw .cannotWrite(path: folder, reason: "\(error.localizedDescription)")
        }
    }

    /// What the system said last about a file of ours.
    func failure(_ file: String) -> ArtifactError {
        let code = errno
        if code == ENOSPC || code == EDQUOT { return .noRoom(path: file) }
        return .cannotWrite(path: file, reason: String(cString: strerror(code)))
    }

    private func removeOldest(in folder: String, keeping count: Int) {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        let dated = names.map { name in
            var status = stat()
            stat("\(folder)/\(name)", &status)
            return (name: name, time: status.st_mtim.tv_sec)
        }
        for old in dated.sorted(by: { ($0.time, $0.name) > ($1.time, $1.name) }).dropFirst(count) {
            unlink("\(folder)/\(old.name)")
        }
    }

    private func write(_ bytes: [UInt8], to file: String) -> Bool {
        let descriptor = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { return false }
        let isWritten = Self.write(bytes, to: descriptor) && fsync(descriptor) == 0
        let code = errno
        close(descriptor)
        errno = code
        return isWritten
    }

    static func write(_ bytes: [UInt8], to descriptor: Int32) -> Bool {
        bytes.withUnsafeBytes { buffer in
            var offset = 0
            while offset < buffer.count {
                let rest = UnsafeRawBufferPointer(rebasing: buffer[offset...])
                let written = Glibc.write(descriptor, rest.baseAddress, rest.count)
                if written < 0 && errno == EINTR { continue }
                guard written > 0 else { return false }
                offset += written
            }
            return true
        }
    }

    /// A rename lasts only once its folder is on disk.
    static func synchronize(folderOf file: String) {
        let folder = URL(fileURLWithPath: file).deletingLastPathComponent().path
        let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { return }
        fsync(descriptor)
        close(descriptor)
    }
}

/// One file of a folder.
public struct StoredArtifact: Sendable, Hashable {
    public var digest: Digest
    public var bytes: Int
    /// Seconds since 1970.
    public var usedAt: Double

    public init(digest: Digest, bytes: Int, usedAt: Double) {
        self.digest = digest
        self.bytes = bytes
        self.usedAt = usedAt
    }
}

/// Why an artifact could not be kept or read.
public enum ArtifactError: Error, Sendable, Hashable {
    case missing(name: String, digest: Digest, path: String)
    case damaged(name: String, digest: Digest, path: String)
    case notAnInput(name: String, job: String)
    case noRoom(path: String)
    case cannotWrite(path: String, reason: String)

    /// Whether the same may succeed later without anyone changing settings.
    public var isPassing: Bool {
        if case .noRoom = self { true } else { false }
    }

    /// The file that a job would have read and that has to be fetched or made again.
    public var lostInput: Digest? {
        switch self {
        case .missing(_, let digest, _), .damaged(_, let digest, _): digest
        case .notAnInput, .noRoom, .cannotWrite: nil
        }
    }
}

extension ArtifactError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .missing(let name, _, let path):
            "the input \(name) is missing: no file \(path); the artifact folder of the store has "
                + "to be kept with it"
        case .damaged(let name, _, let path):
            "the input \(name) is damaged: the content of \(path) does not have the digest that "
                + "is its name; it is fetched or made again"
        case .notAnInput(let name, let job):
            "the assignment names no input \(name) of job \(job)"
        case .noRoom(let path): "the disk is full: \(path) cannot be written"
        case .cannotWrite(let path, let reason): "cannot write the artifact \(path): \(reason)"
        }
    }
}
