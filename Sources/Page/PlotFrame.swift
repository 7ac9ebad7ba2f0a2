/// What a chart is called: in the page, for screen readers, and as the name of its data.
public struct ChartName: Sendable, Hashable {
    /// Unique within a page; letters, digits and hyphens.
    public var id: String
    public var title: String
    /// What is to be seen, in words, for those who do not see it.
    public var description: String

    public init(id: String, title: String, description: String) {
        self.id = id
        self.title = title
        self.description = description
    }
}

/// The rectangle of a plot with its axes; charts draw into it.
struct PlotFrame {
    let x: Axis
    let y: Axis
    var width = 400.0
    var height = 270.0
    var left = 50.0
    var right = 14.0
    var top = 26.0
    var bottom = 40.0

    init(x: Axis, y: Axis) {
        self.x = x
        self.y = y
    }

    func across(_ value: Double) -> Double {
        left + x.fraction(value) * (width - left - right)
    }

    func down(_ value: Double) -> Double {
        height - bottom - y.fraction(value) * (height - top - bottom)
    }

    /// Axes, ticks and labels, behind everything else.
    var axes: Markup {
        let bottomEdge = height - bottom
        return Markup("g", ["class": "axes"]) {
            for tick in y.ticks {
                let place = down(tick)
                SVG.line(left, place, width - right, place, className: "grid")
                SVG.text(y.text(tick), left - 6, place + 4, className: "tick", anchor: "end")
            }
            for tick in x.ticks {
                let place = across(tick)
                SVG.line(place, bottomEdge, place, bottomEdge + 4, className: "axis")
                SVG.text(
                    x.text(tick), place, bottomEdge + 16, className: "tick", anchor: "middle")
            }
            SVG.line(left, bottomEdge, width - right, bottomEdge, className: "axis")
            SVG.text(y.label, 2, 13, className: "label")
            SVG.text(
                x.label, (left + width - right) / 2, height - 6, className: "label",
                anchor: "middle")
        }
    }

    /// The whole picture.
    func picture(_ name: ChartName, @MarkupBuilder content: () -> Markup) -> Markup {
        SVG.picture(name, width: width, height: height, content: content)
    }
}

/// Pieces of SVG that charts share.
enum SVG {
    static func picture(
        _ name: ChartName, width: Double, height: Double, @MarkupBuilder content: () -> Markup
    ) -> Markup {
        Markup(
            "svg",
            [
                "xmlns": "http://www.w3.org/2000/svg", "class": "plot", "role": "img",
                "id": name.id, "viewBox": "0 0 \(Numeral.place(width)) \(Numeral.place(height))",
                "width": Numeral.place(width), "height": Numeral.place(height),
                "aria-labelledby": "\(name.id)-t \(name.id)-d",
            ]
        ) {
            Markup("title", ["id": "\(name.id)-t"]) { name.title }
            Markup("desc", ["id": "\(name.id)-d"]) { name.description }
            content()
        }
    }

    static func line(
        _ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double, className: String,
        dashes: String? = nil
    ) -> Markup {
        Markup(
            "line",
            [
                "class": className, "x1": Numeral.place(x1), "y1": Numeral.place(y1),
                "x2": Numeral.place(x2), "y2": Numeral.place(y2), "stroke-dasharray": dashes,
            ])
    }

    static func text(
        _ text: String, _ x: Double, _ y: Double, className: String, anchor: String? = nil,
        title: String? = nil
    ) -> Markup {
        Markup(
            "text",
            [
                "class": className, "x": Numeral.place(x), "y": Numeral.place(y),
                "text-anchor": anchor,
            ]
        ) {
            text
            title.map { full in Markup("title") { full } }
        }
    }

    /// A path through points, broken where one is missing.
    static func path(_ points: [(x: Double, y: Double)?]) -> String {
        var text = ""
        var isDown = false
        for point in points {
            guard let point else {
                isDown = false
                continue
            }
            text += (isDown ? "L" : "M") + Numeral.place(point.x) + " " + Numeral.place(point.y)
            isDown = true
        }
        return text
    }

    /// `text` cut to what fits into `width` pixels at the size of ticks, the end in dots.
    static func fitted(_ text: String, width: Double) -> String {
        let room = max(3, Int(width / 6.3))
        return text.count <= room ? text : text.prefix(room - 1) + "…"
    }
}
