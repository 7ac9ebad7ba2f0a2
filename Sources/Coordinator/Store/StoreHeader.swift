import Foundation

/// What the first hundred bytes of a file say, read without SQLite, so that a file which is not
/// ours is not even opened by it.
struct StoreHeader: Equatable {
    enum Kind: Equatable {
        case absent
        case other(String)
        case database(applicationID: Int, schemaVersion: Int)
    }

    static func kind(ofFile path: String) throws(StoreError) -> Kind {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
            return .absent
        }
        if isFolder.boolValue { return .other("a folder") }
        guard let file = StoreFile(path: path) else {
            throw .readOnly(path: path, detail: "no permission to read it")
        }
        return kind(of: try file.first(100, path: path))
    }

    /// Offsets 60 and 68 of the header are SQLite's `user_version` and `application_id`.
    static func kind(of bytes: [UInt8]) -> Kind {
        if bytes.isEmpty { return .other("an empty file") }
        guard bytes.count == 100, bytes.starts(with: Array("SQLite format 3\0".utf8)) else {
            return .other("no SQLite database")
        }
        func number(at offset: Int) -> Int {
            bytes[offset..<offset + 4].reduce(0) { $0 << 8 | Int($1) }
        }
        return .database(applicationID: number(at: 68), schemaVersion: number(at: 60))
    }
}
