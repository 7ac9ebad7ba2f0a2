/// One kind of file that Taskonomy has of every view.
enum TaskonomyDomain: String, CaseIterable, Comparable, Codable {
    case rgb
    case depthEuclidean = "depth_euclidean"
    case depthZBuffer = "depth_zbuffer"
    case keypoints2D = "keypoints2d"
    case edgeTexture = "edge_texture"
    case keypoints3D = "keypoints3d"
    case edgeOcclusion = "edge_occlusion"
    case normal
    case curvature = "principal_curvature"
    case reshading
    case segments2D = "segment_unsup2d"
    case segments25D = "segment_unsup25d"
    case semantic = "segment_semantic"
    case maskValid = "mask_valid"
    case object = "class_object"
    case scene = "class_scene"

    static func < (left: TaskonomyDomain, right: TaskonomyDomain) -> Bool {
        left.rawValue < right.rawValue
    }

    /// The names its folder may have, the current one first; the others are those of older
    /// releases and of the sample building.
    var folders: [String] {
        switch self {
        case .depthEuclidean: [rawValue, "mist"]
        case .depthZBuffer: [rawValue, "depth"]
        case .keypoints2D: [rawValue, "keypoint2d"]
        case .edgeTexture: [rawValue, "edge2d"]
        case .keypoints3D: [rawValue, "keypoint3d", "keypoint"]
        case .edgeOcclusion: [rawValue, "edge3d", "edge"]
        case .curvature: [rawValue, "curvature"]
        case .reshading: [rawValue, "reshade"]
        case .segments2D: [rawValue, "segment2d"]
        case .segments25D: [rawValue, "segment25d"]
        case .semantic: [rawValue, "segmentsemantic"]
        case .object: [rawValue, "softmax1000"]
        case .scene: [rawValue, "places"]
        case .rgb, .normal, .maskValid: [rawValue]
        }
    }

    /// How its files are called at their end.
    var ending: String { isClass ? ".npy" : ".png" }

    /// Whether it is of the whole image.
    var isClass: Bool { self == .object || self == .scene }

    /// How many classes a class file tells of.
    var classCount: Int { self == .object ? 1_000 : 365 }

    /// How many planes a decoded image has; classes of a class file.
    var channels: Int {
        switch self {
        case .rgb: 3
        // Three components, and whether they are known.
        case .normal: 4
        case .curvature: 2
        case .object, .scene: classCount
        default: 1
        }
    }

    /// Values above this are not known: the margin covers what interpolation did to 65535.
    static let depthLevelsMax = 64_500
    /// Levels a metre.
    static let depthLevels: Float = 512
    /// The semantic classes without "uncertain", which is not taught.
    static let semanticClassCount = 17
}

extension TaskonomyDomain {
    /// A decoded file, brought to `side`: `channels` planes of it.
    ///
    /// Colors are means over areas; everything else is the value at the nearest pixel, so that no
    /// value is made that no file holds.
    func planes(
        decoding bytes: [UInt8], file: String, side: Int, sizedAs size: (Int, Int)?
    ) throws(DataError) -> (values: StoredValues, size: (Int, Int)) {
        let image = try PNGFile(decoding: bytes, file: file)
        guard image.width == image.height else {
            throw .malformed(
                file: file, offset: 16, expected: "a square image",
                found: "\(image.width)x\(image.height)")
        }
        if let size, size != (image.width, image.height) {
            throw .malformed(
                file: file, offset: 16, expected: "the size of its rgb file, \(size.0)x\(size.1)",
                found: "\(image.width)x\(image.height)")
        }
        let grid = NearestGrid(source: image.width, side: side)
        let size = (image.width, image.height)
        switch (self, image.color, image.samples) {
        case (.rgb, .rgb, .bytes):
            return (.uint8(AreaResize.squared(image, side: side)), size)
        case (.normal, .rgb, .bytes(let levels)):
            return (.uint8(grid.normals(levels)), size)
        case (.curvature, .rgb, .bytes(let levels)):
            return (.uint8(grid.sampled(levels, of: 3, 0) + grid.sampled(levels, of: 3, 1)), size)
        case (.reshading, .rgb, .bytes(let levels)):
            return (.uint8(grid.sampled(levels, of: 3, 0)), size)
        case (.segments2D, .gray, .bytes(let levels)),
            (.segments2D, .palette, .bytes(let levels)),
            (.segments25D, .gray, .bytes(let levels)),
            (.segments25D, .palette, .bytes(let levels)),
            (.maskValid, .gray, .bytes(let levels)):
            return (.uint8(grid.sampled(levels, of: 1, 0)), size)
        case (.semantic, .gray, .bytes(let levels)), (.semantic, .palette, .bytes(let levels)):
            return (.uint8(try semantic(grid.sampled(levels, of: 1, 0), file)), size)
        case (_, .gray, .words(let levels)) where isSixteenBit:
            return (.int32(grid.sampled(levels, of: 1, 0).map { Int32($0) }), size)
        default:
            throw .malformed(
                file: file, offset: 24, expected: coding,
                found: "\(image.color), \(image.bitDepth) bits")
        }
    }

    private var isSixteenBit: Bool {
        switch self {
        case .depthEuclidean, .depthZBuffer, .keypoints2D, .edgeTexture, .keypoints3D,
            .edgeOcclusion:
            true
        default: false
        }
    }

    private var coding: String {
        switch self {
        case .rgb, .normal, .curvature, .reshading: "rgb, 8 bits"
        case .maskValid: "gray, 8 bits"
        case _ where isSixteenBit: "gray, 16 bits"
        default: "gray or palette, 8 bits"
        }
    }

    /// 0 is "uncertain"; classes begin at 1.
    private func semantic(_ levels: [UInt8], _ file: String) throws(DataError) -> [UInt8] {
        if let level = levels.first(where: { $0 > UInt8(Self.semanticClassCount) }) {
            throw .malformed(
                file: file, offset: 0,
                expected: "semantic classes 0 to \(Self.semanticClassCount)",
                found: "\(level)")
        }
        return levels.map { $0 == 0 ? 255 : $0 - 1 }
    }

    /// Probabilities of a class file. What does not look like probabilities is taken for logits.
    func probabilities(decoding bytes: [UInt8], file: String) throws(DataError) -> [Float] {
        let array = try NPYFile(decoding: bytes, file: file).array
        let numbers: [Double]
        switch array.values {
        case .float32(let values): numbers = values.map { Double($0) }
        case .float64(let values): numbers = values
        default:
            throw .malformed(
                file: file, offset: 0, expected: "floating-point numbers", found: "whole ones")
        }
        guard array.shape.count(where: { $0 != 1 }) <= 1, numbers.count == classCount else {
            throw .malformed(
                file: file, offset: 0, expected: "\(classCount) numbers in a row",
                found: "shape \(array.shape)")
        }
        let sum = numbers.reduce(0, +)
        if numbers.allSatisfy({ $0 >= 0 }), abs(sum - 1) < 1e-3 { return numbers.map(Float.init) }
        let top = numbers.max() ?? 0
        let powers = numbers.map { ExactMath.exponential($0 - top) }
        let total = powers.reduce(0, +)
        return powers.map { Float($0 / total) }
    }
}

/// Picks pixels of a square image for a smaller or larger square, each the one under the middle of
/// the new pixel.
struct NearestGrid {
    let source: Int
    let side: Int

    /// The old row or column under a new one.
    func place(_ index: Int) -> Int { (2 * index + 1) * source / (2 * side) }

    /// One channel of pixels whose samples stand together.
    func sampled<Sample>(_ samples: [Sample], of channels: Int, _ channel: Int) -> [Sample] {
        (0..<side).flatMap { row in
            (0..<side).map { column in
                samples[(place(row) * source + place(column)) * channels + channel]
            }
        }
    }

    /// Three components and a mask. 128 in all channels says that nothing is known, and is
    /// taken to say so of pixels up to two away.
    func normals(_ levels: [UInt8]) -> [UInt8] {
        func isUnknown(_ row: Int, _ column: Int) -> Bool {
            (0..<3).allSatisfy { channel in
                let share = Double(levels[3 * (row * source + column) + channel]) / 255
                return abs(share - 0.502) <= 1e-3
            }
        }
        func isKnown(_ row: Int, _ column: Int) -> Bool {
            for near in max(0, row - 2)...min(source - 1, row + 2) {
                for beside in max(0, column - 2)...min(source - 1, column + 2)
                where isUnknown(near, beside) {
                    return false
                }
            }
            return true
        }
        let mask = (0..<side).flatMap { row in
            (0..<side).map { column -> UInt8 in isKnown(place(row), place(column)) ? 1 : 0 }
        }
        return (0..<3).flatMap { sampled(levels, of: 3, $0) } + mask
    }
}
