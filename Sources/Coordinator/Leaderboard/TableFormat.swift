/// How rows come out: for people, for programs, or for a paper.
public enum TableFormat: String, Sendable, Hashable, CaseIterable {
    case table, json, csv, markdown, latex

    /// Renders the rows of a query.
    public func text(of result: QueryResult) -> String {
        switch self {
        case .json: TableFormat.json(result)
        case .csv:
            ([result.columns] + result.rows.map { $0.map(\.text) }).map(CSVText.line).joined()
        case .table, .markdown, .latex:
            text(of: TextTable(result))
        }
    }

    /// Renders a table that is text already. As JSON and CSV its cells are text, too.
    public func text(of table: TextTable) -> String {
        switch self {
        case .table: table.plain
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

/// Text in columns.
public struct TextTable: Sendable, Hashable {
    public struct Column: Sendable, Hashable {
        public var title: String
        public var isNumber: Bool

        public init(_ title: String, isNumber: Bool = false) {
            self.title = title
            self.isNumber = isNumber
        }
    }

    public var columns: [Column]
    /// One text per column in each row.
    public var rows: [[String]]

    public init(columns: [Column], rows: [[String]]) {
        precondition(
            rows.allSatisfy { $0.count == columns.count },
            "every row needs \(columns.count) fields")
        self.columns = columns
        self.rows = rows
    }

    /// A query's rows; a column of numbers stands to the right.
    public init(_ result: QueryResult) {
        columns = result.columns.enumerated().map { index, title in
            Column(
                title,
                isNumber: result.rows.allSatisfy {
                    switch $0[index] {
                    case .text, .blob: false
                    default: true
                    }
                })
        }
        rows = result.rows.map { $0.map { $0 == .null ? "-" : $0.text } }
    }

    private var widths: [Int] {
        columns.indices.map { index in
            rows.reduce(columns[index].title.count) { max($0, $1[index].count) }
        }
    }

    private func padded(_ text: String, _ index: Int, _ width: Int) -> String {
        let space = String(repeating: " ", count: max(0, width - text.count))
        return columns[index].isNumber ? space + text : text + space
    }

    /// Columns two spaces apart, without lines, nothing after the last letter.
    var plain: String {
        let widths = widths
        return ([columns.map(\.title)] + rows).map { row in
            let line = row.enumerated().map { padded($1, $0, widths[$0]) }.joined(separator: "  ")
            return TextTable.trimmed(line) + "\n"
        }.joined()
    }

    static func trimmed(_ line: String) -> String {
        var line = line
        while line.last == " " { line.removeLast() }
        return line
    }

    var markdown: String {
        func line(_ fields: [String]) -> String {
            "| " + fields.map { $0.replacing("|", with: "\\|") }.joined(separator: " | ") + " |\n"
        }
        let rule = columns.map { $0.isNumber ? "---:" : "---" }
        return line(columns.map(\.title)) + line(rule) + rows.map(line).joined()
    }

    /// A `tabular` with the rules of the booktabs package.
    var latex: String {
        func line(_ fields: [String]) -> String {
            fields.map(TextTable.escapedForLatex).joined(separator: " & ") + " \\\\\n"
        }
        let shape = columns.map { $0.isNumber ? "r" : "l" }.joined()
        return "\\begin{tabular}{\(shape)}\n\\toprule\n" + line(columns.map(\.title))
            + "\\midrule\n" + rows.map(line).joined() + "\\bottomrule\n\\end{tabular}\n"
    }

    static func escapedForLatex(_ text: String) -> String {
        text.map { letter in
            switch letter {
            case "&", "%", "$", "#", "_", "{", "}": "\\\(letter)"
            case "\\": "\\textbackslash{}"
            case "~": "\\textasciitilde{}"
            case "^": "\\textasciicircum{}"
            case "±": "$\\pm$"
            default: String(letter)
            }
        }.joined()
    }
}
