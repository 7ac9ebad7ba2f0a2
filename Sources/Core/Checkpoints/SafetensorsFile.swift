import Foundation

/// Named arrays in one file, in the safetensors format: a length, a JSON header, then raw values.
///
/// Reading trusts nothing: header length, types, shapes and offsets are all checked, and the
/// arrays must cover the data exactly, without gap or overlap. Writing gives the same bytes for
/// the same arrays in the same order.
public struct SafetensorsFile: Hashable, Sendable {
    /// Free text beside the arrays.
    public var metadata: [String: String]
    /// The arrays' names, in the order of their data.
    public private(set) var names: [String]
    private var arrays: [String: StoredArray]

    /// Most bytes that a header may have.
    static let headerBytesMax = 100_000_000

    /// A file without arrays.
    public init(metadata: [String: String] = [:]) {
        self.metadata = metadata
        names = []
        arrays = [:]
    }

    /// The array called `name`.
    public subscript(name: String) -> StoredArray? { arrays[name] }

    /// Puts an array behind the others, or in the place of the one that has its name.
    public mutating func set(_ name: String, to array: StoredArray) {
        precondition(name != SafetensorsHeader.metadataKey, "\(name) is no name for an array")
        if arrays.updateValue(array, forKey: name) == nil { names.append(name) }
    }

    /// Reads the file at `path`.
    public init(path: String) throws(CheckpointError) {
        let data: Data
        do {
            data = try Data(contentsOf: URL(fileURLWithPath: path))
        } catch {
            throw .unreadable(file: path, reason: error.localizedDescription)
        }
        try self.init(decoding: [UInt8](data), file: path)
    }

    /// Decodes `bytes`; `file` is what errors call them.
    public init(decoding bytes: [UInt8], file: String) throws(CheckpointError) {
        let header = try SafetensorsHeader(decoding: bytes, file: file)
        self.init(metadata: header.metadata)
        for entry in header.entries {
            let slice = bytes[(header.dataOffset + entry.begin)..<(header.dataOffset + entry.end)]
            set(
                entry.name,
                to: StoredArray(
                    shape: entry.shape,
                    values: SafetensorsType.values(named: entry.type, from: slice)))
        }
    }

    /// The file's bytes; the header is padded with spaces to a multiple of eight.
    public func encoded() -> [UInt8] {
        var data: [UInt8] = []
        var entries: [String] = []
        if !metadata.isEmpty {
            let pairs = metadata.sorted { $0.key < $1.key }
                .map { JSONText.quoted($0.key) + ":" + JSONText.quoted($0.value) }
            entries.append(
                "\"\(SafetensorsHeader.metadataKey)\":{\(pairs.joined(separator: ","))}")
        }
        for name in names {
            guard let array = arrays[name] else { continue }
            let begin = data.count
            data += array.values.bytes
            entries.append(
                "\(JSONText.quoted(name)):{\"dtype\":\"\(SafetensorsType.name(of: array.values))\","
                    + "\"shape\":[\(array.shape.map(String.init).joined(separator: ","))],"
                    + "\"data_offsets\":[\(begin),\(data.count)]}")
        }
        var header = Array("{\(entries.joined(separator: ","))}".utf8)
        header += [UInt8](repeating: 0x20, count: (8 - header.count % 8) % 8)
        return LittleEndian.bytes(of: [UInt64(header.count)]) + header + data
    }

    /// Replaces the file at `path` by this one, whole or not at all.
    public func write(to path: String) throws(CheckpointError) {
        try AtomicFile.write(encoded(), to: path)
    }
}

/// Writes strings as JSON does.
enum JSONText {
    /// `text` in quotes, with what JSON cannot hold escaped.
    static func quoted(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": quoted += "\\\""
            case "\\": quoted += "\\\\"
            case _ where scalar.value < 0x20:
                let digits = String(scalar.value, radix: 16)
                quoted += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }
}
