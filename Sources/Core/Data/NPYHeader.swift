/// The checked header of an `.npy` file.
struct NPYHeader {
    static let magic: [UInt8] = [0x93, 0x4E, 0x55, 0x4D, 0x50, 0x59]
    /// More than any real header has.
    static let headerBytesMax = 1 << 16

    let type: NPYType
    let columnMajor: Bool
    let shape: [Int]
    /// Where the values begin in the file.
    let dataOffset: Int

    init(decoding bytes: [UInt8], file: String) throws(DataError) {
        let text = try NPYHeader.literal(in: bytes, file: file)
        dataOffset = text.endIndex
        var reader = NPYLiteral(bytes: text, file: file)
        let fields = try reader.fields()
        guard let type = NPYType(descriptor: fields.descriptor) else {
            throw .malformed(
                file: file, offset: text.startIndex,
                expected: "descr as one of u1 b1 i1 i2 i4 i8 f2 f4 f8 with its byte order",
                found: "'\(fields.descriptor)'")
        }
        self.type = type
        columnMajor = fields.columnMajor
        shape = fields.shape
        try checkSize(dataBytes: bytes.count - dataOffset, file: file)
    }

    /// The dictionary's text, up to where the values begin.
    private static func literal(
        in bytes: [UInt8], file: String
    ) throws(DataError) -> ArraySlice<UInt8> {
        guard bytes.starts(with: magic), bytes.count >= 10 else {
            throw .malformed(
                file: file, offset: 0, expected: "an .npy file's first ten bytes",
                found: "\(bytes.prefix(10))")
        }
        let major = bytes[6]
        guard (1...3).contains(major) else {
            throw .malformed(
                file: file, offset: 6, expected: "version 1, 2 or 3", found: "\(major)")
        }
        let start = major == 1 ? 10 : 12
        let length = bytes[8..<min(start, bytes.count)].reversed().reduce(0) { $0 << 8 | Int($1) }
        guard length > 0, length <= headerBytesMax, length <= bytes.count - start else {
            throw .malformed(
                file: file, offset: 8,
                expected:
                    "a header of 1 to \(max(1, min(headerBytesMax, bytes.count - start))) bytes",
                found: "\(length)")
        }
        guard bytes[start + length - 1] == 0x0A else {
            throw .malformed(
                file: file, offset: start + length - 1,
                expected: "a line end where the header ends",
                found: "byte \(bytes[start + length - 1])")
        }
        return bytes[start..<(start + length)]
    }

    private func checkSize(dataBytes: Int, file: String) throws(DataError) {
        var elements = 1
        for size in shape {
            let (product, overflows) = elements.multipliedReportingOverflow(by: size)
            guard !overflows, product <= IDXFile.elementsMax else {
                throw .malformed(
                    file: file, offset: 10,
                    expected: "a shape of at most \(IDXFile.elementsMax) elements",
                    found: "\(shape)")
            }
            elements = product
        }
        guard elements * type.elementBytes == dataBytes else {
            throw .malformed(
                file: file, offset: dataOffset,
                expected: "\(elements * type.elementBytes) bytes of values", found: "\(dataBytes)")
        }
    }
}

/// The element types that are read from `.npy` files.
struct NPYType {
    let kind: String
    let bigEndian: Bool

    var elementBytes: Int { kind.utf8.last.map { Int($0) - 48 } ?? 1 }

    private static let kinds = ["u1", "b1", "i1", "i2", "i4", "i8", "f2", "f4", "f8"]

    /// Takes a descriptor such as `<f4`; `nil` for objects, structures and all other types.
    init?(descriptor: String) {
        guard let order = descriptor.first, NPYType.kinds.contains(String(descriptor.dropFirst()))
        else { return nil }
        kind = String(descriptor.dropFirst())
        bigEndian = order == ">"
        guard order == "<" || order == ">" || (order == "|" && kind.hasSuffix("1")) else {
            return nil
        }
    }

    static func descriptor(of values: StoredValues) -> String {
        switch values {
        case .float32: "<f4"
        case .float64: "<f8"
        case .int64: "<i8"
        case .int32: "<i4"
        case .int16: "<i2"
        case .int8: "|i1"
        case .uint8: "|u1"
        case .raw(let type, _): preconditionFailure("no .npy file holds values of type \(type)")
        }
    }

    func values(from stored: ArraySlice<UInt8>) -> StoredValues {
        let bytes = bigEndian ? swapped(stored) : stored
        return switch kind {
        case "f2": .float32(HalfPrecision.floats(LittleEndian.values(UInt16.self, from: bytes)))
        case "f4": .float32(LittleEndian.values(Float.self, from: bytes))
        case "f8": .float64(LittleEndian.values(Double.self, from: bytes))
        case "i8": .int64(LittleEndian.values(Int64.self, from: bytes))
        case "i4": .int32(LittleEndian.values(Int32.self, from: bytes))
        case "i2": .int16(LittleEndian.values(Int16.self, from: bytes))
        case "i1": .int8(LittleEndian.values(Int8.self, from: bytes))
        default: .uint8(Array(bytes))
        }
    }

    private func swapped(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        let size = elementBytes
        let first = bytes.startIndex
        return ArraySlice(
            bytes.indices.map { index in
                let within = (index - first) % size
                return bytes[index - within + size - 1 - within]
            })
    }
}
