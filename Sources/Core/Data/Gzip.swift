import CZlib

/// Inflates gzip files (RFC 1952), and zlib streams (RFC 1950) and plain ones (RFC 1951) inside
/// other files, with the system's zlib, which checks their sums and lengths.
enum Gzip {
    /// How every gzip file begins: two magic bytes and the deflate method.
    static let magic: [UInt8] = [0x1F, 0x8B, 0x08]
    private static let chunkBytes = 1 << 18
    /// 15 bits of window, plus 16 for "gzip and nothing else".
    private static let gzipBits: Int32 = 15 + 16
    /// 15 bits of window in a zlib stream.
    private static let zlibBits: Int32 = 15

    /// Inflates the one member that `bytes` must hold, to at most `bytesMax` bytes.
    static func inflated(
        _ bytes: [UInt8], file: String, bytesMax: Int
    ) throws(DataError) -> [UInt8] {
        try inflated(bytes, file: file, bytesMax: bytesMax, windowBits: gzipBits)
    }

    /// Inflates the one zlib stream that `bytes` must hold, to at most `bytesMax` bytes.
    static func inflatedZlib(
        _ bytes: [UInt8], file: String, bytesMax: Int
    ) throws(DataError) -> [UInt8] {
        try inflated(bytes, file: file, bytesMax: bytesMax, windowBits: zlibBits)
    }

    private static func inflated(
        _ bytes: [UInt8], file: String, bytesMax: Int, windowBits: Int32
    ) throws(DataError) -> [UInt8] {
        var output: [UInt8] = []
        output.reserveCapacity(min(bytesMax, bytes.count * 2))
        let end = inflate(bytes, into: &output, bytesMax: bytesMax, windowBits: windowBits)
        guard end.status == Z_STREAM_END else {
            throw refusal(end, file: file, bytesMax: bytesMax, inflatedBytes: output.count)
        }
        guard end.consumed == bytes.count else {
            throw .malformed(
                file: file, offset: end.consumed, expected: "the end of the deflated stream",
                found: "\(bytes.count - end.consumed) more bytes")
        }
        return output
    }

    /// Inflates a plain stream to `size` bytes and no more.
    static func inflatedRaw(
        _ bytes: [UInt8], file: String, size: Int
    ) throws(DataError) -> [UInt8] {
        let limit = min(size, DataFile.bytesMax)
        var output: [UInt8] = []
        output.reserveCapacity(min(limit, bytes.count * 4))
        let end = inflate(bytes, into: &output, bytesMax: limit, windowBits: -15)
        guard end.status == Z_STREAM_END, end.consumed == bytes.count else {
            throw .malformed(
                file: file, offset: end.consumed, expected: "a deflated stream of \(size) bytes",
                found: end.message ?? "one that is longer, or ends early")
        }
        return output
    }

    private struct Ending {
        var status: Int32
        var consumed: Int
        var message: String?
    }

    /// Runs zlib over `bytes` until the stream ends, breaks, or has given more than `bytesMax`.
    private static func inflate(
        _ bytes: [UInt8], into output: inout [UInt8], bytesMax: Int, windowBits: Int32
    ) -> Ending {
        var input = bytes
        var chunk = [UInt8](repeating: 0, count: chunkBytes)
        return input.withUnsafeMutableBufferPointer { source in
            var stream = z_stream()
            stream.next_in = source.baseAddress
            stream.avail_in = uInt(source.count)
            var status = inflateInit2_(
                &stream, windowBits, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
            guard status == Z_OK else { return Ending(status: status, consumed: 0) }
            while status == Z_OK, output.count <= bytesMax {
                status = chunk.withUnsafeMutableBufferPointer { target in
                    stream.next_out = target.baseAddress
                    stream.avail_out = uInt(target.count)
                    let status = CZlib.inflate(&stream, Z_NO_FLUSH)
                    output.append(contentsOf: target[..<(target.count - Int(stream.avail_out))])
                    return status
                }
            }
            let ending = Ending(
                status: status, consumed: source.count - Int(stream.avail_in),
                message: stream.msg.map { String(cString: $0) })
            inflateEnd(&stream)
            return output.count > bytesMax
                ? Ending(status: Z_BUF_ERROR, consumed: ending.consumed) : ending
        }
    }

    private static func refusal(
        _ end: Ending, file: String, bytesMax: Int, inflatedBytes: Int
    ) -> DataError {
        if inflatedBytes > bytesMax {
            return .malformed(
                file: file, offset: bytesMax, expected: "at most \(bytesMax) inflated bytes",
                found: "more")
        }
        let found =
            end.status == Z_BUF_ERROR
            ? "the end of the file" : end.message ?? "zlib's status \(end.status)"
        return .malformed(
            file: file, offset: inflatedBytes, expected: "an intact deflated stream", found: found)
    }
}
