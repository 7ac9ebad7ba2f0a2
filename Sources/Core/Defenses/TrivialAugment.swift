import Foundation

/// The twelve augmentations of which one is drawn for a batch, with a magnitude for each image.
enum TrivialAugment: Int, CaseIterable {
    case autoContrast, equalize, rotate, posterize, solarize, contrast, brightness, sharpness
    case shearX, shearY, translateX, translateY

    static func draw(_ random: inout RandomStream) -> TrivialAugment {
        allCases[random.integer(below: allCases.count)]
    }

    /// Changes an image; ranges of magnitude are symmetric.
    func apply(to canvas: inout Canvas, counts: inout [Int], random: inout RandomStream) {
        switch self {
        case .autoContrast: canvas.stretchContrast()
        case .equalize: canvas.equalize(counts: &counts)
        case .rotate: canvas.rotate(degrees: random.uniform(-30, 30))
        case .posterize: canvas.posterize(bits: random.integer(below: 5))
        case .solarize:
            let threshold = random.uniform()
            canvas.map { $0 >= threshold ? 1 - $0 : $0 }
        case .contrast: canvas.scaleContrast(by: random.uniform(0.1, 1.9))
        case .brightness:
            let factor = random.uniform(0.1, 1.9)
            canvas.map { $0 * factor }
        case .sharpness: canvas.sharpen(by: random.uniform(0.1, 1.9))
        case .shearX: canvas.warp(columnByRow: random.uniform(-0.3, 0.3))
        case .shearY: canvas.warp(rowByColumn: random.uniform(-0.3, 0.3))
        case .translateX:
            canvas.warp(columnShift: random.uniform(-0.5, 0.5) * Float(canvas.shape.width))
        case .translateY:
            canvas.warp(rowShift: random.uniform(-0.5, 0.5) * Float(canvas.shape.height))
        }
    }
}

extension Canvas {
    /// Stretches every channel over 0...1.
    mutating func stretchContrast() {
        for channel in 0..<shape.channels {
            let plane = plane(channel)
            var (low, high) = (pixels[plane.lowerBound], pixels[plane.lowerBound])
            for place in plane {
                low = min(low, pixels[place])
                high = max(high, pixels[place])
            }
            guard high > low else { continue }
            for place in plane { pixels[place] = (pixels[place] - low) / (high - low) }
        }
    }

    /// Makes the 256 levels of every channel equally frequent, as far as they can be told apart.
    mutating func equalize(counts: inout [Int]) {
        for channel in 0..<shape.channels {
            for level in counts.indices { counts[level] = 0 }
            for place in plane(channel) { counts[level(place)] += 1 }
            let last = counts.lastIndex { $0 > 0 } ?? 0
            let step = (shape.positions - counts[last]) / 255
            guard step > 0 else { continue }
            var sum = step / 2
            for level in counts.indices {
                let count = counts[level]
                counts[level] = min(sum / step, 255)
                sum += count
            }
            for place in plane(channel) { pixels[place] = Float(counts[level(place)]) / 255 }
        }
    }

    private func level(_ place: Int) -> Int { Int(pixels[place] * 255 + 0.5) }

    /// Keeps the highest bits of the 256 levels; none leaves black.
    mutating func posterize(bits: Int) {
        let mask = 0xFF << (8 - bits) & 0xFF
        map { Float(Int($0 * 255 + 0.5) & mask) / 255 }
    }

    /// Towards or away from the image's mean.
    mutating func scaleContrast(by factor: Float) {
        var sum = 0.0
        for value in pixels { sum += Double(value) }
        let mean = Float(sum / Double(max(1, pixels.count)))
        map { mean + factor * ($0 - mean) }
    }

    /// Away from a blurred image, or towards it below 1; the outermost pixels stay.
    mutating func sharpen(by factor: Float) {
        let width = shape.width
        for place in pixels.indices { spare[place] = pixels[place] }
        for channel in 0..<shape.channels {
            let base = channel * shape.positions
            for row in 1..<max(1, shape.height - 1) {
                for column in 1..<max(1, width - 1) {
                    let place = base + row * width + column
                    var sum = 4 * pixels[place]
                    for near in -1...1 {
                        let middle = place + near * width
                        sum += pixels[middle - 1] + pixels[middle] + pixels[middle + 1]
                    }
                    let smooth = sum / 13
                    let value = smooth + factor * (pixels[place] - smooth)
                    spare[place] = min(max(value, 0), 1)
                }
            }
        }
        swap(&pixels, &spare)
    }

    mutating func rotate(degrees: Float) {
        let angle = Double(degrees) * .pi / 180
        let (sine, cosine) = (Float(sin(angle)), Float(cos(angle)))
        warp(
            rowByRow: cosine, rowByColumn: sine, columnByRow: -sine, columnByColumn: cosine)
    }

    /// Reads every pixel from where a linear map about the centre says, bilinear, black outside.
    mutating func warp(
        rowByRow: Float = 1, rowByColumn: Float = 0, columnByRow: Float = 0,
        columnByColumn: Float = 1, rowShift: Float = 0, columnShift: Float = 0
    ) {
        let middleRow = Float(shape.height - 1) / 2
        let middleColumn = Float(shape.width - 1) / 2
        for row in 0..<shape.height {
            for column in 0..<shape.width {
                let (y, x) = (Float(row) - middleRow, Float(column) - middleColumn)
                let fromRow = rowByRow * y + rowByColumn * x + middleRow + rowShift
                let fromColumn = columnByRow * y + columnByColumn * x + middleColumn + columnShift
                for channel in 0..<shape.channels {
                    spare[channel * shape.positions + row * shape.width + column] =
                        sample(channel, fromRow, fromColumn)
                }
            }
        }
        swap(&pixels, &spare)
    }

    private func sample(_ channel: Int, _ row: Float, _ column: Float) -> Float {
        let (top, left) = (row.rounded(.down), column.rounded(.down))
        let (rowShare, columnShare) = (row - top, column - left)
        func at(_ row: Int, _ column: Int) -> Float {
            guard row >= 0, row < shape.height, column >= 0, column < shape.width else { return 0 }
            return pixels[channel * shape.positions + row * shape.width + column]
        }
        let (y, x) = (Int(top), Int(left))
        let above = (1 - columnShare) * at(y, x) + columnShare * at(y, x + 1)
        let below = (1 - columnShare) * at(y + 1, x) + columnShare * at(y + 1, x + 1)
        return min(max((1 - rowShare) * above + rowShare * below, 0), 1)
    }
}
