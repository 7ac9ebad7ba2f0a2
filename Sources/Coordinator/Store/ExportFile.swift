import FathomCore
import Foundation

/// A file that appears under its name once it is whole.
final class ExportFile {
    private let path: String
    private let handle: FileHandle
    private var buffer: [UInt8] = []
    private var byteCount = 0
    private var hasher = StreamingDigest()

    init(path: String) throws(StoreError) {
        self.path = path
        let url = URL(fileURLWithPath: path)
        do {
            try FileManager.default.createDirectory(
                at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data().write(to: URL(fileURLWithPath: path + ".part"))
            handle = try FileHandle(forWritingTo: URL(fileURLWithPath: path + ".part"))
        } catch {
            throw .exportFailed(path: path, detail: "\(error.localizedDescription)")
        }
        buffer.reserveCapacity(1 << 20)
    }

    func add(_ bytes: [UInt8]) throws(StoreError) {
        buffer.append(contentsOf: bytes)
        if buffer.count > 1 << 20 { try flush() }
    }

    /// Closes the file and gives it its name.
    func finish(as name: String, rows: Int) throws(StoreError) -> ExportedFile {
        try flush()
        try? handle.close()
        guard rename(path + ".part", path) == 0 else {
            throw .exportFailed(path: path, detail: String(cString: strerror(errno)))
        }
        return ExportedFile(path: name, rows: rows, bytes: byteCount, digest: hasher.finished())
    }

    private func flush() throws(StoreError) {
        do {
            try handle.write(contentsOf: buffer)
        } catch {
            throw .exportFailed(path: path, detail: "\(error.localizedDescription)")
        }
        byteCount += buffer.count
        hasher.add(buffer)
        buffer.removeAll(keepingCapacity: true)
    }
}
