/// When escape sequences for colour are written.
public enum ColorChoice: String, Sendable, Hashable, CaseIterable {
    case auto, always, never
}

/// What a stream says of itself, and the environment of it.
public struct TerminalFacts: Sendable, Hashable {
    public var isTerminal: Bool
    /// Columns as the terminal says; `nil`: it does not.
    public var columns: Int?
    /// `NO_COLOR` as it is set (no-color.org: any text that is not empty counts).
    public var noColor: String?
    /// `TERM`.
    public var kind: String?
    /// `COLUMNS`.
    public var columnsWanted: String?

    public init(
        isTerminal: Bool, columns: Int? = nil, noColor: String? = nil, kind: String? = nil,
        columnsWanted: String? = nil
    ) {
        self.isTerminal = isTerminal
        self.columns = columns
        self.noColor = noColor
        self.kind = kind
        self.columnsWanted = columnsWanted
    }
}

/// What a table for people is fitted to.
public struct TerminalStyle: Sendable, Hashable {
    /// Columns of a line.
    public var columns: Int
    /// Whether escape sequences for colour may be used.
    public var isColored: Bool

    public init(columns: Int = 80, isColored: Bool = false) {
        self.columns = max(40, columns)
        self.isColored = isColored
    }

    /// Files and pipes get 80 columns without colour, unless `COLUMNS` or `color` ask for other.
    public init(_ facts: TerminalFacts, color: ColorChoice) {
        let wanted = facts.columnsWanted.flatMap { Int($0) }.flatMap { $0 > 0 ? $0 : nil }
        let isColored =
            switch color {
            case .always: true
            case .never: false
            case .auto:
                facts.isTerminal && (facts.noColor ?? "").isEmpty && facts.kind != "dumb"
            }
        self.init(
            columns: (facts.isTerminal ? facts.columns : nil) ?? wanted ?? 80,
            isColored: isColored)
    }

    /// 80 columns without colour.
    public static let plain = TerminalStyle()

    /// How a piece of text stands out. Colour never carries meaning alone.
    public enum Accent: String, Sendable, Hashable {
        case heading = "1"
        case good = "32"
        case bad = "31"
        case quiet = "2"
    }

    /// The text in its accent, or as it is.
    public func accented(_ text: String, _ accent: Accent?) -> String {
        guard isColored, let accent, !text.isEmpty else { return text }
        return "\u{1B}[\(accent.rawValue)m\(text)\u{1B}[0m"
    }
}
