/// How tables are made to fit the columns of a terminal.
extension TextTable {
    private var columnWidths: [Int] {
        columns.indices.map { index in
            rows.reduce(TerminalText.width(TerminalText.cleaned(columns[index].title))) {
                max($0, TerminalText.width(TerminalText.cleaned($1[index])))
            }
        }
    }

    /// Columns that its longest line may take.
    public var width: Int { columnWidths.reduce(0, +) + 2 * max(0, columns.count - 1) }

    /// Without those of the columns in which every number is nought; they would say nothing.
    public func dropping(ifZero titles: Set<String>) -> TextTable {
        let kept = columns.indices.filter { index in
            !titles.contains(columns[index].title) || rows.contains { $0[index] != "0" }
        }
        var table = TextTable(
            columns: kept.map { columns[$0] }, rows: rows.map { row in kept.map { row[$0] } })
        table.accents = accents
        return table
    }

    /// For people at a terminal: texts are cut until a line fits. Where numbers alone are too
    /// wide, every row stands on lines of its own.
    public func fittedText(_ style: TerminalStyle) -> String {
        for least in [8, 5] {
            let table = fitted(to: style.columns, textColumnsMin: least)
            if table.width <= style.columns { return table.plain(style) }
        }
        return stacked(style, isFolded: true)
    }

    /// For people who need every word: a table where that fits uncut, else every row on lines of
    /// its own.
    ///
    /// - Parameter isFolded: Whether long values are broken to fit. Programs that search want them
    ///   in one piece.
    public func wholeText(_ style: TerminalStyle, isFolded: Bool) -> String {
        let isOfLines = rows.contains { $0.contains { $0.contains(where: \.isNewline) } }
        return width <= style.columns && !isOfLines
            ? plain(style) : stacked(style, isFolded: isFolded)
    }

    /// Every row as lines of a name and a value, a blank line between rows; what is missing is
    /// left out.
    public func stacked(_ style: TerminalStyle, isFolded: Bool) -> String {
        let titles = columns.map { TerminalText.cleaned($0.title) }
        let names = min(20, titles.reduce(0) { max($0, TerminalText.width($1)) })
        let room = max(20, style.columns - names - 2)
        let indent = String(repeating: " ", count: names + 2)
        return rows.map { row in
            zip(titles, row).filter { $1 != "-" }.map { title, value in
                let name = TerminalText.padded(title, to: names, isNumber: false)
                let lines = TerminalText.lines(of: value, columns: isFolded ? room : nil)
                return style.accented(name, .quiet) + "  "
                    + lines.joined(separator: "\n" + indent) + "\n"
            }.joined()
        }.joined(separator: "\n")
    }

    /// The table with its widest texts cut until a line fits, no column below `textColumnsMin`;
    /// numbers stay whole.
    public func fitted(to width: Int, textColumnsMin: Int = 8) -> TextTable {
        var fitted = self
        fitted.rows = rows.map { $0.map(TerminalText.cleaned) }
        var widths = fitted.columnWidths
        let before = widths
        var excess = fitted.width - width
        while excess > 0,
            let widest = widths.indices.filter({
                !columns[$0].isNumber && widths[$0] > textColumnsMin
            }).max(
                by: { (widths[$0], $0) < (widths[$1], $1) })
        {
            widths[widest] -= 1
            excess -= 1
        }
        for index in columns.indices where widths[index] < before[index] {
            let short = TerminalText.shortened(
                fitted.rows.map { $0[index] }, to: widths[index])
            for row in fitted.rows.indices { fitted.rows[row][index] = short[row] }
            fitted.columns[index].title = TerminalText.shortened(
                columns[index].title, to: widths[index])
        }
        return fitted
    }
}
