import CJPEG

/// Reads photographs that are stored as JPEG, through libjpeg-turbo.
public enum JPEGFile {
    /// Decodes a file's bytes; `file` is what errors call it.
    ///
    /// Colors come by the exact integer transform; gray images are repeated over three channels,
    /// and the camera's note on how it was held is not followed. Refused are files that are cut or
    /// damaged in any way the library notices, images of four inks, and more than 2²⁶ pixels.
    public static func image(decoding bytes: [UInt8], file: String) throws(DataError) -> ColorImage
    {
        guard bytes.starts(with: [0xFF, 0xD8, 0xFF]) else {
            throw .malformed(
                file: file, offset: 0, expected: "a JPEG file, which begins FF D8 FF",
                found: "\(bytes.prefix(3))")
        }
        guard let handle = tjInitDecompress() else {
            throw .unreadable(file: file, reason: "libjpeg-turbo found no memory")
        }
        defer { tjDestroy(handle) }
        let size = try size(bytes, file, handle)
        var colors = [UInt8](repeating: 0, count: 3 * size.width * size.height)
        let status = tjDecompress2(
            handle, bytes, UInt(bytes.count), &colors, Int32(size.width), 0, Int32(size.height),
            Int32(TJPF_RGB.rawValue), TJFLAG_ACCURATEDCT | TJFLAG_LIMITSCANS)
        guard status == 0 else {
            // The library says what is wrong, but not where; the header was whole.
            throw .malformed(
                file: file, offset: 0, expected: "an intact JPEG image", found: told(handle))
        }
        return ColorImage(width: size.width, height: size.height, rgb: colors)
    }

    /// The image's size, if it is one that can be decoded.
    private static func size(
        _ bytes: [UInt8], _ file: String, _ handle: tjhandle
    ) throws(DataError) -> (width: Int, height: Int) {
        var (width, height, sampling, space) = (Int32(0), Int32(0), Int32(0), Int32(0))
        let status = tjDecompressHeader3(
            handle, bytes, UInt(bytes.count), &width, &height, &sampling, &space)
        guard status == 0, width > 0, height > 0 else {
            throw .malformed(
                file: file, offset: 0, expected: "a JPEG image's header", found: told(handle))
        }
        guard Int(width) * Int(height) <= PNGFile.pixelsMax else {
            throw .malformed(
                file: file, offset: 0, expected: "at most \(PNGFile.pixelsMax) pixels",
                found: "\(width)x\(height)")
        }
        guard space != Int32(TJCS_CMYK.rawValue), space != Int32(TJCS_YCCK.rawValue) else {
            throw .malformed(
                file: file, offset: 0, expected: "gray or color by red, green and blue",
                found: "colors for printing, of four inks")
        }
        return (Int(width), Int(height))
    }

    private static func told(_ handle: tjhandle) -> String {
        String(cString: tjGetErrorStr2(handle))
    }
}
