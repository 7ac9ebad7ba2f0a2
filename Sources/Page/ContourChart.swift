/// A surface over a plane: colours for heights, lines where it is equally high, and, where there is
/// one, the path that training took.
public struct ContourChart: Sendable {
    /// Heights over a grid.
    public struct Grid: Sendable {
        /// Rising.
        public var xs: [Double]
        /// Rising.
        public var ys: [Double]
        /// One row for each of `ys`; `nil` where nothing is known.
        public var values: [[Double?]]

        public init(xs: [Double], ys: [Double], values: [[Double?]]) {
            precondition(
                values.count == ys.count && values.allSatisfy { $0.count == xs.count },
                "a grid of \(xs.count) by \(ys.count) needs as many values")
            self.xs = xs
            self.ys = ys
            self.values = values
        }
    }

    private let name: ChartName
    private var frame: PlotFrame
    private let grid: Grid
    private let scale: Axis
    private let path: [(x: Double, y: Double)]
    private let lineCount: Int

    /// - Parameters:
    ///   - scale: Which heights the colours stand for.
    ///   - path: Places in the plane, in order.
    public init(
        _ name: ChartName, x: Axis, y: Axis, grid: Grid, scale: Axis,
        path: [(x: Double, y: Double)] = [], lineCount: Int = 9
    ) {
        self.name = name
        frame = PlotFrame(x: x, y: y)
        frame.height = 360
        self.grid = grid
        self.scale = scale
        self.path = path
        self.lineCount = lineCount
    }

    /// An axis that shows the whole grid: half a step beyond its outermost points.
    public static func axis(_ label: String, over places: [Double]) -> Axis {
        let edges = edges(places)
        return Axis(label, from: edges.first ?? 0, to: edges.last ?? 1)
    }

    public var svg: Markup {
        frame.picture(name) {
            // The surface covers the grid, which would be taken for contours.
            frame.axes
            surface
            contours
            trajectory
        }
    }

    /// Where one point's share of the line ends and the next one's begins.
    private static func edges(_ places: [Double]) -> [Double] {
        guard places.count > 1, let first = places.first, let last = places.last else {
            return places.flatMap { [$0 - 0.5, $0 + 0.5] }
        }
        let middles = zip(places, places.dropFirst()).map { ($0 + $1) / 2 }
        return [first - (middles[0] - first)] + middles
            + [last + (last - middles[middles.count - 1])]
    }

    private var surface: Markup {
        let (xs, ys) = (ContourChart.edges(grid.xs), ContourChart.edges(grid.ys))
        var paths: [Int: String] = [:]
        for (row, values) in grid.values.enumerated() {
            let (bottom, top) = (frame.down(ys[row]), frame.down(ys[row + 1]))
            for (column, value) in values.enumerated() {
                let level = value.map { Viridis.level(scale.fraction($0)) } ?? -1
                let (left, right) = (frame.across(xs[column]), frame.across(xs[column + 1]))
                paths[level, default: ""] +=
                    "M\(Numeral.place(left)) \(Numeral.place(top))H\(Numeral.place(right))"
                    + "V\(Numeral.place(bottom))H\(Numeral.place(left))z"
            }
        }
        return Markup("g", ["class": "cells"]) {
            for (level, path) in paths.sorted(by: { $0.key < $1.key }) {
                Markup(
                    "path",
                    [
                        "class": level < 0 ? "missing" : nil, "d": path,
                        "fill": level < 0 ? nil : Viridis.color(level: level),
                    ])
            }
        }
    }

    private var contours: Markup {
        Markup("g") {
            for number in 1...max(lineCount, 1) {
                let fraction = Double(number) / Double(lineCount + 1)
                let isBright = Viridis.isBright(level: Viridis.level(fraction))
                let path = outline(at: fraction)
                path.isEmpty
                    ? nil
                    : Markup("path", ["class": isBright ? "contour d" : "contour b", "d": path])
            }
        }
    }

    /// Marching squares: the line of equal height through every square of four neighbours.
    private func outline(at fraction: Double) -> String {
        var text = ""
        for row in 0..<max(grid.ys.count - 1, 0) {
            for column in 0..<max(grid.xs.count - 1, 0) {
                for (start, end) in segments(row, column, fraction) {
                    text +=
                        "M\(Numeral.place(start.x)) \(Numeral.place(start.y))"
                        + "L\(Numeral.place(end.x)) \(Numeral.place(end.y))"
                }
            }
        }
        return text
    }

    private typealias Place = (x: Double, y: Double)

    private func segments(_ row: Int, _ column: Int, _ level: Double) -> [(Place, Place)] {
        let corners = [
            (row, column), (row, column + 1), (row + 1, column + 1), (row + 1, column),
        ]
        var heights: [Double] = []
        for corner in corners {
            guard let value = grid.values[corner.0][corner.1] else { return [] }
            heights.append(scale.fraction(value))
        }
        let places = corners.map {
            (x: frame.across(grid.xs[$0.1]), y: frame.down(grid.ys[$0.0]))
        }
        var crossings: [Place] = []
        for side in 0..<4 {
            let next = (side + 1) % 4
            let (a, b) = (heights[side], heights[next])
            guard (a < level) != (b < level) else { continue }
            let share = (level - a) / (b - a)
            crossings.append(
                (
                    places[side].x + share * (places[next].x - places[side].x),
                    places[side].y + share * (places[next].y - places[side].y)
                ))
        }
        switch crossings.count {
        case 2: return [(crossings[0], crossings[1])]
        case 4:
            // A saddle: the middle tells which corners belong together.
            let middle = heights.reduce(0, +) / 4
            return (heights[0] < level) == (middle < level)
                ? [(crossings[0], crossings[1]), (crossings[2], crossings[3])]
                : [(crossings[3], crossings[0]), (crossings[1], crossings[2])]
        default: return []
        }
    }

    private var trajectory: Markup? {
        guard !path.isEmpty else { return nil }
        let places = path.map { (x: frame.across($0.x), y: frame.down($0.y)) }
        return Markup("g") {
            Markup("path", ["class": "trajectory", "d": SVG.path(places)])
            for (index, place) in places.enumerated() {
                Markup(
                    "circle",
                    [
                        "class": index == places.count - 1 ? "end" : "step",
                        "cx": Numeral.place(place.x), "cy": Numeral.place(place.y),
                        "r": index == places.count - 1 ? "5" : "2.5",
                    ])
            }
        }
    }
}
