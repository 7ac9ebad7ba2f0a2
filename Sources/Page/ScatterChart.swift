public import FathomCore

/// Named points with the intervals of both their values.
public struct ScatterChart: Sendable {
    public struct Point: Sendable {
        public var name: String
        public var style: SeriesStyle
        public var x: Double
        public var y: Double
        public var xInterval: Interval?
        public var yInterval: Interval?

        public init(
            name: String, style: SeriesStyle, x: Double, y: Double, xInterval: Interval? = nil,
            yInterval: Interval? = nil
        ) {
            self.name = name
            self.style = style
            self.x = x
            self.y = y
            self.xInterval = xInterval
            self.yInterval = yInterval
        }
    }

    private let name: ChartName
    private var frame: PlotFrame
    private let points: [Point]
    /// A range of y that means "no different", and a level within it.
    private let band: Interval?
    private let level: Double?
    /// Above this number names would hide the points.
    static let labelsMax = 40

    public init(
        _ name: ChartName, x: Axis, y: Axis, points: [Point], band: Interval? = nil,
        level: Double? = nil
    ) {
        self.name = name
        frame = PlotFrame(x: x, y: y)
        frame.height = 310
        self.points = points
        self.band = band
        self.level = level
    }

    public var svg: Markup {
        frame.picture(name) {
            background
            frame.axes
            for point in points { whiskers(point) }
            for point in points {
                point.style.mark(
                    at: frame.across(point.x), frame.down(point.y), size: 4,
                    title: "\(point.name): \(frame.x.label) \(Numeral.fixed(point.x, 3)), "
                        + "\(frame.y.label) \(Numeral.fixed(point.y, 3))")
            }
            if points.count <= ScatterChart.labelsMax { labels }
        }
    }

    private var background: Markup {
        let (left, right) = (frame.left, frame.width - frame.right)
        return Markup("g") {
            band.map { band in
                Markup(
                    "rect",
                    [
                        "class": "zone", "x": Numeral.place(left),
                        "y": Numeral.place(frame.down(band.high)),
                        "width": Numeral.place(right - left),
                        "height": Numeral.place(frame.down(band.low) - frame.down(band.high)),
                    ])
            }
            level.map { level in
                SVG.line(
                    left, frame.down(level), right, frame.down(level), className: "level",
                    dashes: "4 3")
            }
        }
    }

    private func whiskers(_ point: Point) -> Markup {
        let (x, y) = (frame.across(point.x), frame.down(point.y))
        let className = "whisker \(point.style.className)"
        return Markup("g") {
            point.xInterval.map {
                SVG.line(frame.across($0.low), y, frame.across($0.high), y, className: className)
            }
            point.yInterval.map {
                SVG.line(x, frame.down($0.low), x, frame.down($0.high), className: className)
            }
        }
    }

    /// Names beside their points, moved where they would lie on one another.
    private var labels: Markup {
        var taken: [(x: Double, y: Double, width: Double)] = points.map {
            (frame.across($0.x) - 5, frame.down($0.y), 10)
        }
        var placed: [Markup] = []
        for point in points {
            let text = SVG.fitted(point.name, width: 130)
            let width = Double(text.count) * 6.3
            let (x, y) = (frame.across(point.x), frame.down(point.y))
            let candidates: [(Double, Double)] = [
                (x + 8, y - 6), (x + 8, y + 14), (x - 8 - width, y - 6), (x - 8 - width, y + 14),
                (x + 8, y - 19), (x + 8, y + 27), (x - 8 - width, y - 19),
                (x - 8 - width, y + 27),
            ]
            let inside = candidates.filter {
                $0.0 >= 2 && $0.0 + width <= frame.width - 2 && $0.1 > frame.top
                    && $0.1 < frame.height - frame.bottom
            }
            let spot =
                inside.first { spot in
                    !taken.contains { other in
                        abs(other.y - spot.1 + 4) < 12 && other.x < spot.0 + width
                            && spot.0 < other.x + other.width
                    }
                } ?? inside.first ?? candidates[0]
            taken.append((spot.0, spot.1 - 4, width))
            placed.append(SVG.text(text, spot.0, spot.1, className: "name", title: point.name))
        }
        return Markup(joining: placed)
    }
}
