/// A left-right flip and a shift by whole or part pixels, zeros outside: a linear map of images,
/// whose adjoint carries gradients back.
public struct ImageShift: Hashable, Sendable {
    /// How many rows below its own place a pixel takes its value from.
    public var rows: Float
    /// The same to the right, after the flip.
    public var columns: Float
    /// Whether left and right are swapped.
    public var isFlipped: Bool

    /// Takes every part as given.
    public init(rows: Float = 0, columns: Float = 0, isFlipped: Bool = false) {
        self.rows = rows
        self.columns = columns
        self.isFlipped = isFlipped
    }

    /// A shift by at most `reach` pixels each way, and a flip with probability one half.
    static func drawn(
        reach: Int, isWhole: Bool, _ random: inout RandomStream
    ) -> ImageShift {
        func offset() -> Float {
            isWhole
                ? Float(random.integer(below: 2 * reach + 1) - reach)
                : random.uniform(-Float(reach), Float(reach))
        }
        let (rows, columns) = (offset(), offset())
        return ImageShift(rows: rows, columns: columns, isFlipped: random.uniform() < 0.5)
    }

    /// Adds the shifted `image` to `result`, both `[channels, height, width]`.
    public func add(
        _ image: ArraySlice<Float>, shape: ImageShape, to result: inout [Float], at start: Int
    ) {
        for tap in taps {
            visit(tap, shape) { here, there in
                result[start + here] += tap.weight * image[image.startIndex + there]
            }
        }
    }

    /// Adds what `gradient`, of the shifted image, is for the image itself.
    public func addAdjoint(
        _ gradient: ArraySlice<Float>, shape: ImageShape, to result: inout [Float], at start: Int
    ) {
        for tap in taps {
            visit(tap, shape) { here, there in
                result[start + there] += tap.weight * gradient[gradient.startIndex + here]
            }
        }
    }

    private struct Tap {
        var rows: Int
        var columns: Int
        var weight: Float
    }

    /// The whole shifts that make up this one: up to four, weighted bilinearly.
    private var taps: [Tap] {
        let (row, column) = (rows.rounded(.down), columns.rounded(.down))
        let (low, left) = (rows - row, columns - column)
        return [
            Tap(rows: Int(row), columns: Int(column), weight: (1 - low) * (1 - left)),
            Tap(rows: Int(row), columns: Int(column) + 1, weight: (1 - low) * left),
            Tap(rows: Int(row) + 1, columns: Int(column), weight: low * (1 - left)),
            Tap(rows: Int(row) + 1, columns: Int(column) + 1, weight: low * left),
        ].filter { $0.weight != 0 }
    }

    /// Calls `body(place, where it takes its value from)` for all places whose source is inside.
    @inline(__always)
    private func visit(_ tap: Tap, _ shape: ImageShape, _ body: (Int, Int) -> Void) {
        let (height, width) = (shape.height, shape.width)
        for channel in 0..<shape.channels {
            for row in max(0, -tap.rows)..<max(max(0, -tap.rows), min(height, height - tap.rows)) {
                let here = (channel * height + row) * width
                let there = (channel * height + row + tap.rows) * width + tap.columns
                for column in 0..<width {
                    let source = isFlipped ? width - 1 - column : column
                    if source + tap.columns >= 0, source + tap.columns < width {
                        body(here + column, there + source)
                    }
                }
            }
        }
    }
}
