/// The arrays of numbers in a MATLAB level 5 file, as far as data sets need them: dense, real, of
/// bytes or doubles, stored or deflated.
///
/// No count is trusted before it is held against the bytes that are there.
public struct MATFile: Sendable {
    /// A named array, column-major as MATLAB has it.
    public struct Array: Hashable, Sendable {
        public let name: String
        /// The first size varies fastest.
        public let sizes: [Int]
        public let values: Values
    }

    public enum Values: Hashable, Sendable {
        case bytes([UInt8])
        case doubles([Double])
    }

    public let arrays: [Array]

    private static let headerBytes = 128

    /// Decodes a file's bytes; `file` is what errors call it.
    public init(decoding bytes: [UInt8], file: String) throws(DataError) {
        try MATFile.checkHeader(bytes, file: file)
        var arrays: [Array] = []
        var reader = MATReader(bytes: bytes[MATFile.headerBytes...], file: file)
        while let element = try reader.next() {
            if element.type == .compressed {
                let inflated = try Gzip.inflatedZlib(
                    Swift.Array(element.bytes), file: file, bytesMax: DataFile.bytesMax)
                var inner = MATReader(bytes: inflated[...], file: file)
                while let element = try inner.next() {
                    arrays.append(try MATFile.array(element, file: file))
                }
            } else {
                arrays.append(try MATFile.array(element, file: file))
            }
        }
        self.arrays = arrays
    }

    private static func checkHeader(_ bytes: [UInt8], file: String) throws(DataError) {
        let text = String(decoding: bytes.prefix(20), as: UTF8.self)
        guard !text.hasPrefix("MATLAB 7.3") else {
            throw .malformed(
                file: file, offset: 0, expected: "a level 5 file",
                found: "MATLAB 7.3 (HDF5); save it with -v6 or -v7")
        }
        guard bytes.count >= headerBytes, text.hasPrefix("MATLAB 5.0") else {
            throw .malformed(
                file: file, offset: 0, expected: "MATLAB 5.0 and a header of 128 bytes",
                found: "'\(text.prefix(10))' and \(bytes.count) bytes")
        }
        // "IM" on the disk: written on a little-endian machine, as all are today.
        guard bytes[124..<128].elementsEqual([0x00, 0x01, 0x49, 0x4D]) else {
            throw .malformed(
                file: file, offset: 124, expected: "version 1, little-endian",
                found: "\(Swift.Array(bytes[124..<128]))")
        }
    }

    /// A matrix: flags, sizes, name, real values.
    private static func array(
        _ element: MATElement, file: String
    ) throws(DataError) -> Array {
        func refusal(_ expected: String, _ found: String) -> DataError {
            .malformed(file: file, offset: element.offset, expected: expected, found: found)
        }
        guard element.type == .matrix else {
            throw refusal("a matrix", "an element of type \(element.code)")
        }
        var reader = MATReader(bytes: element.bytes, file: file)
        guard let flags = try reader.next(), flags.type == .uint32, flags.bytes.count == 8,
            let sizes = try reader.next(), sizes.type == .int32, sizes.bytes.count % 4 == 0,
            let name = try reader.next(), name.type == .int8
        else { throw refusal("flags, sizes and a name", "something else") }
        let flagBits = flags.bytes[flags.bytes.startIndex + 1]
        let matrixClass = flags.bytes[flags.bytes.startIndex]
        guard flagBits & 0x08 == 0, [6, 9].contains(matrixClass) else {
            throw refusal(
                "a real array of doubles or bytes",
                flagBits & 0x08 == 0 ? "class \(matrixClass)" : "complex numbers")
        }
        let shape = LittleEndian.values(Int32.self, from: sizes.bytes).map { Int($0) }
        guard let values = try reader.next() else { throw refusal("values", "none") }
        return Array(
            name: String(decoding: name.bytes, as: UTF8.self), sizes: shape,
            values: try MATFile.values(
                values, shape: shape, isDouble: matrixClass == 6, file: file))
    }

    private static func values(
        _ element: MATElement, shape: [Int], isDouble: Bool, file: String
    ) throws(DataError) -> Values {
        var elements = 1
        for size in shape {
            let (product, overflows) = elements.multipliedReportingOverflow(by: size)
            guard size > 0, !overflows, product <= IDXFile.elementsMax else {
                throw .malformed(
                    file: file, offset: element.offset,
                    expected: "sizes above 0, at most \(IDXFile.elementsMax) values in all",
                    found: "\(shape)")
            }
            elements = product
        }
        let bytes = element.bytes
        let read: Values
        let count: Int
        switch element.type {
        // Doubles that are small whole numbers are stored as bytes.
        case .uint8 where isDouble:
            read = .doubles(bytes.map { Double($0) })
            count = bytes.count
        case .uint8:
            read = .bytes(Swift.Array(bytes))
            count = bytes.count
        case .double where isDouble && bytes.count % 8 == 0:
            let values = LittleEndian.values(Double.self, from: bytes)
            read = .doubles(values)
            count = values.count
        default:
            throw .malformed(
                file: file, offset: element.offset, expected: "values stored as bytes or doubles",
                found: "type \(element.code)")
        }
        guard count == elements else {
            throw .malformed(
                file: file, offset: element.offset, expected: "\(elements) values",
                found: "\(count)")
        }
        return read
    }
}

/// A tagged run of bytes.
struct MATElement {
    enum Kind: UInt32 {
        case int8 = 1, uint8 = 2, int32 = 5, uint32 = 6, double = 9, matrix = 14, compressed = 15
    }

    let code: UInt32
    let bytes: ArraySlice<UInt8>
    /// Where it begins in what it was read from.
    let offset: Int

    var type: Kind? { Kind(rawValue: code) }
}

/// Goes from element to element.
struct MATReader {
    private var rest: ArraySlice<UInt8>
    private let file: String

    init(bytes: ArraySlice<UInt8>, file: String) {
        rest = bytes
        self.file = file
    }

    mutating func next() throws(DataError) -> MATElement? {
        guard !rest.isEmpty else { return nil }
        let offset = rest.startIndex
        guard rest.count >= 8 else { throw cut(offset, needed: 8) }
        let words = LittleEndian.values(UInt32.self, from: rest.prefix(8))
        if words[0] >> 16 != 0 {
            // A small element: its size in the tag's upper half, its data in the other four bytes.
            let size = Int(words[0] >> 16)
            guard size <= 4 else { throw cut(offset, needed: 8 + size) }
            let data = rest[(offset + 4)..<(offset + 4 + size)]
            rest = rest[(offset + 8)...]
            return MATElement(code: words[0] & 0xFFFF, bytes: data, offset: offset)
        }
        let size = Int(words[1])
        guard size <= rest.count - 8 else { throw cut(offset, needed: 8 + size) }
        let data = rest[(offset + 8)..<(offset + 8 + size)]
        // Deflated elements are not padded, and at the end of a file padding may be missing.
        let padding = words[0] == MATElement.Kind.compressed.rawValue ? 0 : (8 - size % 8) % 8
        rest = rest[min(rest.endIndex, offset + 8 + size + padding)...]
        return MATElement(code: words[0], bytes: data, offset: offset)
    }

    private func cut(_ offset: Int, needed: Int) -> DataError {
        .malformed(
            file: file, offset: offset, expected: "an element of \(needed) bytes",
            found: "\(rest.endIndex - offset) bytes")
    }
}
