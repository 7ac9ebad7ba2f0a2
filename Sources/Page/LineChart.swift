/// Lines over a common axis, each with a band around it where there is one.
public struct LineChart: Sendable {
    /// One line.
    public struct Series: Sendable {
        /// A value at a place; `nil` breaks the line.
        public struct Point: Sendable, Hashable {
            public var x: Double
            public var y: Double?
            /// The lowest and highest value that the line sums up.
            public var low: Double?
            public var high: Double?

            public init(x: Double, y: Double?, low: Double? = nil, high: Double? = nil) {
                self.x = x
                self.y = y
                self.low = low
                self.high = high
            }
        }

        public var name: String
        public var style: SeriesStyle
        public var points: [Point]

        public init(name: String, style: SeriesStyle, points: [Point]) {
            self.name = name
            self.style = style
            self.points = points
        }
    }

    /// A level worth comparing with, such as chance.
    public struct Level: Sendable {
        public var label: String
        public var value: Double

        public init(label: String, value: Double) {
            self.label = label
            self.value = value
        }
    }

    private let name: ChartName
    private let frame: PlotFrame
    private let series: [Series]
    private let levels: [Level]

    public init(_ name: ChartName, x: Axis, y: Axis, series: [Series], levels: [Level] = []) {
        self.name = name
        frame = PlotFrame(x: x, y: y)
        self.series = series
        self.levels = levels
    }

    public var svg: Markup {
        frame.picture(name) {
            frame.axes
            for level in levels { drawn(level) }
            for one in series { band(one) }
            for one in series { line(one) }
        }
    }

    private func drawn(_ level: Level) -> Markup {
        let place = frame.down(level.value)
        return Markup("g") {
            SVG.line(
                frame.left, place, frame.width - frame.right, place, className: "level",
                dashes: "4 3")
            SVG.text(
                level.label, frame.width - frame.right, place - 4, className: "note", anchor: "end")
        }
    }

    private func band(_ series: Series) -> Markup? {
        let edges = series.points.compactMap { point -> (Double, Double, Double)? in
            guard point.y != nil, let low = point.low, let high = point.high else { return nil }
            return (frame.across(point.x), frame.down(low), frame.down(high))
        }
        guard edges.count > 1, edges.contains(where: { abs($0.1 - $0.2) > 0.05 }) else {
            return nil
        }
        let outline =
            edges.map { (x: $0.0, y: $0.2) } + edges.reversed().map { (x: $0.0, y: $0.1) }
        return Markup(
            "path", ["class": "band \(series.style.className)", "d": SVG.path(outline) + "z"])
    }

    private func line(_ series: Series) -> Markup {
        let places = series.points.map { point in
            point.y.map { (x: frame.across(point.x), y: frame.down($0)) }
        }
        // Marks crowd on long lines; every so many is enough to tell them apart.
        let stride = max(1, (places.count + 11) / 12)
        return Markup("g") {
            Markup("title") { series.name }
            Markup(
                "path",
                [
                    "class": "line \(series.style.className)", "d": SVG.path(places),
                    "stroke-dasharray": series.style.dashes,
                ])
            for (index, place) in places.enumerated() where index % stride == 0 {
                place.map { series.style.mark(at: $0.x, $0.y, size: 3) }
            }
        }
    }
}
