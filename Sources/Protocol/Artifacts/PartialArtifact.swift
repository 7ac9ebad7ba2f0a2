public import FathomCore
import Foundation
import Glibc

/// A file on its way, kept as far as it has come, so that a cut costs what was in flight.
public final class PartialArtifact {
    public let digest: Digest
    /// The length it will have.
    public let total: Int
    /// How many bytes are here.
    public private(set) var count: Int
    private let folder: ArtifactFolder
    private let descriptor: Int32

    /// Begins, or goes on with what an earlier transfer left.
    public init(
        _ digest: Digest, total: Int, in folder: ArtifactFolder
    ) throws(ArtifactError) {
        self.digest = digest
        self.total = total
        self.folder = folder
        let file = folder.partialFile(digest)
        try folder.prepareFolder(of: file)
        descriptor = open(file, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            count = 0
            throw folder.failure(file)
        }
        var status = stat()
        fstat(descriptor, &status)
        count = Int(status.st_size)
        if count > total { restart() }
        lseek(descriptor, off_t(count), SEEK_SET)
    }

    deinit { close(descriptor) }

    /// Whether all bytes are here.
    public var isWhole: Bool { count == total }

    /// Adds the bytes that follow.
    public func append(_ bytes: [UInt8]) throws(ArtifactError) {
        precondition(
            count + bytes.count <= total, "\(bytes.count) bytes after \(count) of \(total)")
        guard ArtifactFolder.write(bytes, to: descriptor) else {
            let error = folder.failure(folder.partialFile(digest))
            // Half of it may have been written.
            ftruncate(descriptor, off_t(count))
            lseek(descriptor, off_t(count), SEEK_SET)
            throw error
        }
        count += bytes.count
    }

    /// Throws away what is here and begins anew.
    public func restart() {
        ftruncate(descriptor, 0)
        lseek(descriptor, 0, SEEK_SET)
        count = 0
    }

    /// Checks the digest of what is on disk and gives the file its name.
    ///
    /// - Parameter isDurable: Whether it must survive a power cut from here on.
    /// - Returns: False when the content is another; it is thrown away then.
    public func finish(isDurable: Bool) throws(ArtifactError) -> Bool {
        let draft = folder.partialFile(digest)
        guard (try? Digest(ofFile: draft)) == digest else {
            restart()
            return false
        }
        let file = folder.file(digest)
        try folder.prepareFolder(of: file)
        if isDurable, fsync(descriptor) != 0 { throw folder.failure(draft) }
        guard fchmod(descriptor, 0o644) == 0, rename(draft, file) == 0 else {
            throw folder.failure(file)
        }
        if isDurable { ArtifactFolder.synchronize(folderOf: file) }
        return true
    }

    /// Removes what is here.
    public func abandon() {
        unlink(folder.partialFile(digest))
    }
}
