import Foundation

/// Random sharpening kernels and frequency filtering (arXiv 2411.01742).
struct RSKDefense: BatchDefense {
    let name = "rsk-ff"
    let revision = 1
    let summary = "every image is sharpened by a random kernel, and only low frequencies are kept"
    let parameters = [
        MethodParameter(
            name: "keep", kind: .number(default: 0.3, range: 0.01...1, whole: false),
            meaning: "share of frequencies that is kept each way, the lowest"),
        MethodParameter(
            name: "spread", kind: .number(default: 0.1, range: 0...1, whole: false),
            meaning: "standard deviation of the kernel's five weights"),
    ]
    let stage = DefenseStage.sample
    let needsClassTarget = true

    func reasonUnfit(shape: ImageShape) -> String? {
        min(shape.height, shape.width) >= 5
            ? nil : "rsk-ff needs 5 pixels a side, and images are \(shape.height)x\(shape.width)"
    }

    func guarding(_ settings: DefenseSettings) -> any BatchGuard {
        RSKGuard(keep: settings.number("keep"), spread: settings.number("spread"))
    }
}

private final class RSKGuard: BatchGuard {
    private let keep: Double
    private let spread: Double
    private var canvas = Canvas()
    private var rows: LowPass?
    private var columns: LowPass?
    private var sides: [Float] = [0, 0, 0, 0]

    let placesImages = true

    init(keep: Double, spread: Double) {
        self.keep = keep
        self.spread = spread
    }

    func apply(to batch: TrainingBatch, items: inout [BatchItem]) {
        let low = filters(batch.shape)
        for (place, item) in items.enumerated() {
            var random = batch.random(of: item)
            canvas.read(batch.executor.image, image: place, of: batch.count, batch.shape)
            let centre = 2.5 + spread * random.normal()
            for side in 0..<4 {
                sides[side] = Float(-((centre - 1) / 4 + spread * random.normal()))
            }
            canvas.sharpenInside(centre: Float(centre), sides: sides)
            canvas.filterInside(rows: low.rows, columns: low.columns)
            canvas.placeInside(
                augment: batch.augment, isFlipped: item.placement.isFlipped, random: &random)
            canvas.write(batch.executor.image, image: place, of: batch.count)
        }
    }

    private func filters(_ shape: ImageShape) -> (rows: LowPass, columns: LowPass) {
        let made = (
            rows ?? LowPass(count: shape.height - 2, keep: keep),
            columns ?? LowPass(count: shape.width - 2, keep: keep)
        )
        (rows, columns) = made
        return made
    }
}

/// The projection onto the lowest frequencies of an orthonormal cosine transform.
struct LowPass {
    let count: Int
    /// `count x count`, symmetric.
    let matrix: [Float]

    init(count: Int, keep: Double) {
        self.count = count
        let kept = max(1, Int(keep * Double(count)))
        var matrix = [Float](repeating: 0, count: count * count)
        for row in 0..<count {
            for column in 0..<count {
                var sum = 0.0
                for frequency in 0..<kept {
                    sum += Self.wave(frequency, row, count) * Self.wave(frequency, column, count)
                }
                matrix[row * count + column] = Float(sum)
            }
        }
        self.matrix = matrix
    }

    private static func wave(_ frequency: Int, _ place: Int, _ count: Int) -> Double {
        let scale = ((frequency == 0 ? 1.0 : 2.0) / Double(count)).squareRoot()
        return scale * cos(.pi * Double(frequency) * (Double(place) + 0.5) / Double(count))
    }
}

/// What a kernel without padding leaves lies in the image's upper left corner, two smaller each way.
extension Canvas {
    private var inside: (height: Int, width: Int) { (shape.height - 2, shape.width - 2) }

    /// A plus-shaped kernel: the centre's weight, and those above, below, left and right.
    mutating func sharpenInside(centre: Float, sides: [Float]) {
        let width = shape.width
        for channel in 0..<shape.channels {
            let base = channel * shape.positions
            for row in 0..<inside.height {
                for column in 0..<inside.width {
                    let place = base + (row + 1) * width + column + 1
                    let sum =
                        centre * pixels[place] + sides[0] * pixels[place - width]
                        + sides[1] * pixels[place + width] + sides[2] * pixels[place - 1]
                        + sides[3] * pixels[place + 1]
                    spare[base + row * width + column] = min(max(sum, 0), 1)
                }
            }
        }
        swap(&pixels, &spare)
    }

    mutating func filterInside(rows: LowPass, columns: LowPass) {
        let width = shape.width
        for base in stride(from: 0, to: pixels.count, by: shape.positions) {
            for row in 0..<inside.height {
                for column in 0..<inside.width {
                    var sum: Float = 0
                    for from in 0..<inside.width {
                        sum +=
                            columns.matrix[column * columns.count + from]
                            * pixels[base + row * width + from]
                    }
                    spare[base + row * width + column] = sum
                }
            }
            for row in 0..<inside.height {
                for column in 0..<inside.width {
                    var sum: Float = 0
                    for from in 0..<inside.height {
                        sum +=
                            rows.matrix[row * rows.count + from]
                            * spare[base + from * width + column]
                    }
                    pixels[base + row * width + column] = min(max(sum, 0), 1)
                }
            }
        }
    }

    /// Pads by four pixels of black and crops to the old size: at random where training crops, and
    /// from the middle where it does not.
    mutating func placeInside(
        augment: [TrainingSettings.Augmentation], isFlipped: Bool, random: inout RandomStream
    ) {
        let (down, right) = (random.integer(below: 7), random.integer(below: 7))
        let crops = augment.contains(.crop)
        let (top, left) = crops ? (down - 4, right - 4) : (-1, -1)
        for base in stride(from: 0, to: pixels.count, by: shape.positions) {
            for row in 0..<shape.height {
                for column in 0..<shape.width {
                    let fromRow = row + top
                    let from = (isFlipped ? shape.width - 1 - column : column) + left
                    let isThere =
                        (0..<inside.height).contains(fromRow) && (0..<inside.width).contains(from)
                    spare[base + row * shape.width + column] =
                        isThere ? pixels[base + fromRow * shape.width + from] : 0
                }
            }
        }
        swap(&pixels, &spare)
    }
}
