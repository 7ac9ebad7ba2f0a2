/// How a series is told from others: by colour, by dashes, and by the shape of its marks, so that
/// nothing depends on colours alone.
public struct SeriesStyle: Sendable, Hashable {
    /// The classes that the style sheet gives colours to.
    let className: String
    /// The stroke's dashes; `nil` is a whole line.
    let dashes: String?
    let mark: Mark

    enum Mark: Int, Sendable, Hashable, CaseIterable {
        case circle, square, triangle, diamond, cross, plus
    }

    /// What everything is compared with.
    public static let reference = SeriesStyle(className: "s0", dashes: nil, mark: .circle)

    /// Something that should do no harm.
    public static func control(_ index: Int) -> SeriesStyle {
        let dashes = ["2 3", "5 3", "8 3 2 3"]
        return SeriesStyle(
            className: "sc", dashes: dashes[index % dashes.count],
            mark: Mark.allCases[(index + 4) % Mark.allCases.count])
    }

    /// One of many: colours after Okabe and Ito, which people with any colour vision can tell
    /// apart; when they run out they come again with other dashes.
    public static func series(_ index: Int) -> SeriesStyle {
        let round = index / colorCount
        let dashes: [String?] = [nil, "6 3", "2 2", "9 3 2 3"]
        return SeriesStyle(
            className: "s\(index % colorCount + 1)", dashes: dashes[round % dashes.count],
            mark: Mark.allCases[(index + round) % Mark.allCases.count])
    }

    /// Colours of `series`, without black and without yellow, which white paper swallows.
    static let colorCount = 6

    /// The mark around a place, `size` being half its width.
    func mark(at x: Double, _ y: Double, size: Double, title: String? = nil) -> Markup {
        let place = Numeral.place
        let s = size
        let path: String
        switch mark {
        case .circle:
            return Markup(
                "circle",
                ["class": "m \(className)", "cx": place(x), "cy": place(y), "r": place(s)]
            ) { title.map { text in Markup("title") { text } } }
        case .square:
            path =
                "M\(place(x - s)) \(place(y - s))h\(place(2 * s))v\(place(2 * s))h\(place(-2 * s))z"
        case .triangle:
            path =
                "M\(place(x)) \(place(y - 1.2 * s))L\(place(x + 1.1 * s)) \(place(y + s))"
                + "H\(place(x - 1.1 * s))z"
        case .diamond:
            path =
                "M\(place(x)) \(place(y - 1.3 * s))L\(place(x + 1.3 * s)) \(place(y))"
                + "L\(place(x)) \(place(y + 1.3 * s))L\(place(x - 1.3 * s)) \(place(y))z"
        case .cross:
            path =
                "M\(place(x - s)) \(place(y - s))L\(place(x + s)) \(place(y + s))"
                + "M\(place(x - s)) \(place(y + s))L\(place(x + s)) \(place(y - s))"
        case .plus:
            path =
                "M\(place(x - 1.2 * s)) \(place(y))H\(place(x + 1.2 * s))"
                + "M\(place(x)) \(place(y - 1.2 * s))V\(place(y + 1.2 * s))"
        }
        let isOpen = mark == .cross || mark == .plus
        return Markup("path", ["class": "\(isOpen ? "mo" : "m") \(className)", "d": path]) {
            title.map { text in Markup("title") { text } }
        }
    }
}

/// Viridis (van der Walt and Smith, 2015): from dark to bright with even steps of lightness, for
/// any colour vision, and in grey print.
public enum Viridis {
    /// How many colours maps are drawn with.
    public static let levels = 48

    private static let stops: [(Double, Double, Double)] = [
        (68, 1, 84), (72, 33, 115), (67, 62, 133), (56, 88, 140), (45, 112, 142), (37, 133, 142),
        (30, 155, 138), (42, 176, 127), (82, 197, 105), (134, 213, 73), (194, 223, 35),
        (253, 231, 37),
    ]

    /// The level of a fraction within 0...1.
    public static func level(_ fraction: Double) -> Int {
        min(levels - 1, max(0, Int(fraction * Double(levels))))
    }

    /// The colour of a level as `#rrggbb`.
    public static func color(level: Int) -> String {
        let place = Double(min(max(level, 0), levels - 1)) / Double(levels - 1)
        let position = place * Double(stops.count - 1)
        let below = min(Int(position), stops.count - 2)
        let share = position - Double(below)
        let (a, b) = (stops[below], stops[below + 1])
        let mixed = [(a.0, b.0), (a.1, b.1), (a.2, b.2)].map { pair in
            Int((pair.0 + share * (pair.1 - pair.0)).rounded())
        }
        return "#"
            + mixed.map { value in
                let digits = String(value, radix: 16)
                return digits.count == 1 ? "0" + digits : digits
            }.joined()
    }

    /// Whether black stands out from a level better than white.
    static func isBright(level: Int) -> Bool { level * 5 > levels * 3 }
}
