/// The element types of safetensors files.
enum SafetensorsType {
    /// Bytes of one element, by the type's name, of every type the format has in whole bytes.
    static let sizes: [String: Int] = [
        "F64": 8, "F32": 4, "F16": 2, "BF16": 2, "F8_E4M3": 1, "F8_E5M2": 1, "I64": 8, "I32": 4,
        "I16": 2, "I8": 1, "U64": 8, "U32": 4, "U16": 2, "U8": 1, "BOOL": 1, "C64": 8,
    ]

    static func name(of values: StoredValues) -> String {
        switch values {
        case .float32: "F32"
        case .float64: "F64"
        case .int64: "I64"
        case .int32: "I32"
        case .int16: "I16"
        case .int8: "I8"
        case .uint8: "U8"
        case .raw(let type, _): type
        }
    }

    static func values(named type: String, from bytes: ArraySlice<UInt8>) -> StoredValues {
        switch type {
        case "F32": .float32(LittleEndian.values(Float.self, from: bytes))
        case "F64": .float64(LittleEndian.values(Double.self, from: bytes))
        case "I64": .int64(LittleEndian.values(Int64.self, from: bytes))
        case "I32": .int32(LittleEndian.values(Int32.self, from: bytes))
        case "I16": .int16(LittleEndian.values(Int16.self, from: bytes))
        case "I8": .int8(LittleEndian.values(Int8.self, from: bytes))
        case "U8": .uint8(Array(bytes))
        default: .raw(type: type, bytes: Array(bytes))
        }
    }
}
