/// Matrices side by side under one scale of colours, their rows named once: layers downwards,
/// epochs across.
public struct HeatMap: Sendable {
    /// One matrix.
    public struct Panel: Sendable {
        public var title: String
        public var columns: [String]
        /// Row after row, as many columns each; `nil` where nothing is known.
        public var values: [[Double?]]
        /// Values strictly above theirs are marked with a dot.
        public var thresholds: [[Double?]]

        /// - Parameter thresholds: As many as `values`, or none.
        public init(
            title: String, columns: [String], values: [[Double?]], thresholds: [[Double?]] = []
        ) {
            precondition(
                thresholds.isEmpty || thresholds.map(\.count) == values.map(\.count),
                "as many thresholds as values are needed")
            self.title = title
            self.columns = columns
            self.values = values
            self.thresholds = thresholds
        }
    }

    private let name: ChartName
    private let rows: [String]
    private let panels: [Panel]
    private let scale: Axis
    private let columnLabel: String
    private let left = 84.0
    private let width = 400.0
    private let top = 24.0

    /// - Parameters:
    ///   - scale: Which values the colours stand for.
    ///   - rows: Their names, from the top.
    public init(
        _ name: ChartName, rows: [String], columnLabel: String, panels: [Panel], scale: Axis
    ) {
        self.name = name
        self.rows = rows
        self.columnLabel = columnLabel
        self.panels = panels
        self.scale = scale
    }

    private var cellHeight: Double {
        min(22, max(4, 230 / Double(max(rows.count, 1)))).rounded()
    }
    private var panelWidth: Double {
        (width - left - 6 - 12 * Double(panels.count - 1)) / Double(max(panels.count, 1))
    }
    private var bottomEdge: Double { top + cellHeight * Double(rows.count) }

    public var svg: Markup {
        SVG.picture(name, width: width, height: bottomEdge + 36) {
            names
            for (index, panel) in panels.enumerated() {
                drawn(panel, left: left + Double(index) * (panelWidth + 12))
            }
            SVG.text(
                columnLabel, (left + width - 6) / 2, bottomEdge + 31, className: "label",
                anchor: "middle")
        }
    }

    private var names: Markup {
        // A name needs eleven pixels; where rows are lower, only some are named.
        let stride = max(1, Int((11 / cellHeight).rounded(.up)))
        return Markup("g") {
            for (index, row) in rows.enumerated() where index % stride == 0 {
                SVG.text(
                    SVG.fitted(row, width: left - 8), left - 6,
                    top + (Double(index) + 0.5) * cellHeight + 4, className: "tick",
                    anchor: "end", title: row)
            }
        }
    }

    private func drawn(_ panel: Panel, left: Double) -> Markup {
        let cellWidth = panelWidth / Double(max(panel.columns.count, 1))
        return Markup("g") {
            SVG.text(
                // Bold letters are wider.
                SVG.fitted(panel.title, width: panelWidth * 0.84), left, 15, className: "panel",
                title: panel.title)
            cells(panel, left: left, cellWidth: cellWidth)
            dots(panel, left: left, cellWidth: cellWidth)
            ticks(panel, left: left, cellWidth: cellWidth)
        }
    }

    /// One path a colour, for that is much shorter than one rectangle a cell.
    private func cells(_ panel: Panel, left: Double, cellWidth: Double) -> Markup {
        var paths = [Int: String]()
        for (row, values) in panel.values.enumerated() {
            var start = 0
            while start < values.count {
                let level = level(values[start])
                var end = start + 1
                while end < values.count, self.level(values[end]) == level { end += 1 }
                let x = left + Double(start) * cellWidth
                paths[level, default: ""] +=
                    "M\(Numeral.place(x)) \(Numeral.place(top + Double(row) * cellHeight))"
                    + "h\(Numeral.place(Double(end - start) * cellWidth))"
                    + "v\(Numeral.place(cellHeight))"
                    + "h\(Numeral.place(-Double(end - start) * cellWidth))z"
                start = end
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

    /// -1 where nothing is known.
    private func level(_ value: Double?) -> Int {
        value.map { Viridis.level(scale.fraction($0)) } ?? -1
    }

    private func dots(_ panel: Panel, left: Double, cellWidth: Double) -> Markup? {
        guard !panel.thresholds.isEmpty else { return nil }
        let radius = Numeral.place(max(0.8, min(2.6, 0.22 * min(cellWidth, cellHeight))))
        var circles: [Markup] = []
        for (row, values) in panel.values.enumerated() {
            for (column, value) in values.enumerated() {
                guard let value, let threshold = panel.thresholds[row][column],
                    value > threshold
                else { continue }
                circles.append(
                    Markup(
                        "circle",
                        [
                            "class": Viridis.isBright(level: level(value)) ? "d" : "b",
                            "cx": Numeral.place(left + (Double(column) + 0.5) * cellWidth),
                            "cy": Numeral.place(top + (Double(row) + 0.5) * cellHeight),
                            "r": radius,
                        ]))
            }
        }
        return Markup("g", ["class": "dots"]) { circles }
    }

    private func ticks(_ panel: Panel, left: Double, cellWidth: Double) -> Markup {
        let stride = max(1, Int((24 / max(cellWidth, 0.1)).rounded(.up)))
        return Markup("g") {
            for (index, column) in panel.columns.enumerated() where index % stride == 0 {
                SVG.text(
                    column, left + (Double(index) + 0.5) * cellWidth, bottomEdge + 15,
                    className: "tick", anchor: "middle")
            }
        }
    }
}

/// The colours of heat maps and the values they stand for.
public struct ColorBar: Sendable {
    private let name: ChartName
    private let scale: Axis
    /// Values worth marking, such as the threshold, with what they are called.
    private let marks: [(label: String, value: Double)]
    private let width = 400.0

    public init(_ name: ChartName, scale: Axis, marks: [(label: String, value: Double)] = []) {
        self.name = name
        self.scale = scale
        self.marks = marks
    }

    public var svg: Markup {
        let (left, length) = (10.0, width - 20)
        let step = length / Double(Viridis.levels)
        return SVG.picture(name, width: width, height: 64) {
            SVG.text(scale.label, left, 12, className: "label")
            for level in 0..<Viridis.levels {
                Markup(
                    "rect",
                    [
                        "x": Numeral.place(left + Double(level) * step), "y": "30",
                        "width": Numeral.place(step + 0.4), "height": "12",
                        "fill": Viridis.color(level: level),
                    ])
            }
            for tick in scale.ticks {
                let place = left + scale.fraction(tick) * length
                SVG.line(place, 42, place, 46, className: "axis")
                SVG.text(scale.text(tick), place, 58, className: "tick", anchor: "middle")
            }
            for mark in marks {
                let place = left + scale.fraction(mark.value) * length
                SVG.line(place, 24, place, 46, className: "mark")
                SVG.text(mark.label, place, 22, className: "note", anchor: "middle")
            }
        }
    }
}
