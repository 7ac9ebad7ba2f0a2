import FathomCore
import Foundation
import Glibc

/// The folder a runner works in: what it is given lies in `inputs`, what it makes in `job`.
struct RunnerScratch {
    let path: String
    var inputs: String { path + "/inputs" }
    var job: String { path + "/job" }

    /// Makes a folder of its own within `base`, which only we may read.
    init(in base: String) throws {
        try FileManager.default.createDirectory(atPath: base, withIntermediateDirectories: true)
        var template = Array("\(base)/fathom-runner-XXXXXX".utf8CString)
        guard
            template.withUnsafeMutableBufferPointer({ $0.baseAddress.flatMap { mkdtemp($0) } })
                != nil
        else {
            throw RunnerFault.file(
                path: base, reason: "cannot be made: " + String(cString: strerror(errno)))
        }
        let made = template.withUnsafeBufferPointer { buffer in
            String(decoding: buffer.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        }
        path = URL(fileURLWithPath: made).resolvingSymlinksInPath().path
        for folder in [inputs, job, path + "/tmp"] {
            try FileManager.default.createDirectory(
                atPath: folder, withIntermediateDirectories: true)
        }
    }

    /// An empty folder for the next job.
    func clearJob() throws {
        try? FileManager.default.removeItem(atPath: job)
        try FileManager.default.createDirectory(atPath: job, withIntermediateDirectories: true)
    }

    /// Reads a file that the runner says it made.
    ///
    /// - Parameter name: Its path, relative to the job's folder or absolute within it.
    /// - Throws: `RunnerFault` when it is elsewhere, whatever links lead there, or no plain file.
    func read(_ name: String, bytesMax: Int) throws(RunnerFault) -> [UInt8] {
        let given = name.hasPrefix("/") ? name : job + "/" + name
        guard !name.isEmpty, name.utf8.count <= 4_096, let real = realpath(given, nil) else {
            throw .file(path: name, reason: "is not there")
        }
        defer { free(real) }
        let resolved = String(cString: real)
        guard resolved.hasPrefix(job + "/") else {
            throw .file(path: name, reason: "lies outside of the job's folder")
        }
        // Opened by its resolved path and without following a link put there meanwhile.
        let descriptor = open(resolved, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw .file(
                path: name, reason: "cannot be read: " + String(cString: strerror(errno)))
        }
        defer { close(descriptor) }
        var facts = stat()
        guard fstat(descriptor, &facts) == 0, facts.st_mode & S_IFMT == S_IFREG else {
            throw .file(path: name, reason: "is no plain file")
        }
        guard facts.st_size <= bytesMax else {
            throw .file(
                path: name, reason: "has \(facts.st_size) bytes; \(bytesMax) are allowed")
        }
        return try Self.bytes(of: descriptor, count: Int(facts.st_size), name)
    }

    private static func bytes(
        of descriptor: Int32, count: Int, _ name: String
    ) throws(RunnerFault) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        var offset = 0
        while offset < count {
            let got = bytes.withUnsafeMutableBytes { buffer in
                Glibc.read(descriptor, buffer.baseAddress.map { $0 + offset }, count - offset)
            }
            if got < 0 && errno == EINTR { continue }
            guard got > 0 else { throw .file(path: name, reason: "was changed while it was read") }
            offset += got
        }
        return bytes
    }
}
