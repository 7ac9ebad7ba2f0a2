import FathomCore

/// Renders a leaderboard. Tables for people fit the terminal and end with words on whether UD can
/// be believed; CSV and JSON hold every column and nothing else.
public struct LeaderboardTable: Sendable {
    private let leaderboard: Leaderboard
    private let sweep: String
    private let agreements: [RankAgreement]
    private let style: TerminalStyle

    /// - Parameters:
    ///   - agreements: Of the same sweep (`StoreReader.rankAgreements`).
    ///   - style: What the format `table` is fitted to.
    public init(
        _ leaderboard: Leaderboard, sweep: String, agreements: [RankAgreement] = [],
        style: TerminalStyle = .plain
    ) {
        self.leaderboard = leaderboard
        self.sweep = sweep
        self.agreements = agreements
        self.style = style
    }

    public func text(as format: TableFormat) -> String {
        switch format {
        case .json, .csv:
            return format.text(of: LeaderboardFacts(leaderboard, sweep: sweep).result)
        case .table, .markdown, .latex:
            if leaderboard.groups.isEmpty { return remark("No cell to show.", format) }
            let across = CrossTask.tables(leaderboard.groups.flatMap(\.rows))
            return
                (leaderboard.groups.map { section($0, format) }
                + across.map { CrossTaskTable($0, style: style).text(as: format) })
                .joined(separator: "\n")
        }
    }

    private func section(_ group: Leaderboard.Group, _ format: TableFormat) -> String {
        let first = group.rows.first
        let rule = first?.rule ?? "released"
        let count = first?.countKind == CountKind.parameters.rawValue ? ", parameters" : ""
        let title = "\(group.title) (β \(rule)\(count), by \(group.order.rawValue))"
        let columns = format == .table ? style.columns : 120
        var text = heading(title, format)
        let table = LeaderboardColumns(group, columns: columns).table
        text += format.text(of: table, style: style)
        if format != .latex { text += "\n" }
        let fitting = agreements.filter { LeaderboardTable.agreement($0, isOf: first) }
        for sentence in LeaderboardVerdict(group: group, agreements: fitting).sentences {
            text += remark(sentence, format)
        }
        return text
    }

    private static func agreement(_ found: RankAgreement, isOf row: LeaderboardRow?) -> Bool {
        guard let row else { return false }
        return found.dataSet == row.dataSet && found.task == row.task && found.model == row.model
            && found.defense == row.defense && found.settings == row.settings
    }

    private func heading(_ text: String, _ format: TableFormat) -> String {
        LeaderboardTable.heading(text, format, style)
    }

    private func remark(_ text: String, _ format: TableFormat) -> String {
        LeaderboardTable.remark(text, format, style)
    }

    static func heading(_ text: String, _ format: TableFormat, _ style: TerminalStyle) -> String {
        switch format {
        case .markdown: "### \(TerminalText.cleaned(text))\n\n"
        case .latex: TerminalText.wrapped(text, to: 78, prefix: "% ")
        default: TerminalText.wrapped(text, to: style.columns)
        }
    }

    /// Lines of prose stay readable, however wide the terminal is.
    static func remark(_ text: String, _ format: TableFormat, _ style: TerminalStyle) -> String {
        switch format {
        case .markdown: "- \(TerminalText.cleaned(text))\n"
        case .latex: TerminalText.wrapped(text, to: 78, prefix: "% ")
        default: TerminalText.wrapped(text, to: min(style.columns, 100))
        }
    }
}
