/// Writes the pickle of one tensor, in protocol 2.
enum PickleWriter {
    static func tensor(_ array: StoredArray) -> [UInt8] {
        let strides = array.shape.indices.map { array.shape[($0 + 1)...].reduce(1, *) }
        var out: [UInt8] = [0x80, 2]
        out += Array("ctorch._utils\n_rebuild_tensor_v2\n(".utf8)
        out += Array("(".utf8) + text("storage") + Array("ctorch\n\(type(of: array.values))\n".utf8)
        out += text("0") + text("cpu") + number(array.values.count) + Array("tQ".utf8)
        out += number(0) + tuple(array.shape) + tuple(strides)
        out += [0x89] + Array("ccollections\nOrderedDict\n)RtR.".utf8)
        return out
    }

    private static func type(of values: StoredValues) -> String {
        switch values {
        case .float32: "FloatStorage"
        case .float64: "DoubleStorage"
        case .int64: "LongStorage"
        case .int32: "IntStorage"
        case .int8: "CharStorage"
        case .uint8: "ByteStorage"
        case .int16, .raw: preconditionFailure("no storage of ours holds such values")
        }
    }

    private static func text(_ text: String) -> [UInt8] {
        [UInt8(ascii: "X")] + LittleEndian.bytes(of: [UInt32(text.utf8.count)]) + Array(text.utf8)
    }

    private static func number(_ value: Int) -> [UInt8] {
        value <= Int32.max
            ? [UInt8(ascii: "J")] + LittleEndian.bytes(of: [Int32(value)])
            : [0x8A, 8] + LittleEndian.bytes(of: [Int64(value)])
    }

    private static func tuple(_ values: [Int]) -> [UInt8] {
        [UInt8(ascii: "(")] + values.flatMap(number) + [UInt8(ascii: "t")]
    }
}
