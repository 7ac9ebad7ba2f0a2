/// A PyTorch `.pt` file of tensors: one, or a dictionary, list or tuple of them.
///
/// Nothing of a file is ever run: its pickle is read by a machine that knows tensors, storages,
/// numbers, texts and containers, and refuses all else.
public struct TorchFile: Sendable {
    /// By their keys or positions; a lone tensor has an empty name.
    public let tensors: [(name: String, array: StoredArray)]

    private static let oldMagic: [UInt8] = [
        0x8A, 0x0A, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19,
    ]

    /// Whether bytes begin as files of torch 1.5 and older do.
    static func isOld(_ bytes: [UInt8]) -> Bool {
        bytes.count > 14 && bytes[0] == 0x80 && bytes.dropFirst(2).starts(with: oldMagic)
    }

    /// Decodes a file's bytes; `file` is what errors call it.
    public init(decoding bytes: [UInt8], file: String) throws(DataError) {
        if Self.isOld(bytes) {
            throw .malformed(
                file: file, offset: 0, expected: "a .pt file of torch 1.6 or newer",
                found: "an older one; load it and call torch.save(x, path) again")
        }
        let archive = try ZIPFile(decoding: bytes, file: file)
        guard let pickle = archive.names.first(where: { $0.hasSuffix("/data.pkl") }),
            let program = archive[pickle]
        else {
            throw .malformed(
                file: file, offset: 0, expected: "a member STEM/data.pkl",
                found: "\(archive.names.prefix(3))")
        }
        let stem = String(pickle.dropLast("data.pkl".count))
        if let order = archive[stem + "byteorder"], order != Array("little".utf8) {
            throw .malformed(
                file: file, offset: 0, expected: "little-endian storages",
                found: "byteorder \(String(decoding: order.prefix(16), as: UTF8.self))")
        }
        var reader = PickleReader(bytes: program, file: "\(file): \(pickle)")
        let value = try reader.value()
        tensors = try Self.named(value, file: file).map { (name, tensor) throws(DataError) in
            let storage = archive[stem + "data/" + tensor.storage.key]
            return (name, try tensor.array(storage, file: file))
        }
    }

    private static func named(
        _ value: PickleValue, file: String
    ) throws(DataError) -> [(String, PickledTensor)] {
        let parts: [(String, PickleValue)]
        switch value {
        case .tensor(let tensor): return [("", tensor)]
        case .dictionary(let items): parts = items
        case .sequence(let items): parts = items.enumerated().map { ("\($0.offset)", $0.element) }
        default: parts = []
        }
        let tensors = parts.compactMap { name, value -> (String, PickledTensor)? in
            if case .tensor(let tensor) = value { return (name, tensor) }
            return nil
        }
        guard !tensors.isEmpty else {
            throw .malformed(
                file: file, offset: 0, expected: "a tensor, or a dictionary or list of some",
                found: "none")
        }
        return tensors
    }

    /// A file's bytes with one tensor, as `torch.load` reads them.
    public static func encoded(_ array: StoredArray) -> [UInt8] {
        ZIPFile.encoded([
            ("archive/data.pkl", PickleWriter.tensor(array)),
            ("archive/byteorder", Array("little".utf8)),
            ("archive/data/0", array.values.bytes), ("archive/version", Array("3\n".utf8)),
        ])
    }
}

/// A storage that a pickle names: the numbers themselves are a member of the archive.
struct PickledStorage: Hashable, Sendable {
    var type: String
    var key: String
    var count: Int

    private static let sizes = [
        "FloatStorage": 4, "HalfStorage": 2, "DoubleStorage": 8, "ByteStorage": 1,
        "CharStorage": 1, "IntStorage": 4, "LongStorage": 8,
    ]

    /// Bytes a number; `nil` for types that are not read.
    static func size(_ type: String) -> Int? { sizes[type] }
}

/// A tensor that a pickle describes.
struct PickledTensor: Hashable, Sendable {
    var storage: PickledStorage
    var offset: Int
    var shape: [Int]
    var strides: [Int]

    /// The numbers, row-major.
    func array(_ bytes: [UInt8]?, file: String) throws(DataError) -> StoredArray {
        let size = PickledStorage.size(storage.type) ?? 1
        guard let bytes, bytes.count / size == storage.count, bytes.count % size == 0 else {
            throw .malformed(
                file: file, offset: 0,
                expected: "\(storage.count) numbers of \(size) bytes in storage \(storage.key)",
                found: bytes.map { "\($0.count) bytes" } ?? "no such member")
        }
        let count = try checkedCount(file: file)
        func picked<Value: Numeric & BitwiseCopyable>(_ type: Value.Type) -> [Value] {
            let all = LittleEndian.values(type, from: bytes[...])
            let isPlain = strides == shape.indices.map { shape[($0 + 1)...].reduce(1, *) }
            return isPlain ? Array(all[offset..<(offset + count)]) : places.map { all[$0] }
        }
        let values: StoredValues =
            switch storage.type {
            case "FloatStorage": .float32(picked(Float.self))
            case "DoubleStorage": .float64(picked(Double.self))
            case "HalfStorage": .float32(HalfPrecision.floats(picked(UInt16.self)))
            case "ByteStorage": .uint8(picked(UInt8.self))
            case "CharStorage": .int8(picked(Int8.self))
            case "IntStorage": .int32(picked(Int32.self))
            default: .int64(picked(Int64.self))
            }
        if let place = values.firstNotFinite {
            throw .malformed(
                file: file, offset: 0, expected: "finite numbers only",
                found: "one that is not, at element \(place)")
        }
        return StoredArray(shape: shape, values: values)
    }

    /// How many numbers there are, all of them inside the storage.
    private func checkedCount(file: String) throws(DataError) -> Int {
        var count = 1
        var last = offset
        for (size, stride) in zip(shape, strides) {
            let (product, tooMany) = count.multipliedReportingOverflow(by: size)
            let (reach, tooFar) = (size - 1).multipliedReportingOverflow(by: stride)
            let (sum, beyond) = last.addingReportingOverflow(reach)
            guard shape.count == strides.count, size > 0, stride >= 0, !tooMany, !tooFar, !beyond,
                product <= IDXFile.elementsMax
            else {
                throw .malformed(
                    file: file, offset: 0, expected: "sizes above 0 and strides from 0",
                    found: "\(shape) by \(strides)")
            }
            (count, last) = (product, sum)
        }
        guard offset >= 0, shape.count == strides.count, last < storage.count else {
            throw .malformed(
                file: file, offset: 0,
                expected: "a tensor inside its storage of \(storage.count) numbers",
                found: "\(shape) by \(strides) from \(offset)")
        }
        return count
    }

    /// Where in the storage each number lies, in row-major order.
    private var places: [Int] {
        zip(shape, strides).reduce([offset]) { starts, axis in
            starts.flatMap { start in (0..<axis.0).map { start + $0 * axis.1 } }
        }
    }
}

/// Numbers of 16 bits.
enum HalfPrecision {
    static func floats(_ bits: [UInt16]) -> [Float] {
        bits.map { bits in
            let sign: Float = bits >> 15 == 0 ? 1 : -1
            let exponent = Int(bits >> 10 & 0x1F)
            let fraction = Float(bits & 0x3FF)
            if exponent == 31 { return fraction == 0 ? sign * .infinity : .nan }
            if exponent == 0 { return sign * fraction * 0x1p-24 }
            return sign * (1024 + fraction)
                * Float(sign: .plus, exponent: exponent - 25, significand: 1)
        }
    }
}
