import Foundation

/// Data behind a figure, within the page: saved by a click, from disk as well, without any network.
public struct Download: Sendable, Hashable {
    /// What the file is called, such as `leaderboard.csv`.
    public var fileName: String
    public var text: String

    public init(fileName: String, csv text: String) {
        self.fileName = fileName
        self.text = text
    }

    /// The link.
    public var link: Markup {
        let data = Data(text.utf8).base64EncodedString()
        return Markup(
            "a",
            [
                "class": "download", "download": fileName,
                "href": "data:text/csv;charset=utf-8;base64," + data,
            ]
        ) {
            "Data as CSV"
            Markup("span", ["class": "hidden"]) { ": \(fileName)" }
        }
    }
}

/// One or several charts with what they show, the key to their lines, and their data.
public struct Figure: Sendable {
    public var id: String
    public var title: String
    /// How to read it, and what it leaves out.
    public var caption: Markup
    public var panels: [Markup]
    public var key: [Key]
    public var download: Download?

    /// What a style means.
    public struct Key: Sendable {
        public var name: String
        public var style: SeriesStyle

        public init(name: String, style: SeriesStyle) {
            self.name = name
            self.style = style
        }
    }

    public init(
        id: String, title: String, caption: Markup, panels: [Markup], key: [Key] = [],
        download: Download? = nil
    ) {
        self.id = id
        self.title = title
        self.caption = caption
        self.panels = panels
        self.key = key
        self.download = download
    }

    public var markup: Markup {
        Markup("figure", ["id": id]) {
            Markup("figcaption") {
                Markup("strong") { title }
                caption.isEmpty ? nil : Markup("span", ["class": "caption"]) { caption }
            }
            if !key.isEmpty {
                Markup("ul", ["class": "key"]) {
                    for entry in key { Figure.item(entry) }
                }
            }
            Markup("div", ["class": panels.count > 1 ? "panels" : "panels one"]) { panels }
            download?.link
        }
    }

    private static func item(_ entry: Key) -> Markup {
        Markup("li") {
            Markup(
                "svg",
                [
                    "xmlns": "http://www.w3.org/2000/svg", "class": "swatch",
                    "viewBox": "0 0 30 12", "width": "30", "height": "12",
                    "aria-hidden": "true",
                ]
            ) {
                Markup(
                    "path",
                    [
                        "class": "line \(entry.style.className)", "d": "M1 6H29",
                        "stroke-dasharray": entry.style.dashes,
                    ])
                entry.style.mark(at: 15, 6, size: 3)
            }
            entry.name
        }
    }
}

/// A small picture of a value and its interval, for a table's cell; the numbers stand beside it.
public enum IntervalMark {
    public static func svg(
        value: Double, low: Double?, high: Double?, axis: Axis, style: SeriesStyle,
        level: Double? = nil
    ) -> Markup {
        let width = 84.0
        func across(_ value: Double) -> Double { 5 + axis.fraction(value) * (width - 10) }
        return Markup(
            "svg",
            [
                "xmlns": "http://www.w3.org/2000/svg", "class": "mini", "viewBox": "0 0 84 16",
                "width": "84", "height": "16", "aria-hidden": "true",
            ]
        ) {
            level.map { level in
                SVG.line(across(level), 0, across(level), 16, className: "level", dashes: "3 2")
            }
            if let low, let high {
                SVG.line(
                    across(low), 8, across(high), 8, className: "whisker \(style.className)")
            }
            style.mark(at: across(value), 8, size: 3.4)
        }
    }
}
