import Foundation

/// A NumPy `.npy` file: one array with its type and shape.
///
/// Read are versions 1 to 3, either byte order, row- or column-major, of the types u1, b1, i1, i2,
/// i4, i8, f2 (as f4), f4 and f8; written is version 1, little-endian, row-major.
public struct NPYFile: Hashable, Sendable {
    /// The array, row-major whatever the order in the file was.
    public let array: StoredArray

    /// A file of this array.
    public init(_ array: StoredArray) {
        self.array = array
    }

    /// Reads the file at `path`; see `init(decoding:file:finite:)`.
    public init(path: String, finite: Bool = true) throws(DataError) {
        try self.init(decoding: try DataFile.raw(path: path), file: path, finite: finite)
    }

    /// Decodes `bytes`.
    ///
    /// - Parameters:
    ///   - bytes: The whole file.
    ///   - file: What errors call the bytes.
    ///   - finite: Whether NaN and infinity are refused, as they are in images and perturbations.
    /// - Throws: `DataError`, naming the offset.
    public init(decoding bytes: [UInt8], file: String, finite: Bool = true) throws(DataError) {
        let header = try NPYHeader(decoding: bytes, file: file)
        let values = header.type.values(from: bytes[header.dataOffset...])
        let stored = header.columnMajor ? values.transposed(shape: header.shape) : values
        if finite, let index = stored.firstNotFinite {
            throw .malformed(
                file: file, offset: header.dataOffset, expected: "finite numbers only",
                found: "one that is not, at element \(index)")
        }
        array = StoredArray(shape: header.shape, values: stored)
    }

    /// The file's bytes: version 1.0, its data at a multiple of 64.
    public func encoded() -> [UInt8] {
        NPYFile.header(descriptor: NPYType.descriptor(of: array.values), shape: array.shape)
            + array.values.bytes
    }

    /// What stands before the values of such a file.
    static func header(descriptor: String, shape: [Int]) -> [UInt8] {
        var sizes = shape.map(String.init).joined(separator: ", ")
        if shape.count == 1 { sizes += "," }
        var header = Array(
            "{'descr': '\(descriptor)', 'fortran_order': False, 'shape': (\(sizes)), }".utf8)
        let prefixBytes = NPYHeader.magic.count + 4
        let padding = (64 - (prefixBytes + header.count + 1) % 64) % 64
        header += [UInt8](repeating: 0x20, count: padding) + [0x0A]
        return NPYHeader.magic + [1, 0] + LittleEndian.bytes(of: [UInt16(header.count)]) + header
    }

    /// Replaces the file at `path` by this one, whole or not at all.
    public func write(to path: String) throws(CheckpointError) {
        try AtomicFile.write(encoded(), to: path)
    }
}

extension StoredValues {
    /// The index of the first NaN or infinity.
    var firstNotFinite: Int? {
        switch self {
        case .float32(let values): values.firstIndex { !$0.isFinite }
        case .float64(let values): values.firstIndex { !$0.isFinite }
        default: nil
        }
    }

    /// Puts column-major values of `shape` into row-major order.
    func transposed(shape: [Int]) -> StoredValues {
        switch self {
        case .float32(let values): .float32(StoredValues.rowMajor(values, shape))
        case .float64(let values): .float64(StoredValues.rowMajor(values, shape))
        case .int64(let values): .int64(StoredValues.rowMajor(values, shape))
        case .int32(let values): .int32(StoredValues.rowMajor(values, shape))
        case .int16(let values): .int16(StoredValues.rowMajor(values, shape))
        case .int8(let values): .int8(StoredValues.rowMajor(values, shape))
        case .uint8(let values): .uint8(StoredValues.rowMajor(values, shape))
        case .raw: self
        }
    }

    private static func rowMajor<Value>(_ values: [Value], _ shape: [Int]) -> [Value] {
        var strides: [Int] = []
        var stride = 1
        for size in shape {
            strides.append(stride)
            stride *= size
        }
        var position = [Int](repeating: 0, count: shape.count)
        return values.indices.map { _ in
            let value = values[zip(position, strides).reduce(0) { $0 + $1.0 * $1.1 }]
            // Counts up like an odometer, the last axis fastest.
            var axis = shape.count - 1
            while axis >= 0 {
                position[axis] += 1
                if position[axis] < shape[axis] { break }
                position[axis] = 0
                axis -= 1
            }
            return value
        }
    }
}
