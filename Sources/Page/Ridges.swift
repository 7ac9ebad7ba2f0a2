/// Distributions under each other over one axis: what share of the values lies where.
public struct Ridges: Sendable {
    /// One distribution, as shares of equal steps of the axis.
    public struct Ridge: Sendable {
        public var name: String
        public var style: SeriesStyle
        /// From the low end of the axis to the high one; they need not sum to 1.
        public var shares: [Double]
        /// What is written at the right.
        public var remark: String

        public init(name: String, style: SeriesStyle, shares: [Double], remark: String) {
            self.name = name
            self.style = style
            self.shares = shares
            self.remark = remark
        }
    }

    private let name: ChartName
    private let axis: Axis
    private let ridges: [Ridge]
    private let marks: [(label: String, value: Double)]
    private let remarkTitle: String
    private let left = 84.0
    private let right = 58.0
    private let width = 400.0
    private let rowHeight = 34.0
    private let top = 34.0

    /// - Parameters:
    ///   - marks: Upright lines with what they are called.
    ///   - remarkTitle: What the remarks at the right are.
    public init(
        _ name: ChartName, axis: Axis, ridges: [Ridge], marks: [(label: String, value: Double)],
        remarkTitle: String
    ) {
        self.name = name
        self.axis = axis
        self.ridges = ridges
        self.marks = marks
        self.remarkTitle = remarkTitle
    }

    private func across(_ value: Double) -> Double {
        left + axis.fraction(value) * (width - left - right)
    }

    public var svg: Markup {
        let bottomEdge = top + Double(ridges.count) * rowHeight
        return SVG.picture(name, width: width, height: bottomEdge + 40) {
            SVG.text(remarkTitle, width - 2, 12, className: "note", anchor: "end")
            for tick in axis.ticks {
                SVG.line(across(tick), top, across(tick), bottomEdge + 4, className: "grid")
                SVG.text(
                    axis.text(tick), across(tick), bottomEdge + 16, className: "tick",
                    anchor: "middle")
            }
            for (index, ridge) in ridges.enumerated() { drawn(ridge, index) }
            for mark in marks {
                SVG.line(
                    across(mark.value), top - 6, across(mark.value), bottomEdge, className: "mark",
                    dashes: "4 2")
                SVG.text(
                    mark.label, across(mark.value), top - 10, className: "note", anchor: "middle")
            }
            SVG.text(
                axis.label, (left + width - right) / 2, bottomEdge + 34, className: "label",
                anchor: "middle")
        }
    }

    private func drawn(_ ridge: Ridge, _ index: Int) -> Markup {
        let base = top + Double(index + 1) * rowHeight - 2
        let tallest = max(ridge.shares.max() ?? 0, 1e-12)
        let step = (width - left - right) / Double(max(ridge.shares.count, 1))
        var path = "M\(Numeral.place(left)) \(Numeral.place(base))"
        for (bin, share) in ridge.shares.enumerated() {
            let height = share / tallest * (rowHeight - 7)
            path +=
                "V\(Numeral.place(base - height))H\(Numeral.place(left + Double(bin + 1) * step))"
        }
        path += "V\(Numeral.place(base))z"
        return Markup("g") {
            SVG.text(
                SVG.fitted(ridge.name, width: left - 10), left - 6, base - 6, className: "tick",
                anchor: "end", title: ridge.name)
            Markup("path", ["class": "ridge \(ridge.style.className)", "d": path])
            SVG.line(left, base, width - right, base, className: "axis")
            SVG.text(ridge.remark, width - 2, base - 6, className: "tick", anchor: "end")
        }
    }
}
