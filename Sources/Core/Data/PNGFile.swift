import CPNG
import Foundation

/// A decoded PNG file, its samples as they are stored: palette indices, 16-bit depths and class
/// numbers are not touched by gamma or scaling.
public struct PNGFile: Hashable, Sendable {
    /// What the channels of a pixel mean.
    public enum Color: Int, Hashable, Sendable, CaseIterable {
        case gray = 0, rgb = 2, palette = 3, grayAlpha = 4, rgbAlpha = 6

        /// Samples a pixel.
        public var channels: Int {
            switch self {
            case .gray, .palette: 1
            case .grayAlpha: 2
            case .rgb: 3
            case .rgbAlpha: 4
            }
        }
    }

    /// Row after row, pixel after pixel, channels together.
    public enum Samples: Hashable, Sendable {
        case bytes([UInt8])
        case words([UInt16])
    }

    public let width: Int
    public let height: Int
    public let color: Color
    public let samples: Samples
    /// Three bytes an entry; empty without a palette.
    public let palette: [UInt8]

    /// No image may have more pixels.
    static let pixelsMax = 1 << 26

    /// Takes every part as given; a palette is for files that are read.
    public init(width: Int, height: Int, color: Color, samples: Samples) {
        let count =
            switch samples {
            case .bytes(let values): values.count
            case .words(let values): values.count
            }
        precondition(
            width > 0 && height > 0 && count == width * height * color.channels
                && color != .palette,
            "\(count) samples are no \(color) image of \(width)x\(height)")
        self.width = width
        self.height = height
        self.color = color
        self.samples = samples
        palette = []
    }

    /// Reads the file at `path`.
    public init(path: String) throws(DataError) {
        try self.init(decoding: try DataFile.raw(path: path), file: path)
    }

    /// Decodes a file's bytes; `file` is what errors call it.
    ///
    /// Checks every chunk's sum. Refused are interlaced images, more than 2²⁶ pixels, and bytes
    /// after the end.
    public init(decoding bytes: [UInt8], file: String) throws(DataError) {
        var image = fathom_png()
        defer { fathom_png_release(&image) }
        guard fathom_png_read(bytes, bytes.count, UInt64(PNGFile.pixelsMax), &image) == 0 else {
            throw .malformed(
                file: file, offset: image.offset,
                expected: "an intact PNG image without interlace", found: PNGFile.message(&image))
        }
        guard let color = Color(rawValue: Int(image.color_type)), let start = image.samples else {
            throw .malformed(
                file: file, offset: 25, expected: "color type 0, 2, 3, 4 or 6",
                found: "\(image.color_type)")
        }
        width = Int(image.width)
        height = Int(image.height)
        self.color = color
        let raw = UnsafeRawBufferPointer(start: start, count: image.sample_bytes)
        samples =
            image.bit_depth == 16
            ? .words(Array(raw.bindMemory(to: UInt16.self))) : .bytes(Array(raw))
        palette = withUnsafeBytes(of: &image.palette) {
            Array($0.prefix(3 * Int(image.palette_count)))
        }
        if let index = firstOutsidePalette {
            throw .malformed(
                file: file, offset: image.offset,
                expected: "palette indices below \(palette.count / 3)",
                found: "\(index.value) at pixel \(index.pixel)")
        }
    }

    /// The file's bytes.
    public func encoded() -> [UInt8] {
        var image = fathom_png()
        image.width = UInt32(width)
        image.height = UInt32(height)
        image.color_type = Int32(color.rawValue)
        image.channels = Int32(color.channels)
        var bytes: UnsafeMutablePointer<UInt8>?
        var count = 0
        let status: Int32
        switch samples {
        case .bytes(let values):
            image.bit_depth = 8
            status = fathom_png_write(&image, values, &bytes, &count)
        case .words(let values):
            image.bit_depth = 16
            status = values.withUnsafeBytes { raw in
                fathom_png_write(
                    &image, raw.bindMemory(to: UInt8.self).baseAddress, &bytes, &count)
            }
        }
        precondition(status == 0, "a checked image must be encodable: \(PNGFile.message(&image))")
        defer { free(bytes) }
        return Array(UnsafeBufferPointer(start: bytes, count: count))
    }

    /// Replaces the file at `path` by this one, whole or not at all.
    public func write(to path: String) throws(CheckpointError) {
        try AtomicFile.write(encoded(), to: path)
    }

    private static func message(_ image: inout fathom_png) -> String {
        withUnsafeBytes(of: &image.message) { raw in
            String(decoding: raw.prefix { $0 != 0 }, as: UTF8.self)
        }
    }

    private var firstOutsidePalette: (pixel: Int, value: Int)? {
        guard color == .palette, case .bytes(let values) = samples else { return nil }
        let entries = palette.count / 3
        return values.firstIndex { Int($0) >= entries }.map { ($0, Int(values[$0])) }
    }
}

extension PNGFile {
    /// Bits a sample, as they are held here.
    var bitDepth: Int { if case .words = samples { 16 } else { 8 } }

    /// Three bytes a pixel: palettes looked up, gray repeated, alpha dropped, 16 bits rounded to 8.
    public var rgb: [UInt8] {
        let eight: [UInt8] =
            switch samples {
            case .bytes(let values): values
            case .words(let values): values.map { UInt8((Int($0) * 255 + 32767) / 65535) }
            }
        switch color {
        case .rgb: return eight
        case .gray: return eight.flatMap { [$0, $0, $0] }
        case .palette: return eight.flatMap { palette[(3 * Int($0))..<(3 * Int($0) + 3)] }
        case .grayAlpha:
            return stride(from: 0, to: eight.count, by: 2).flatMap { place in
                Array(repeating: eight[place], count: 3)
            }
        case .rgbAlpha:
            return stride(from: 0, to: eight.count, by: 4).flatMap { eight[$0..<($0 + 3)] }
        }
    }
}
