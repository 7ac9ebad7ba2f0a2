import Foundation

/// Writes numbers for people and for SVG. The same everywhere, whatever the locale.
public enum Numeral {
    /// With a fixed number of digits behind the point.
    public static func fixed(_ value: Double, _ digits: Int) -> String {
        guard value.isFinite else { return "–" }
        let text = String(format: "%.\(digits)f", value)
        // What rounds to nothing has no sign.
        return text.hasPrefix("-") && text.allSatisfy { "-0.".contains($0) }
            ? String(text.dropFirst()) : text
    }

    /// With up to three significant digits, without zeros that say nothing.
    public static func short(_ value: Double) -> String {
        guard value.isFinite else { return "–" }
        return String(format: "%.3g", value)
    }

    /// A position in an SVG: a tenth of a pixel is as fine as anyone sees.
    public static func place(_ value: Double) -> String {
        guard value.isFinite else { return "0" }
        let tenths = (min(max(value, -1e6), 1e6) * 10).rounded()
        let whole = Int(tenths)
        let sign = whole < 0 ? "-" : ""
        let size = abs(whole)
        return size % 10 == 0 ? "\(sign)\(size / 10)" : "\(sign)\(size / 10).\(size % 10)"
    }

    /// With blanks between thousands, which wrap nowhere.
    public static func count(_ value: Int) -> String {
        let digits = "\(abs(value))"
        var text = value < 0 ? "-" : ""
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.count - index) % 3 == 0 { text += "\u{202F}" }
            text.append(digit)
        }
        return text
    }

    /// A number of seconds in the unit that suits it.
    public static func duration(seconds: Double) -> String {
        switch seconds {
        case ..<0.9995: "\(short(max(0, seconds) * 1000)) ms"
        case ..<99.95: "\(fixed(seconds, 1)) s"
        case ..<5_970: "\(fixed(seconds / 60, 1)) min"
        case ..<359_800: "\(fixed(seconds / 3600, 1)) h"
        default: "\(fixed(seconds / 86_400, 1)) days"
        }
    }

    /// A number of bytes in the unit that suits it.
    public static func bytes(_ value: Double) -> String {
        switch value {
        case ..<999.5: "\(fixed(value, 0)) B"
        case ..<999_500: "\(fixed(value / 1e3, 1)) kB"
        case ..<999_500_000: "\(fixed(value / 1e6, 1)) MB"
        default: "\(fixed(value / 1e9, 1)) GB"
        }
    }
}
