/// Text as a terminal shows it: how many columns it takes, cut and padded to fit.
public enum TerminalText {
    /// Columns that a letter takes: two for East Asian wide letters and emoji (Unicode Standard
    /// Annex 11), none for what only modifies the letter before it.
    static func width(_ letter: Character) -> Int {
        guard let first = letter.unicodeScalars.first else { return 0 }
        if letter.unicodeScalars.contains(where: { $0.value == 0xFE0F }) { return 2 }
        switch first.properties.generalCategory {
        case .nonspacingMark, .enclosingMark, .format, .control: return 0
        default: break
        }
        return first.properties.isEmojiPresentation || isWide(first.value) ? 2 : 1
    }

    private static let wideRanges: [ClosedRange<UInt32>] = [
        0x1100...0x115F, 0x2E80...0x303E, 0x3041...0x33FF, 0x3400...0x4DBF, 0x4E00...0x9FFF,
        0xA000...0xA4CF, 0xA960...0xA97C, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F,
        0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x16FE0...0x18AFF, 0x1AFF0...0x1B2FF,
        0x1F300...0x1F64F, 0x1F900...0x1F9FF, 0x20000...0x3FFFD,
    ]

    private static func isWide(_ scalar: UInt32) -> Bool {
        scalar >= 0x1100 && wideRanges.contains { $0.contains(scalar) }
    }

    /// Columns that a text takes.
    public static func width(_ text: String) -> Int {
        // Nearly all text is plain ASCII, where a byte is a column.
        if text.utf8.allSatisfy({ 0x20...0x7E ~= $0 }) { return text.utf8.count }
        return text.reduce(0) { $0 + width($1) }
    }

    /// The text on one line without anything a terminal would obey: control letters become `�`,
    /// line ends and tabs blanks. Names come from users, and a table is not a place to move the
    /// cursor from.
    public static func cleaned(_ text: String) -> String {
        if text.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F && $0 < 0x80 }) { return text }
        var result = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\n", "\r", "\t": result.append(" ")
            default:
                let isObeyed =
                    scalar.properties.generalCategory == .control
                    // Overrides of the writing direction would show columns in another order.
                    || (0x202A...0x202E).contains(scalar.value)
                    || (0x2066...0x2069).contains(scalar.value)
                result.append(isObeyed ? "\u{FFFD}" : scalar)
            }
        }
        return String(result)
    }

    /// The text cut to `columns`, its end replaced by `…` where it does not fit.
    public static func shortened(_ text: String, to columns: Int) -> String {
        guard width(text) > columns else { return text }
        return prefix(text, columns: columns - 1) + "…"
    }

    /// Names cut to `columns`. Where ends make names equal that are not, middles go instead.
    public static func shortened(_ names: [String], to columns: Int) -> [String] {
        let byEnd = names.map { shortened($0, to: columns) }
        var owners: [String: Set<String>] = [:]
        for (short, name) in zip(byEnd, names) { owners[short, default: []].insert(name) }
        return zip(byEnd, names).map { short, name in
            guard owners[short].map({ $0.count > 1 }) ?? false, columns > 3 else { return short }
            let head = prefix(name, columns: (columns - 1) / 2)
            let tail = prefix(String(name.reversed()), columns: columns - 1 - width(head))
            return head + "…" + String(tail.reversed())
        }
    }

    private static func prefix(_ text: String, columns: Int) -> String {
        var result = ""
        var used = 0
        for letter in text {
            let next = used + width(letter)
            if next > columns { break }
            result.append(letter)
            used = next
        }
        return result
    }

    /// The text with blanks up to `columns`, before it for numbers.
    public static func padded(_ text: String, to columns: Int, isNumber: Bool) -> String {
        let space = String(repeating: " ", count: max(0, columns - width(text)))
        return isNumber ? space + text : text + space
    }

    /// Words on lines of at most `columns`, a longer word on a line of its own.
    public static func wrapped(_ text: String, to columns: Int, prefix: String = "") -> String {
        var lines: [String] = []
        var line = ""
        for word in cleaned(text).split(separator: " ") {
            if !line.isEmpty, width(line) + 1 + width(String(word)) > columns {
                lines.append(line)
                line = ""
            }
            line += line.isEmpty ? String(word) : " " + word
        }
        if !line.isEmpty { lines.append(line) }
        return lines.map { prefix + $0 + "\n" }.joined()
    }

    /// The lines of a text, cleaned; with `columns` broken between words, or within one that is
    /// longer than a line.
    public static func lines(of text: String, columns: Int?) -> [String] {
        text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).flatMap { line in
            let whole = cleaned(String(line))
            guard let columns, width(whole) > columns else { return [whole] }
            return folded(whole, to: columns)
        }
    }

    private static func folded(_ text: String, to columns: Int) -> [String] {
        var lines = [""]
        var used = 0
        for word in text.split(separator: " ", omittingEmptySubsequences: false) {
            let wide = width(String(word))
            if used > 0, used + 1 + wide <= columns {
                lines[lines.count - 1] += " " + word
                used += 1 + wide
                continue
            }
            if used > 0 { lines.append("") }
            used = 0
            for letter in word {
                if used + width(letter) > columns {
                    lines.append("")
                    used = 0
                }
                lines[lines.count - 1].append(letter)
                used += width(letter)
            }
        }
        return lines
    }
}
