public import FathomCore

/// Values with their intervals in named rows, several to a row: what tables show, to the eye.
public struct IntervalChart: Sendable {
    public struct Row: Sendable {
        public var name: String
        public var values: [Value]

        public init(name: String, values: [Value]) {
            self.name = name
            self.values = values
        }
    }

    public struct Value: Sendable {
        public var name: String
        public var style: SeriesStyle
        public var value: Double
        public var interval: Interval?

        public init(name: String, style: SeriesStyle, value: Double, interval: Interval? = nil) {
            self.name = name
            self.style = style
            self.value = value
            self.interval = interval
        }
    }

    private let name: ChartName
    private let axis: Axis
    private let rows: [Row]
    private let band: Interval?
    private let level: Double?
    private let left = 96.0
    private let right = 12.0
    private let width = 400.0
    private let top = 8.0

    public init(
        _ name: ChartName, axis: Axis, rows: [Row], band: Interval? = nil, level: Double? = nil
    ) {
        self.name = name
        self.axis = axis
        self.rows = rows
        self.band = band
        self.level = level
    }

    private func across(_ value: Double) -> Double {
        left + axis.fraction(value) * (width - left - right)
    }

    private func height(_ row: Row) -> Double { max(22, Double(row.values.count) * 11 + 8) }

    public var svg: Markup {
        let total = rows.reduce(0) { $0 + height($1) }
        let bottomEdge = top + total
        var place = top
        var drawnRows: [Markup] = []
        for row in rows {
            drawnRows.append(drawn(row, top: place))
            place += height(row)
        }
        return SVG.picture(name, width: width, height: bottomEdge + 40) {
            band.map { band in
                Markup(
                    "rect",
                    [
                        "class": "zone", "x": Numeral.place(across(band.low)),
                        "y": Numeral.place(top),
                        "width": Numeral.place(across(band.high) - across(band.low)),
                        "height": Numeral.place(total),
                    ])
            }
            for tick in axis.ticks {
                SVG.line(across(tick), top, across(tick), bottomEdge, className: "grid")
                SVG.text(
                    axis.text(tick), across(tick), bottomEdge + 16, className: "tick",
                    anchor: "middle")
            }
            level.map { level in
                SVG.line(
                    across(level), top, across(level), bottomEdge, className: "level",
                    dashes: "4 3")
            }
            drawnRows
            SVG.text(
                axis.label, (left + width - right) / 2, bottomEdge + 34, className: "label",
                anchor: "middle")
        }
    }

    private func drawn(_ row: Row, top: Double) -> Markup {
        let height = height(row)
        return Markup("g") {
            SVG.line(0, top + height, width - right, top + height, className: "grid")
            SVG.text(
                SVG.fitted(row.name, width: left - 10), left - 8, top + height / 2 + 4,
                className: "tick", anchor: "end", title: row.name)
            for (index, value) in row.values.enumerated() {
                drawn(
                    value, row: row.name,
                    y: top + (Double(index) + 0.5) * (height - 8) / Double(row.values.count) + 4)
            }
        }
    }

    private func drawn(_ value: Value, row: String, y: Double) -> Markup {
        Markup("g") {
            value.interval.map {
                SVG.line(
                    across($0.low), y, across($0.high), y,
                    className: "whisker \(value.style.className)")
            }
            value.style.mark(
                at: across(value.value), y, size: 3.4,
                title: "\(row), \(value.name): \(Numeral.fixed(value.value, 3))")
        }
    }
}
