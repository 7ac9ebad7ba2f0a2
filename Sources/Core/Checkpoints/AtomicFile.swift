public import Foundation

/// Replaces files whole: whoever looks sees the old bytes or the new ones, also after a power cut.
public enum AtomicFile {
    /// Writes `bytes` under a temporary name beside `path`, makes them durable, and renames.
    ///
    /// - Parameter mode: Who may read it in the end.
    public static func write(
        _ bytes: [UInt8], to path: String, mode: mode_t = 0o644
    ) throws(CheckpointError) {
        var template = Array((path + ".XXXXXX").utf8CString)
        let descriptor = mkstemp(&template)
        guard descriptor >= 0 else { throw failure(path, "opening a temporary file") }
        let temporary = String(
            decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        do throws(CheckpointError) {
            try fill(descriptor, with: bytes, path: path, mode: mode)
            guard rename(temporary, path) == 0 else { throw failure(path, "renaming") }
        } catch {
            unlink(temporary)
            throw error
        }
        try syncFolder(of: path)
    }

    /// Writes everything, makes it durable, and closes the descriptor whatever happens.
    private static func fill(
        _ descriptor: Int32, with bytes: [UInt8], path: String, mode: mode_t
    ) throws(CheckpointError) {
        var failed: CheckpointError?
        var written = 0
        while written < bytes.count, failed == nil {
            let count = bytes[written...].withUnsafeBytes {
                Foundation.write(descriptor, $0.baseAddress, $0.count)
            }
            if count > 0 {
                written += count
            } else if errno != EINTR {
                failed = failure(path, "writing")
            }
        }
        // A temporary file is its owner's alone; a finished one may be read like any other.
        if failed == nil, fchmod(descriptor, mode) != 0 { failed = failure(path, "its mode") }
        if failed == nil, fsync(descriptor) != 0 { failed = failure(path, "fsync") }
        if close(descriptor) != 0, failed == nil { failed = failure(path, "closing") }
        if let failed { throw failed }
    }

    /// Makes the new name durable.
    private static func syncFolder(of path: String) throws(CheckpointError) {
        let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
        let descriptor = open(folder, O_RDONLY | O_DIRECTORY)
        guard descriptor >= 0 else { throw failure(path, "opening its folder") }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw failure(path, "fsync of its folder") }
    }

    private static func failure(_ path: String, _ step: String) -> CheckpointError {
        .unwritable(file: path, step: step, reason: String(cString: strerror(errno)))
    }
}
