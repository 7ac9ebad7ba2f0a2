/// Turns numbers into little-endian bytes and back, by whole arrays.
enum LittleEndian {
    /// The bytes of `values` in order. Every machine we run on is little-endian itself.
    static func bytes<Value: BitwiseCopyable>(of values: [Value]) -> [UInt8] {
        values.withUnsafeBytes { Array($0) }
    }

    /// The numbers whose bytes are `bytes`, which must be a whole number of them.
    static func values<Value: Numeric & BitwiseCopyable>(
        _ type: Value.Type, from bytes: ArraySlice<UInt8>
    ) -> [Value] {
        let size = MemoryLayout<Value>.size
        precondition(bytes.count.isMultiple(of: size), "\(bytes.count) bytes in pieces of \(size)")
        var values = [Value](repeating: 0, count: bytes.count / size)
        values.withUnsafeMutableBytes { $0.copyBytes(from: bytes) }
        return values
    }
}
