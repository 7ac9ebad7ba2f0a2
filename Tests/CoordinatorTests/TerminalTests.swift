import FathomCoordinator
import FathomCore
import FathomProtocol
import Foundation
import Testing

@Suite("Terminal output")
struct TerminalTests {
    @Test("letters take the columns that a terminal gives them")
    func widths() {
        for (text, width) in [
            ("lsp", 3), ("", 0), ("数据", 4), ("ｗｉｄｅ", 8), ("e\u{301}te", 3), ("한글", 4),
            ("👍", 2), ("👩‍🔬", 2), ("❤️", 2), ("β ±", 3), ("a\u{200B}b", 2),
        ] { #expect(TerminalText.width(text) == width, "\(text)") }
    }

    @Test("names are cut by columns, never within a letter, and stay apart")
    func shortening() {
        #expect(TerminalText.shortened("abcdef", to: 4) == "abc…")
        #expect(TerminalText.shortened("数据集合", to: 6) == "数据…")
        #expect(TerminalText.shortened("abcd", to: 4) == "abcd")
        let names = [
            "em-s (surrogate resnet18, epsilon 8/255)", "em-s (surrogate resnet18, epsilon 16/255)",
        ]
        let short = TerminalText.shortened(names, to: 20)
        #expect(short == ["em-s (sur…lon 8/255)", "em-s (sur…on 16/255)"])
        #expect(TerminalText.shortened(["lsp", names[0]], to: 20)[1] == "em-s (surrogate res…")
    }

    @Test("nothing in a name moves the cursor or turns the writing round")
    func cleaning() {
        #expect(TerminalText.cleaned("a\u{1B}[31mb\nc\td\u{202E}") == "a�[31mb c d�")
        let table = TextTable(
            columns: [.init("name"), .init("n", isNumber: true)],
            rows: [["数据\u{1B}[2J", "1"], ["lsp", "20"]])
        #expect(
            TableFormat.table.text(of: table)
                == "name       n\n数据�[2J   1\nlsp       20\n")
    }

    @Test("colour is for terminals whose user has not said no, and words stay without it")
    func colors() {
        func isColored(
            _ color: ColorChoice = .auto, terminal: Bool = true, noColor: String? = nil,
            kind: String? = "xterm"
        ) -> Bool {
            TerminalStyle(
                TerminalFacts(isTerminal: terminal, columns: 90, noColor: noColor, kind: kind),
                color: color
            ).isColored
        }
        #expect(isColored() && !isColored(terminal: false) && !isColored(noColor: "1"))
        #expect(isColored(noColor: "") && !isColored(kind: "dumb") && !isColored(.never))
        #expect(isColored(.always, terminal: false, noColor: "1"))
        let table = TextTable(columns: [.init("a")], rows: [["b"]])
        let colored = TableFormat.table.text(
            of: table, style: TerminalStyle(columns: 80, isColored: true))
        #expect(colored == "\u{1B}[1ma\u{1B}[0m\nb\n")
    }

    @Test("a terminal says its columns, a pipe has 80, COLUMNS decides elsewhere")
    func columns() {
        func columns(_ terminal: Bool, _ columns: Int?, _ wanted: String? = nil) -> Int {
            TerminalStyle(
                TerminalFacts(isTerminal: terminal, columns: columns, columnsWanted: wanted),
                color: .auto
            ).columns
        }
        #expect(columns(true, 200) == 200 && columns(false, 200) == 80)
        #expect(columns(false, nil, "132") == 132 && columns(true, nil, "x") == 80)
        #expect(columns(true, 10) == 40)
    }

    private func progress(failed: Int = 0, slots: Int = 2) -> SweepProgress {
        func kind(_ done: Int, _ all: Int, failed: Int = 0) -> KindProgress {
            var progress = KindProgress()
            progress.jobs = all
            progress.entries = all
            progress.entriesFinished = done
            progress.jobsQuarantined = failed
            progress.jobsBlocked = failed * 2
            return progress
        }
        return SweepProgress(
            kinds: [
                (.poison, kind(24, 24)), (.train, kind(120, 600, failed: failed)),
                (.sal, kind(11_340, 126_000)),
            ], workers: 1, slots: slots, leases: 2, paused: 3, audits: 7, secondsLeft: 14_700)
    }

    @Test("progress fits 80 columns, and says more at 200")
    func progressWidths() {
        let narrow = ProgressLine.text(progress(), rate: 12.34, style: TerminalStyle(columns: 80))
        #expect(
            narrow == "9 % | poison 24/24 | train 120/600 | sal 11340/126000 | about 2 h 2 min left"
        )
        let wide = ProgressLine.text(progress(), rate: 12.34, style: TerminalStyle(columns: 200))
        #expect(
            wide == "[##----------------------] 9 % | poison 24/24 | train 120/600 | "
                + "sal 11340/126000 | 3 paused | 7 to audit | 12.3/s | about 2 h 2 min left")
        for columns in 40...200 {
            let line = ProgressLine.text(
                progress(failed: 12), rate: 9, style: TerminalStyle(columns: columns))
            #expect(line.count < columns && line.contains("12 failed"), "\(columns): \(line)")
        }
    }

    @Test("while a kind was never timed, the time left is what is known to be left")
    func progressGuessed() {
        var progress = progress()
        progress.secondsGuessed = 7_500
        let style = TerminalStyle(columns: 80)
        let line = ProgressLine.text(progress, rate: 1, style: style)
        #expect(line.hasSuffix("| over 1 h 0 min left"))
        progress.secondsGuessed = progress.secondsLeft
        #expect(!ProgressLine.text(progress, rate: 1, style: style).contains("left"))
    }

    @Test("failures stand out by words, colour only underlines them")
    func progressColors() {
        let style = TerminalStyle(columns: 120, isColored: true)
        let line = ProgressLine.text(progress(failed: 1), rate: 1, style: style)
        #expect(line.contains("\u{1B}[31m1 failed\u{1B}[0m"))
        let idle = ProgressLine.text(
            progress(slots: 0), rate: 0, style: TerminalStyle(columns: 120))
        #expect(idle.contains("no worker") && !idle.contains("left"))
    }

    @Test("LaTeX and Markdown take every letter as text")
    func escaping() throws {
        let table = TextTable(
            columns: [.init("name"), .init("n", isNumber: true)],
            rows: [["[a_b] 100% {x}\\ \"q\" ~^<|>", "1"], ["*é数β…", "2"]])
        let latex = TableFormat.latex.text(of: table)
        #expect(latex.hasPrefix("\\begin{tabular}{lr}\n\\toprule\nname & n \\\\\n\\midrule\n"))
        #expect(
            latex.contains(
                "{[}a\\_b{]} 100\\% \\{x\\}\\textbackslash{} ''q'' "
                    + "\\textasciitilde{}\\textasciicircum{}\\textless{}\\textbar{}\\textgreater{} & 1"
            ))
        #expect(latex.contains("{*}é(U+6570)$\\beta$\\ldots{} & 2"))
        let markdown = TableFormat.markdown.text(of: table)
        #expect(markdown.contains("| \\[a\\_b\\] 100% {x}\\\\ \"q\" ~^\\<\\|\\> | 1 |"))
        try Latex.expectToCompile(latex)
    }

    private static let statusTitles = [
        "cell", "method", "task", "model", "defense", "done", "total", "open", "paused", "failed",
        "blocked",
    ]

    /// Rows as `fathom status` has them, and the widest that may come.
    private func status(_ rows: [[String]]) -> TextTable {
        TextTable(
            columns: Self.statusTitles.map {
                .init($0, isNumber: !["cell", "method", "task", "model", "defense"].contains($0))
            }, rows: rows)
    }

    private func widest(_ text: String) -> Int {
        text.split(separator: "\n").reduce(0) { max($0, TerminalText.width(String($1))) }
    }

    @Test("progress by cell fits every terminal, and is cut where it must be only")
    func statusWidths() {
        let usual = status([
            ["ad6817da", "clean", "cls", "lenet5", "none", "40", "40", "0", "0", "0", "0"],
            ["15f3511e", "em-s (surrogate resnet18)", "cls", "lenet5", "at", "2", "40", "0", "0"]
                + ["0", "0"],
        ])
        let idle: Set = ["paused", "failed", "blocked"]
        #expect(
            usual.dropping(ifZero: idle).fittedText(TerminalStyle(columns: 80)) == """
                cell      method                     task  model   defense  done  total  open
                ad6817da  clean                      cls   lenet5  none       40     40     0
                15f3511e  em-s (surrogate resnet18)  cls   lenet5  at          2     40     0

                """)
        let long = [String](repeating: String(repeating: "wide ", count: 12), count: 5)
        let numbers = ["12345", "123456", "12345", "1", "2", "3"].map { $0 }
        let worst = status([long + numbers, long + numbers]).dropping(ifZero: idle)
        for columns in [80, 100, 120, 200] {
            let text = worst.fittedText(TerminalStyle(columns: columns))
            #expect(widest(text) <= columns && text.split(separator: "\n").count == 3)
            #expect(text.contains("123456") && text.contains("blocked"))
        }
        let narrow = worst.fittedText(TerminalStyle(columns: 40))
        #expect(widest(narrow) <= 40 && narrow.contains("\nblocked  3\n"))
        let wide = worst.fittedText(TerminalStyle(columns: 500))
        #expect(wide.contains(String(repeating: "wide ", count: 11) + "wide"))
    }

    @Test("what must be read whole is broken into lines, never cut")
    func wholeTexts() {
        let key = String(repeating: "0123456789abcdef", count: 4)
        let spec = "{\"kind\":\"sal\",\"note\":\"" + String(repeating: "数据", count: 60) + "\"}"
        let table = TextTable(
            columns: [.init("key"), .init("reason"), .init("spec"), .init("lacks")],
            rows: [[key, "first line\nsecond \u{1B}[2J line of many words", spec, "-"]])
        for columns in [40, 80, 200] {
            let text = table.stacked(TerminalStyle(columns: columns), isFolded: true)
            #expect(widest(text) <= columns)
            #expect(!text.contains("…") && !text.contains("\u{1B}") && !text.contains("lacks"))
            let joined = text.split(separator: "\n").map { $0.dropFirst(8) }.joined()
            #expect(joined.contains(key) && joined.contains(spec))
        }
        let narrow = table.stacked(TerminalStyle(columns: 80), isFolded: true)
        #expect(narrow.hasPrefix("key     0123456789abcdef"))
        #expect(narrow.contains("\nreason  first line\n        second �[2J line of many words\n"))
        // In a file a value is in one piece, for those who search it.
        #expect(table.wholeText(.plain, isFolded: false).contains("spec    \(spec)\n"))
        let colored = table.stacked(TerminalStyle(columns: 80, isColored: true), isFolded: true)
        #expect(colored.hasPrefix("\u{1B}[2mkey   \u{1B}[0m  0123"))
        let small = TextTable(columns: [.init("attempt", isNumber: true)], rows: [["1"], ["2"]])
        #expect(small.wholeText(.plain, isFolded: true) == "attempt\n      1\n      2\n")
    }
}

/// pdfLaTeX where this machine has it.
enum Latex {
    /// Compiles tables in a document of their own; does nothing where there is no `pdflatex`.
    static func expectToCompile(_ tables: String) throws {
        let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
        let candidates = folders.map { "\($0)/pdflatex" }
        guard let program = candidates.first(where: { access($0, X_OK) == 0 }) else { return }
        let folder = try StoreFolder()
        let document = """
            \\documentclass{article}\\usepackage{booktabs}\\usepackage[landscape]{geometry}
            \\begin{document}
            \(tables)
            \\end{document}
            """
        try document.write(
            toFile: folder.file("table.tex"), atomically: true, encoding: .utf8)
        let process = Process()
        process.executableURL = URL(fileURLWithPath: program)
        process.currentDirectoryURL = URL(fileURLWithPath: folder.path)
        process.arguments = ["-interaction=nonstopmode", "-halt-on-error", "table.tex"]
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        let log =
            (try? String(contentsOfFile: folder.file("table.log"), encoding: .isoLatin1)) ?? ""
        #expect(process.terminationStatus == 0, "\(log.suffix(600))")
    }
}
