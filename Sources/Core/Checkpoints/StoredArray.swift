/// Numbers as files hold them, in their own type.
public enum StoredValues: Hashable, Sendable {
    case float32([Float])
    case float64([Double])
    case int64([Int64])
    case int32([Int32])
    case int16([Int16])
    case int8([Int8])
    case uint8([UInt8])
    /// Values of a type that is carried but not interpreted: its name, and its bytes.
    case raw(type: String, bytes: [UInt8])

    /// How many values there are; bytes where the type is not interpreted.
    public var count: Int {
        switch self {
        case .float32(let values): values.count
        case .float64(let values): values.count
        case .int64(let values): values.count
        case .int32(let values): values.count
        case .int16(let values): values.count
        case .int8(let values): values.count
        case .uint8(let values): values.count
        case .raw(_, let bytes): bytes.count
        }
    }

    /// The bytes of the values, little-endian.
    var bytes: [UInt8] {
        switch self {
        case .float32(let values): LittleEndian.bytes(of: values)
        case .float64(let values): LittleEndian.bytes(of: values)
        case .int64(let values): LittleEndian.bytes(of: values)
        case .int32(let values): LittleEndian.bytes(of: values)
        case .int16(let values): LittleEndian.bytes(of: values)
        case .int8(let values): LittleEndian.bytes(of: values)
        case .uint8(let values): values
        case .raw(_, let bytes): bytes
        }
    }
}

/// An array as files hold it: a shape, and values in row-major order.
public struct StoredArray: Hashable, Sendable {
    /// The length of each axis, the slowest first; empty for a single number.
    public let shape: [Int]
    /// The values, row-major.
    public let values: StoredValues

    /// Takes every part as given.
    public init(shape: [Int], values: StoredValues) {
        if case .raw = values {
        } else {
            precondition(
                shape.reduce(1, *) == values.count,
                "shape \(shape) does not hold \(values.count) values")
        }
        self.shape = shape
        self.values = values
    }

    /// The values when they are stored as 32-bit floats.
    public var floats: [Float]? { if case .float32(let values) = values { values } else { nil } }

    /// The values when they are stored as 64-bit floats.
    public var doubles: [Double]? { if case .float64(let values) = values { values } else { nil } }

    /// The values when they are stored as bytes.
    public var bytes: [UInt8]? { if case .uint8(let values) = values { values } else { nil } }

    /// The values when they are whole numbers of any interpreted type.
    public var integers: [Int]? {
        switch values {
        case .int64(let values): values.map { Int($0) }
        case .int32(let values): values.map { Int($0) }
        case .int16(let values): values.map { Int($0) }
        case .int8(let values): values.map { Int($0) }
        case .uint8(let values): values.map { Int($0) }
        case .float32, .float64, .raw: nil
        }
    }
}
