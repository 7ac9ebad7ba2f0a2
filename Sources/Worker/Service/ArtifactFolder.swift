public import FathomCore
public import FathomProtocol
import Foundation
import Glibc

/// Why an artifact could not be kept or read.
public enum ArtifactError: Error, Sendable, Hashable {
    case missing(name: String, path: String)
    case damaged(name: String, path: String)
    case notAnInput(name: String, job: String)
    case cannotWrite(path: String, reason: String)
}

extension ArtifactError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .missing(let name, let path):
            "the input \(name) is missing: no file \(path); the artifact folder of the store has "
                + "to be kept with it"
        case .damaged(let name, let path):
            "the input \(name) is damaged: the content of \(path) does not have the digest that "
                + "is its name; remove the file"
        case .notAnInput(let name, let job):
            "the assignment names no input \(name) of job \(job)"
        case .cannotWrite(let path, let reason): "cannot write the artifact \(path): \(reason)"
        }
    }
}

/// Immutable files named by their content, in a folder that all who work on a sweep can reach.
public struct ArtifactFolder: Sendable {
    public let path: String

    public init(path: String) { self.path = path }

    /// Where the file with this content lies, or would lie.
    public func file(_ digest: Digest) -> String {
        "\(path)/\(digest.hex.prefix(2))/\(digest.hex)"
    }

    /// Writes content under its digest; afterwards it is whole on disk or not there at all.
    public func keep(
        _ bytes: [UInt8], name: String
    ) throws(ArtifactError) -> ArtifactReference {
        let digest = Digest(of: bytes)
        let reference = ArtifactReference(name: name, digest: digest, bytes: bytes.count)
        let file = file(digest)
        guard size(of: file) != bytes.count else { return reference }
        let folder = "\(path)/\(digest.hex.prefix(2))"
        do {
            try FileManager.default.createDirectory(
                atPath: folder, withIntermediateDirectories: true)
        } catch {
            throw .cannotWrite(path: folder, reason: "\(error.localizedDescription)")
        }
        let draft = "\(file).\(getpid()).draft"
        guard write(bytes, to: draft), rename(draft, file) == 0 else {
            let reason = String(cString: strerror(errno))
            unlink(draft)
            throw .cannotWrite(path: file, reason: reason)
        }
        synchronize(folder: folder)
        return reference
    }

    /// The file's size in bytes; `nil` when there is none.
    public func size(of file: String) -> Int? {
        var status = stat()
        return stat(file, &status) == 0 ? Int(status.st_size) : nil
    }

    private func write(_ bytes: [UInt8], to file: String) -> Bool {
        let descriptor = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        guard FrameStream.write(bytes, to: descriptor) else { return false }
        return fsync(descriptor) == 0
    }

    /// A rename lasts only once its folder is on disk.
    private func synchronize(folder: String) {
        let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { return }
        fsync(descriptor)
        close(descriptor)
    }
}
