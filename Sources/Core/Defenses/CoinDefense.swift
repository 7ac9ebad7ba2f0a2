import Foundation

/// COIN (arXiv 2311.18403): every pixel is read from a little beside itself.
struct CoinDefense: BatchDefense {
    let name = "coin"
    let revision = 1
    let summary = "every pixel is displaced by a random fraction of pixels"
    let parameters = [
        MethodParameter(
            name: "alpha", kind: .number(default: 2, range: 0...16, whole: false),
            meaning: "largest displacement each way, in pixels")
    ]
    let stage = DefenseStage.sample
    let needsClassTarget = true

    func guarding(_ settings: DefenseSettings) -> any BatchGuard {
        CoinGuard(alpha: Float(settings.number("alpha")))
    }
}

private final class CoinGuard: BatchGuard {
    private let alpha: Float
    private var canvas = Canvas()

    init(alpha: Float) { self.alpha = alpha }

    /// Bilinear, going round the borders; all channels of a pixel move together.
    func apply(to batch: TrainingBatch, items: inout [BatchItem]) {
        for (place, item) in items.enumerated() {
            var random = batch.random(of: item)
            canvas.read(batch.executor.image, image: place, of: batch.count, batch.shape)
            canvas.displace {
                (random.uniform(-alpha, alpha), random.uniform(-alpha, alpha))
            }
            canvas.write(batch.executor.image, image: place, of: batch.count)
        }
    }
}

extension Canvas {
    /// Reads every pixel from where `offset` says, in rows and columns, wrapping around.
    mutating func displace(_ offset: () -> (Float, Float)) {
        let (height, width) = (shape.height, shape.width)
        for row in 0..<height {
            for column in 0..<width {
                let (down, right) = offset()
                let (y, x) = (Float(row) + down, Float(column) + right)
                let (top, left) = (y.rounded(.down), x.rounded(.down))
                let (yShare, xShare) = (y - top, x - left)
                let rows = (wrapped(Int(top), height), wrapped(Int(top) + 1, height))
                let columns = (wrapped(Int(left), width), wrapped(Int(left) + 1, width))
                for channel in 0..<shape.channels {
                    let base = channel * height * width
                    func at(_ row: Int, _ column: Int) -> Float {
                        pixels[base + row * width + column]
                    }
                    let above =
                        (1 - xShare) * at(rows.0, columns.0) + xShare * at(rows.0, columns.1)
                    let below =
                        (1 - xShare) * at(rows.1, columns.0) + xShare * at(rows.1, columns.1)
                    spare[base + row * width + column] = (1 - yShare) * above + yShare * below
                }
            }
        }
        swap(&pixels, &spare)
    }

    private func wrapped(_ place: Int, _ count: Int) -> Int {
        let rest = place % count
        return rest < 0 ? rest + count : rest
    }
}
