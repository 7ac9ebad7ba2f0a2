/// Draws images and what is known of their pixels side by side, for people to look at: a row an
/// image, a column a map.
public struct ContactSheet: Sendable {
    private let images: ImageSet
    private let maps: SceneMaps?
    /// How many pixels of the sheet a pixel of an image takes on each side.
    private let scale: Int
    private let gap = 2

    public init(_ images: ImageSet, maps: SceneMaps?, scale: Int = 4) {
        precondition(images.count > 0 && scale > 0, "a sheet needs images, and pixels for them")
        self.images = images
        self.maps = maps
        self.scale = scale
    }

    /// What stands in the columns, from left to right.
    public var columns: [String] {
        ["image"]
            + (maps == nil
                ? []
                : [
                    "semantic", "instance", "segments", "depth", "normals", "reshading",
                    "curvature",
                ]) + ["edges", "keypoints"]
    }

    /// The sheet as an image.
    public var file: PNGFile {
        let painted = panels
        let (height, width) = (images.height * scale, images.width * scale)
        let rows = images.count * (height + gap) + gap
        let length = painted.count * (width + gap) + gap
        var bytes = [UInt8](repeating: 255, count: 3 * rows * length)
        for image in 0..<images.count {
            for (column, panel) in painted.enumerated() {
                let top = gap + image * (height + gap)
                let left = gap + column * (width + gap)
                for row in 0..<height {
                    for place in 0..<width {
                        let pixel = (row / scale) * images.width + place / scale
                        let color = panel(image, pixel)
                        let start = 3 * ((top + row) * length + left + place)
                        for channel in 0..<3 { bytes[start + channel] = color[channel] }
                    }
                }
            }
        }
        return PNGFile(width: length, height: rows, color: .rgb, samples: .bytes(bytes))
    }

    private typealias Panel = (_ image: Int, _ pixel: Int) -> [UInt8]

    private var plane: Int { images.height * images.width }

    private var panels: [Panel] {
        [colors] + (maps.map { mapPanels($0) } ?? [])
            + [filtered(ImageFilters.edges(images)), filtered(ImageFilters.keypoints(images))]
    }

    private var colors: Panel {
        { image, pixel in
            (0..<3).map { channel in
                let plane = self.plane
                let within = min(channel, self.images.channels - 1) * plane + pixel
                return self.images.pixels[image * self.images.pixelsPerImage + within]
            }
        }
    }

    private func mapPanels(_ maps: SceneMaps) -> [Panel] {
        let plane = plane
        func labels(_ values: [UInt8]) -> Panel {
            { image, pixel in Palette.color(of: Int(values[image * plane + pixel])) }
        }
        let nearest: Float = zip(maps.depth, maps.valid).filter { $1 == 1 }.map(\.0).min() ?? 1
        return [
            labels(maps.semantic), labels(maps.instance), labels(maps.segments),
            { image, pixel in
                let depth = maps.depth[image * plane + pixel]
                return Palette.gray(depth == 0 ? 0 : nearest / depth)
            },
            { image, pixel in
                (0..<3).map { channel in
                    Palette.level(
                        0.5 + 0.5 * maps.normals[(3 * image + channel) * plane + pixel])
                }
            },
            { image, pixel in
                Palette.gray(0.5 + 0.5 * maps.reshading[image * plane + pixel])
            },
            { image, pixel in
                let place = 2 * image * plane + pixel
                return [maps.curvatures[place], maps.curvatures[place + plane], 0]
                    .map { Palette.level($0 * 0.15 * 2) }
            },
        ]
    }

    /// Strengths, the strongest of each image white.
    private func filtered(_ strengths: [Float]) -> Panel {
        let plane = plane
        let largest = (0..<images.count).map { image in
            strengths[(image * plane)..<((image + 1) * plane)].max() ?? 1
        }
        return { image, pixel in
            Palette.gray(strengths[image * plane + pixel] / max(largest[image], 1e-9))
        }
    }
}

/// Colors that are easy to tell apart.
private enum Palette {
    private static let colors: [[UInt8]] = [
        [120, 180, 240], [90, 90, 90], [200, 200, 190], [230, 60, 50], [60, 140, 230],
        [60, 180, 75], [255, 200, 30], [150, 60, 190], [255, 130, 0], [0, 160, 160],
        [240, 110, 190], [140, 90, 40],
    ]

    static func color(of label: Int) -> [UInt8] { colors[label % colors.count] }

    static func level(_ share: Float) -> UInt8 { UInt8(255 * min(max(share, 0), 1) + 0.5) }

    static func gray(_ share: Float) -> [UInt8] { Array(repeating: level(share), count: 3) }
}
