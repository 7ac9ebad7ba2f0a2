/// Sums over the images of one key, from which every colour's score follows without going through
/// the images again. They are whole numbers, so that the order of images cannot matter.
struct OPSSums {
    /// How many images.
    private var count = 0
    /// Of grey levels, by channel and position.
    private var sums: [Int]
    /// Of their squares.
    private var squares: [Int]

    private init(elements: Int) {
        sums = [Int](repeating: 0, count: elements)
        squares = sums
    }

    /// The sums of each key that occurs, in ascending order of keys.
    static func byKey(_ request: CraftRequest) -> [(Int32, OPSSums)] {
        let size = request.images.pixelsPerImage
        let keys = Set(request.keys).sorted()
        let slots = Dictionary(uniqueKeysWithValues: zip(keys, keys.indices))
        var all = [OPSSums](repeating: OPSSums(elements: size), count: keys.count)
        for (image, key) in request.keys.enumerated() {
            all[slots[key] ?? 0].add(
                request.images.pixels[(image * size)..<((image + 1) * size)])
        }
        return Array(zip(keys, all))
    }

    private mutating func add(_ pixels: ArraySlice<UInt8>) {
        count += 1
        var element = 0
        for pixel in pixels {
            let level = Int(pixel)
            sums[element] &+= level
            squares[element] &+= level &* level
            element += 1
        }
    }

    /// The free pair with the highest score, at a position not `taken`; the most central of equals.
    func best(shape: ImageShape, used: Set<OPSPixel>, taken: [OPSPixel]) -> OPSPixel? {
        var best: (pixel: OPSPixel, score: Double, distance: Int)?
        for position in 0..<shape.positions
        where !taken.contains(where: { $0.position == position }) {
            let distance = OPSSums.distance(position, shape)
            for colour in 0..<(1 << shape.channels) {
                let pixel = OPSPixel(position: position, colour: colour)
                let score = score(of: pixel, shape: shape)
                if let best,
                    score < best.score || (score == best.score && distance >= best.distance)
                {
                    continue
                }
                if !used.contains(pixel) { best = (pixel, score, distance) }
            }
        }
        return best?.pixel
    }

    /// Mean over deviation of the distance to the colour, over images and channels together.
    private func score(of pixel: OPSPixel, shape: ImageShape) -> Double {
        var sum = 0
        var square = 0
        for channel in 0..<shape.channels {
            let element = channel * shape.positions + pixel.position
            if pixel.colour >> channel & 1 == 1 {
                sum += 255 * count - sums[element]
                square += 255 * 255 * count - 2 * 255 * sums[element] + squares[element]
            } else {
                sum += sums[element]
                square += squares[element]
            }
        }
        let values = Double(count * shape.channels)
        let mean = Double(sum) / (255 * values)
        if mean < 1e-3 { return 0 }
        let variance = Double(square) / (255 * 255 * values) - mean * mean
        return mean / max(max(variance, 0).squareRoot(), 1.0 / 255)
    }

    /// Four times the squared distance from the centre, a whole number.
    private static func distance(_ position: Int, _ shape: ImageShape) -> Int {
        let row = 2 * (position / shape.width) - (shape.height - 1)
        let column = 2 * (position % shape.width) - (shape.width - 1)
        return row * row + column * column
    }
}
