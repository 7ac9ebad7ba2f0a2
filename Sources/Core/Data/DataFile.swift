import Foundation

/// Reads files of data sets, within limits.
enum DataFile {
    /// No file of a data set, inflated or not, may be larger: 1 GiB.
    static let bytesMax = 1 << 30

    /// The file's bytes, inflated when they are gzip.
    static func contents(path: String) throws(DataError) -> [UInt8] {
        let bytes = try raw(path: path)
        guard bytes.starts(with: Gzip.magic) else { return bytes }
        return try Gzip.inflated(bytes, file: path, bytesMax: bytesMax)
    }

    /// The file's bytes as they are stored.
    static func raw(path: String) throws(DataError) -> [UInt8] {
        let data: Data
        do {
            let size = try byteCount(path: path)
            guard size <= bytesMax else {
                throw DataError.malformed(
                    file: path, offset: 0, expected: "at most \(bytesMax) bytes",
                    found: "\(size) bytes")
            }
            data = try Data(contentsOf: URL(fileURLWithPath: path))
        } catch let error as DataError {
            throw error
        } catch {
            throw .unreadable(file: path, reason: error.localizedDescription)
        }
        return [UInt8](data)
    }

    /// How long the file is, links followed.
    static func byteCount(path: String) throws(DataError) -> Int {
        do {
            let attributes = try FileManager.default.attributesOfItem(atPath: resolved(path))
            return (attributes[.size] as? NSNumber)?.intValue ?? 0
        } catch {
            throw .unreadable(file: path, reason: error.localizedDescription)
        }
    }

    /// The file's size and when it was changed last, links followed.
    static func stamp(path: String) throws(DataError) -> String {
        do {
            let attributes = try FileManager.default.attributesOfItem(atPath: resolved(path))
            let size = (attributes[.size] as? NSNumber)?.intValue ?? 0
            let time = (attributes[.modificationDate] as? Date)?.timeIntervalSince1970 ?? 0
            return "\(size) \(time.bitPattern)"
        } catch {
            throw .unreadable(file: path, reason: error.localizedDescription)
        }
    }

    /// Refuses a file that is a link to somewhere outside `folder`.
    static func requireInside(_ path: String, folder: String) throws(DataError) {
        let target = resolved(path)
        let root = resolved(folder)
        guard target.hasPrefix(root.hasSuffix("/") ? root : root + "/") else {
            throw .linkLeavesFolder(file: path, target: target)
        }
    }

    /// Whether a folder has all of these files.
    static func exist(_ names: [String], in folder: String) -> Bool {
        names.allSatisfy { FileManager.default.fileExists(atPath: folder + "/" + $0) }
    }

    private static func resolved(_ path: String) -> String {
        URL(fileURLWithPath: path).resolvingSymlinksInPath().path
    }
}
