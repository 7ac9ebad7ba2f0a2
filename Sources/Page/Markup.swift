/// A piece of HTML or SVG that is escaped and well-formed by construction.
///
/// Text and attribute values may come from anywhere; element and attribute names are written in
/// the program. What comes out is well-formed XML as well as HTML, so that tests can parse it
/// strictly.
public struct Markup: Sendable, Hashable {
    /// As it stands in a page.
    public let source: String

    /// Nothing at all.
    public static let nothing = Markup(trusted: "")

    private init(trusted source: String) { self.source = source }

    /// Text, every special character of it escaped.
    public init(text: String) { source = Markup.escaped(text) }

    /// Prose as terminals show it: what stands between two backticks becomes code.
    public init(prose text: String) {
        let parts = text.split(separator: "`", omittingEmptySubsequences: false)
        var joined = ""
        for (index, part) in parts.enumerated() {
            let isPaired = index < parts.count - 1
            switch (index.isMultiple(of: 2), isPaired) {
            case (true, _): joined += Markup.escaped(String(part))
            case (false, true): joined += "<code>\(Markup.escaped(String(part)))</code>"
            case (false, false): joined += "`" + Markup.escaped(String(part))
            }
        }
        source = joined
    }

    /// An element.
    ///
    /// - Parameters:
    ///   - attributes: Those whose value is `nil` are left out.
    ///   - content: What stands between its tags; strings are escaped.
    public init(
        _ name: StaticString, _ attributes: KeyValuePairs<StaticString, String?> = [:],
        @MarkupBuilder content: () -> Markup = { .nothing }
    ) {
        var text = "<\(name)"
        for case (let key, let value?) in attributes {
            text += " \(key)=\"\(Markup.escaped(value))\""
        }
        let inside = content().source
        if inside.isEmpty, Markup.selfClosing.contains("\(name)") {
            text += "/>"
        } else {
            text += ">" + inside + "</\(name)>"
        }
        source = text
    }

    /// An element whose content browsers take as it is: a style sheet or a script of the program.
    public init(verbatim name: StaticString, _ content: StaticString) {
        source = "<\(name)>\(content)</\(name)>"
    }

    /// One after the other.
    public init(joining parts: some Sequence<Markup>) {
        var text = ""
        for part in parts { text += part.source }
        source = text
    }

    public var isEmpty: Bool { source.isEmpty }

    /// Elements that never hold anything: those of HTML, and the shapes of SVG.
    private static let selfClosing: Set<String> = [
        "br", "hr", "img", "input", "link", "meta", "col", "wbr",
        "path", "rect", "line", "circle", "polyline", "polygon", "use", "stop",
    ]

    /// Escapes what means something in text or in attributes, and replaces what XML forbids or
    /// what would turn the direction of the text around it.
    static func escaped(_ text: String) -> String {
        var result = ""
        result.reserveCapacity(text.utf8.count)
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case "'": result += "&#39;"
            default: result.unicodeScalars.append(isHarmless(scalar) ? scalar : "\u{FFFD}")
            }
        }
        return result
    }

    private static func isHarmless(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x09, 0x0A, 0x0D: true
        case 0..<0x20, 0x7F..<0xA0, 0xFFFE, 0xFFFF: false
        case 0x200E, 0x200F, 0x202A...0x202E, 0x2066...0x2069: false
        default: true
        }
    }
}

/// Lets markup be written as it nests.
@resultBuilder
public enum MarkupBuilder {
    public static func buildExpression(_ text: String) -> Markup { Markup(text: text) }
    public static func buildExpression(_ markup: Markup) -> Markup { markup }
    public static func buildExpression(_ markup: Markup?) -> Markup { markup ?? .nothing }
    public static func buildExpression(_ parts: [Markup]) -> Markup { Markup(joining: parts) }
    public static func buildBlock(_ parts: Markup...) -> Markup { Markup(joining: parts) }
    public static func buildArray(_ parts: [Markup]) -> Markup { Markup(joining: parts) }
    public static func buildOptional(_ part: Markup?) -> Markup { part ?? .nothing }
    public static func buildEither(first part: Markup) -> Markup { part }
    public static func buildEither(second part: Markup) -> Markup { part }
}
