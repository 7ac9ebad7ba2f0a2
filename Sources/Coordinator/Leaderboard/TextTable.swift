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
    /// How each row stands out on a terminal; may be shorter than `rows`.
    public var accents: [TerminalStyle.Accent?] = []

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

    /// Columns two spaces apart, without lines, nothing after the last letter.
    func plain(_ style: TerminalStyle) -> String {
        let titles = columns.map { TerminalText.cleaned($0.title) }
        let cleaned = rows.map { $0.map(TerminalText.cleaned) }
        let widths = columns.indices.map { index in
            cleaned.reduce(TerminalText.width(titles[index])) {
                max($0, TerminalText.width($1[index]))
            }
        }
        return ([titles] + cleaned).enumerated().map { place, row in
            let fields = row.enumerated().map { index, field in
                TerminalText.padded(field, to: widths[index], isNumber: columns[index].isNumber)
            }
            let line = TextTable.trimmed(fields.joined(separator: "  "))
            let accent = place == 0 ? .heading : place <= accents.count ? accents[place - 1] : nil
            return style.accented(line, accent) + "\n"
        }.joined()
    }

    static func trimmed(_ line: String) -> String {
        var line = line
        while line.last == " " { line.removeLast() }
        return line
    }

    var markdown: String {
        func line(_ fields: [String]) -> String {
            "| " + fields.map(TextTable.escapedForMarkdown).joined(separator: " | ") + " |\n"
        }
        let rule = columns.map { $0.isNumber ? "---:" : "---" }
        return line(columns.map(\.title)) + "| " + rule.joined(separator: " | ") + " |\n"
            + rows.map(line).joined()
    }

    /// Letters that would end a cell, or turn a name into markup.
    static func escapedForMarkdown(_ text: String) -> String {
        var result = ""
        for letter in TerminalText.cleaned(text) {
            if "\\|`*_<>[]".contains(letter) { result.append("\\") }
            result.append(letter)
        }
        return result
    }

    /// A `tabular` with the rules of the booktabs package; compiles with pdfLaTeX.
    var latex: String {
        func line(_ fields: [String]) -> String {
            fields.map(TextTable.escapedForLatex).joined(separator: " & ") + " \\\\\n"
        }
        let shape = columns.map { $0.isNumber ? "r" : "l" }.joined()
        return "\\begin{tabular}{\(shape)}\n\\toprule\n" + line(columns.map(\.title))
            + "\\midrule\n" + rows.map(line).joined() + "\\bottomrule\n\\end{tabular}\n"
    }

    private static let latexLetters: [Character: String] = [
        "&": "\\&", "%": "\\%", "$": "\\$", "#": "\\#", "_": "\\_", "{": "\\{", "}": "\\}",
        "\\": "\\textbackslash{}", "~": "\\textasciitilde{}", "^": "\\textasciicircum{}",
        "<": "\\textless{}", ">": "\\textgreater{}", "|": "\\textbar{}", "\"": "''",
        // After a line's end these would be taken for its argument or its star.
        "[": "{[}", "]": "{]}", "*": "{*}",
        "±": "$\\pm$", "…": "\\ldots{}", "β": "$\\beta$", "ρ": "$\\rho$", "τ": "$\\tau$",
        "ε": "$\\varepsilon$", "×": "$\\times$", "≤": "$\\leq$", "≥": "$\\geq$", "−": "$-$",
        "∞": "$\\infty$", "–": "--", "’": "'", "�": "?",
    ]

    /// What its standard encoding can put together from letters and accents.
    private static let latexLatin = Set(
        "ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÑÒÓÔÕÖØÙÚÛÜÝßàáâãäåæçèéêëìíîïñòóôõöøùúûüýÿ".unicodeScalars)

    /// Every letter as pdfLaTeX takes it. Letters beyond Latin are written as their code points,
    /// because fonts that pdfLaTeX has by itself do not hold them.
    static func escapedForLatex(_ text: String) -> String {
        var result = ""
        for letter in TerminalText.cleaned(text) {
            if let known = latexLetters[letter] {
                result += known
            } else if let scalar = letter.unicodeScalars.first, letter.unicodeScalars.count == 1,
                scalar.isASCII || latexLatin.contains(scalar)
            {
                result.append(letter)
            } else {
                for scalar in letter.unicodeScalars {
                    result += "(U+\(String(scalar.value, radix: 16, uppercase: true)))"
                }
            }
        }
        return result
    }
}
