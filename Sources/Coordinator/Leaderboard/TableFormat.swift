/// How rows come out: for people, for programs, or for a paper.
public enum TableFormat: String, Sendable, Hashable, CaseIterable {
    case table, json, csv, markdown, latex

    /// Renders the rows of a query.
    ///
    /// - Parameter style: What `table` is fitted to.
    public func text(of result: QueryResult, style: TerminalStyle = .plain) -> String {
        switch self {
        case .json: TableFormat.json(result)
        case .csv:
            ([result.columns] + result.rows.map { $0.map(\.text) }).map(CSVText.line).joined()
        case .table, .markdown, .latex:
            text(of: TextTable(result), style: style)
        }
    }

    /// Renders a table that is text already. As JSON and CSV its cells are text, too.
    public func text(of table: TextTable, style: TerminalStyle = .plain) -> String {
        switch self {
        case .table: table.plain(style)
        case .markdown: table.markdown
        case .latex: table.latex
        case .csv: ([table.columns.map(\.title)] + table.rows).map(CSVText.line).joined()
        case .json:
            TableFormat.json(
                QueryResult(
                    columns: table.columns.map(\.title),
                    rows: table.rows.map { $0.map(QueryValue.text) }))
        }
    }

    /// An array of objects, one a line.
    private static func json(_ result: QueryResult) -> String {
        guard !result.rows.isEmpty else { return "[]\n" }
        let objects = result.rows.indices.map { "  " + result.jsonObject($0) }
        return "[\n" + objects.joined(separator: ",\n") + "\n]\n"
    }
}
