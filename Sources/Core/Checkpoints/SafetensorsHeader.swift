import Foundation

/// The checked header of a safetensors file.
struct SafetensorsHeader {
    struct Entry {
        var name: String
        var type: String
        var shape: [Int]
        var begin: Int
        var end: Int
    }

    static let metadataKey = "__metadata__"
    private static let lengthBytes = 8

    let metadata: [String: String]
    /// In the order of their data, which they cover without gap or overlap.
    let entries: [Entry]
    /// Where the data begins in the file.
    let dataOffset: Int

    init(decoding bytes: [UInt8], file: String) throws(CheckpointError) {
        let length = try SafetensorsHeader.length(in: bytes, file: file)
        dataOffset = SafetensorsHeader.lengthBytes + length
        let table = try SafetensorsHeader.table(
            in: bytes[SafetensorsHeader.lengthBytes..<dataOffset], file: file)
        metadata = table.metadata
        entries = table.arrays.map { name, array in
            let bounds = array.data_offsets
            return Entry(
                name: name, type: array.dtype, shape: array.shape,
                begin: bounds.first ?? -1, end: bounds.count == 2 ? bounds[1] : -1)
        }.sorted { ($0.begin, $0.end, $0.name) < ($1.begin, $1.end, $1.name) }
        try checkEntries(dataBytes: bytes.count - dataOffset, file: file)
    }

    private static func length(in bytes: [UInt8], file: String) throws(CheckpointError) -> Int {
        guard bytes.count >= lengthBytes else {
            throw .malformed(
                file: file, offset: bytes.count, expected: "eight bytes of header length",
                found: "the end of the file")
        }
        let declared = LittleEndian.values(UInt64.self, from: bytes[..<lengthBytes])[0]
        let most = min(bytes.count - lengthBytes, SafetensorsFile.headerBytesMax)
        guard let length = Int(exactly: declared), length <= most else {
            throw .malformed(
                file: file, offset: 0, expected: "a header of at most \(most) bytes",
                found: "\(declared)")
        }
        guard length > 0, bytes[lengthBytes] == UInt8(ascii: "{") else {
            throw .malformed(
                file: file, offset: lengthBytes, expected: "a header that begins with {",
                found: length > 0 ? "byte \(bytes[lengthBytes])" : "an empty header")
        }
        return length
    }

    private static func table(
        in bytes: ArraySlice<UInt8>, file: String
    ) throws(CheckpointError) -> HeaderTable {
        do {
            return try JSONDecoder().decode(HeaderTable.self, from: Data(bytes))
        } catch {
            throw .malformed(
                file: file, offset: bytes.startIndex,
                expected: "a JSON object of {dtype, shape, data_offsets} by name",
                found: HeaderTable.explanation(of: error))
        }
    }

    /// Holds every entry against its type and shape, and all together against the data.
    private func checkEntries(dataBytes: Int, file: String) throws(CheckpointError) {
        var position = 0
        for entry in entries {
            guard let size = SafetensorsType.sizes[entry.type] else {
                throw .malformedArray(
                    file: file, name: entry.name,
                    expected: "a type among "
                        + SafetensorsType.sizes.keys.sorted().joined(separator: " "),
                    found: entry.type)
            }
            guard entry.begin == position, entry.end >= entry.begin, entry.end <= dataBytes else {
                throw .malformedArray(
                    file: file, name: entry.name,
                    expected: "two offsets, from \(position) to at most \(dataBytes)",
                    found: "\(entry.begin) to \(entry.end)")
            }
            guard entry.end - entry.begin == byteCount(of: entry.shape, elementBytes: size) else {
                throw .malformedArray(
                    file: file, name: entry.name,
                    expected: "as many bytes as shape \(entry.shape) of \(entry.type) takes",
                    found: "\(entry.end - entry.begin)")
            }
            position = entry.end
        }
        guard position == dataBytes else {
            throw .malformed(
                file: file, offset: dataOffset + position,
                expected: "the end of the file after the last array",
                found: "\(dataBytes - position) more bytes")
        }
    }

    /// `nil` for shapes with a negative size, and for those too large to be counted.
    private func byteCount(of shape: [Int], elementBytes: Int) -> Int? {
        var bytes = elementBytes
        for size in shape {
            let (product, overflows) = bytes.multipliedReportingOverflow(by: size)
            guard size >= 0, !overflows else { return nil }
            bytes = product
        }
        return bytes
    }
}

/// The header's JSON, before anything in it is believed.
private struct HeaderTable: Decodable {
    struct Array: Decodable {
        let dtype: String
        let shape: [Int]
        /// Named as in the file.
        let data_offsets: [Int]
    }

    private struct Name: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }
        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }

    var metadata: [String: String] = [:]
    var arrays: [(String, Array)] = []

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Name.self)
        for key in container.allKeys {
            if key.stringValue == SafetensorsHeader.metadataKey {
                metadata = try container.decode([String: String].self, forKey: key)
            } else {
                arrays.append((key.stringValue, try container.decode(Array.self, forKey: key)))
            }
        }
    }

    /// Where in the header decoding stopped, and why.
    static func explanation(of error: any Error) -> String {
        let context: DecodingError.Context
        switch error {
        case DecodingError.dataCorrupted(let found): context = found
        case DecodingError.keyNotFound(_, let found): context = found
        case DecodingError.typeMismatch(_, let found): context = found
        case DecodingError.valueNotFound(_, let found): context = found
        default: return "\(error)"
        }
        let path = context.codingPath.map(\.stringValue).joined(separator: ".")
        return path.isEmpty ? context.debugDescription : "\(path): \(context.debugDescription)"
    }
}
