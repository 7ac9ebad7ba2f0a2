/// A random map in 0...1 by the diamond-square algorithm, in memory that is used again.
///
/// Corners are uniform, the centre is their mean and the middles of sides are means of their three
/// neighbours; then resolution is doubled, each new point being (1 - s) times its neighbours' mean
/// plus s times a uniform number, where s is multiplied by the roughness at each doubling.
public struct PlasmaFractal {
    /// Points a side, one more than a power of two.
    private var side = 0
    private var points: [Float] = []

    public init() {}

    /// Draws a map over at least `height` by `width` points.
    public mutating func draw(
        height: Int, width: Int, roughness: Float, random: inout RandomStream
    ) {
        var reach = 2
        while reach + 1 < max(height, width) { reach *= 2 }
        if side != reach + 1 {
            side = reach + 1
            points = Array(repeating: 0, count: side * side)
        }
        seed(reach, &random)
        var stride = reach / 2
        var scale = roughness
        while stride > 1 {
            double(stride, scale: scale, &random)
            stride /= 2
            scale *= roughness
        }
    }

    /// A point of the map drawn last.
    public subscript(row: Int, column: Int) -> Float { points[row * side + column] }

    private mutating func set(_ row: Int, _ column: Int, _ value: Float) {
        points[row * side + column] = value
    }

    private mutating func seed(_ reach: Int, _ random: inout RandomStream) {
        for row in [0, reach] {
            for column in [0, reach] { set(row, column, random.uniform()) }
        }
        let half = reach / 2
        let corners = self[0, 0] + self[0, reach] + self[reach, 0] + self[reach, reach]
        set(half, half, corners / 4)
        let centre = self[half, half]
        set(0, half, (self[0, 0] + self[0, reach] + centre) / 3)
        set(reach, half, (self[reach, 0] + self[reach, reach] + centre) / 3)
        set(half, 0, (self[0, 0] + self[reach, 0] + centre) / 3)
        set(half, reach, (self[0, reach] + self[reach, reach] + centre) / 3)
    }

    /// Puts points half-way between those that lie `step` apart.
    private mutating func double(_ step: Int, scale: Float, _ random: inout RandomStream) {
        let half = step / 2
        for row in Swift.stride(from: half, to: side, by: step) {
            for column in Swift.stride(from: half, to: side, by: step) {
                let sum =
                    self[row - half, column - half] + self[row - half, column + half]
                    + self[row + half, column - half] + self[row + half, column + half]
                set(row, column, (1 - scale) * sum / 4 + scale * random.uniform())
            }
        }
        for row in Swift.stride(from: 0, to: side, by: half) {
            let first = row / half % 2 == 0 ? half : 0
            for column in Swift.stride(from: first, to: side, by: step) {
                let mean = cross(row, column, half)
                set(row, column, (1 - scale) * mean + scale * random.uniform())
            }
        }
    }

    /// The mean of the neighbours above, below and beside that there are.
    private func cross(_ row: Int, _ column: Int, _ reach: Int) -> Float {
        var sum: Float = 0
        var count: Float = 0
        func add(_ row: Int, _ column: Int) {
            guard row >= 0, row < side, column >= 0, column < side else { return }
            sum += self[row, column]
            count += 1
        }
        add(row - reach, column)
        add(row + reach, column)
        add(row, column - reach)
        add(row, column + reach)
        return sum / count
    }
}
