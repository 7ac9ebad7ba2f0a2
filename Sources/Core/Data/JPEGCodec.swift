import CJPEG

/// Compresses images and decompresses them again: baseline JPEG by libjpeg-turbo with the exact
/// integer transform, chroma halved both ways, and its triangle filter on the way back.
///
/// Belongs to one thread. The library may take memory for itself on each call.
final class JPEGCodec {
    private let shape: ImageShape
    private let compressor: tjhandle
    private let decompressor: tjhandle
    /// Pixel after pixel, as the library wants them.
    private var interleaved: [UInt8]
    private var stream: [UInt8]

    /// Why images of this size cannot be compressed; `nil`: they can.
    static func reasonUnfit(_ shape: ImageShape) -> String? {
        let fits = shape.channels == 1 || shape.channels == 3
        return fits ? nil : "JPEG takes 1 or 3 channels, and the images have \(shape.channels)"
    }

    init(shape: ImageShape) {
        precondition(Self.reasonUnfit(shape) == nil, "\(shape) cannot be compressed")
        guard let compressor = tjInitCompress(), let decompressor = tjInitDecompress() else {
            preconditionFailure("libjpeg-turbo found no memory")
        }
        self.shape = shape
        self.compressor = compressor
        self.decompressor = decompressor
        interleaved = Array(repeating: 0, count: shape.elements)
        let bytes = tjBufSize(Int32(shape.width), Int32(shape.height), Self.sampling(shape))
        stream = Array(repeating: 0, count: Int(bytes))
    }

    deinit {
        tjDestroy(compressor)
        tjDestroy(decompressor)
    }

    private static func sampling(_ shape: ImageShape) -> Int32 {
        Int32((shape.channels == 1 ? TJSAMP_GRAY : TJSAMP_420).rawValue)
    }

    private var format: Int32 {
        Int32((shape.channels == 1 ? TJPF_GRAY : TJPF_RGB).rawValue)
    }

    /// Replaces the image `[channels][height][width]` that begins at a place.
    func roundTrip(_ pixels: inout [UInt8], from place: Int, quality: Int) {
        precondition((1...100).contains(quality), "JPEG has no quality \(quality)")
        for index in 0..<shape.elements {
            interleaved[interleavedPlace(index)] = pixels[place + index]
        }
        decompress(bytes: compress(quality: quality))
        for index in 0..<shape.elements {
            pixels[place + index] = interleaved[interleavedPlace(index)]
        }
    }

    private func interleavedPlace(_ index: Int) -> Int {
        index % shape.positions * shape.channels + index / shape.positions
    }

    /// Answers how many bytes of `stream` it filled.
    private func compress(quality: Int) -> UInt {
        var bytes = UInt(stream.count)
        let status = stream.withUnsafeMutableBufferPointer { stream in
            var target = stream.baseAddress
            return tjCompress2(
                compressor, interleaved, Int32(shape.width), 0, Int32(shape.height), format,
                &target,
                &bytes, Self.sampling(shape), Int32(quality),
                TJFLAG_ACCURATEDCT | TJFLAG_NOREALLOC)
        }
        precondition(status == 0, "JPEG: \(String(cString: tjGetErrorStr2(compressor)))")
        return bytes
    }

    private func decompress(bytes: UInt) {
        let status = tjDecompress2(
            decompressor, stream, bytes, &interleaved, Int32(shape.width), 0, Int32(shape.height),
            format, TJFLAG_ACCURATEDCT)
        precondition(status == 0, "JPEG: \(String(cString: tjGetErrorStr2(decompressor)))")
    }
}
