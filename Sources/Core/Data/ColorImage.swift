/// A decoded photograph of any size: three bytes a pixel, row after row.
public struct ColorImage: Hashable, Sendable {
    public let width: Int
    public let height: Int
    /// `height * width * 3` bytes: red, green and blue of each pixel together.
    public let rgb: [UInt8]

    /// Takes every part as given.
    public init(width: Int, height: Int, rgb: [UInt8]) {
        precondition(
            width > 0 && height > 0 && rgb.count == 3 * width * height,
            "\(rgb.count) bytes are no colors of \(width)x\(height) pixels")
        self.width = width
        self.height = height
        self.rgb = rgb
    }

    /// The colors of a PNG file, alpha dropped.
    public init(_ file: PNGFile) {
        self.init(width: file.width, height: file.height, rgb: file.rgb)
    }

    /// The endings of files that `init(decoding:file:)` reads.
    static let endings = [".png", ".jpg", ".jpeg"]

    /// Decodes a PNG or JPEG file, told apart by its name's ending.
    init(decoding bytes: [UInt8], file: String) throws(DataError) {
        if file.lowercased().hasSuffix(".png") {
            self.init(try PNGFile(decoding: bytes, file: file))
        } else {
            self = try JPEGFile.image(decoding: bytes, file: file)
        }
    }
}

/// Brings images to a square: each new pixel is the mean over the area it covers, the shorter side
/// becoming the square's and the longer one cut to its middle.
public enum AreaResize {
    /// Red, green and blue planes of `side` times `side` bytes.
    public static func squared(_ file: PNGFile, side: Int) -> [UInt8] {
        squared(ColorImage(file), side: side)
    }

    /// Red, green and blue planes of `side` times `side` bytes.
    public static func squared(_ image: ColorImage, side: Int) -> [UInt8] {
        let colors = image.rgb
        let shorter = Double(min(image.width, image.height))
        let scale = shorter / Double(side)
        let top = (Double(image.height) - shorter) / 2
        let left = (Double(image.width) - shorter) / 2
        let rows = (0..<side).map {
            covered(from: top + Double($0) * scale, scale, count: image.height)
        }
        let columns = (0..<side).map {
            covered(from: left + Double($0) * scale, scale, count: image.width)
        }
        var pixels = [UInt8](repeating: 0, count: 3 * side * side)
        for (row, down) in rows.enumerated() {
            for (column, across) in columns.enumerated() {
                for channel in 0..<3 {
                    var sum = 0.0
                    for (y, height) in down {
                        for (x, width) in across {
                            let value = colors[3 * (y * image.width + x) + channel]
                            sum += Double(value) * height * width
                        }
                    }
                    pixels[(channel * side + row) * side + column] =
                        UInt8(min(sum / (scale * scale) + 0.5, 255))
                }
            }
        }
        return pixels
    }

    /// The old pixels under a new one along an axis, and how much of each.
    private static func covered(
        from start: Double, _ length: Double, count: Int
    ) -> [(place: Int, share: Double)] {
        let end = start + length
        return (Int(start)..<count).prefix { Double($0) < end }.compactMap { place in
            let share = min(end, Double(place + 1)) - max(start, Double(place))
            return share > 1e-9 ? (place, share) : nil
        }
    }
}
