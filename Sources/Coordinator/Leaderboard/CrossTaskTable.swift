import FathomCore

/// Renders methods beside each other over tasks: damage and UD of each.
struct CrossTaskTable {
    private let table: CrossTask
    private let style: TerminalStyle

    init(_ table: CrossTask, style: TerminalStyle) {
        self.table = table
        self.style = style
    }

    func text(as format: TableFormat) -> String {
        func heading(_ text: String) -> String { LeaderboardTable.heading(text, format, style) }
        var text = heading("Across tasks: \(table.title): damage")
        text += format.text(of: damages, style: style)
        text += format == .latex ? "" : "\n"
        text += heading("Across tasks: \(table.title): UD")
        text += format.text(of: distances, style: style)
        text += format == .latex ? "" : "\n"
        for sentence in sentences { text += LeaderboardTable.remark(sentence, format, style) }
        return text
    }

    private var heads: [String] {
        table.tasks.map { TerminalText.shortened(CrossTask.column($0), to: 8) }
    }

    /// Damage with `!` where the task is claimed to stay learnable.
    private var damages: TextTable {
        lines(heads + ["min"]) { line in
            zip(table.tasks, line.rows).map { task, row in
                guard let damage = row?.damage else { return missing(row) }
                let isClaimed = line.claim(onTask: task)?.isNotUnlearnable == true
                return LeaderboardColumns.number(damage, 2) + (isClaimed ? "!" : "")
            } + [line.damageMin.map { LeaderboardColumns.number($0, 2) } ?? "-"]
        }
    }

    private var distances: TextTable {
        lines(heads) { line in
            line.rows.map { row in
                guard let row, let ud = row.ud else { return missing(row) }
                let text = LeaderboardColumns.number(ud, 2)
                return row.isCalibrated == true ? text : "(\(text))"
            }
        }
    }

    private func missing(_ row: LeaderboardRow?) -> String {
        guard let row else { return "-" }
        if row.isNotApplicable { return "n/a" }
        return row.trouble == nil ? "-" : "failed"
    }

    private func lines(
        _ titles: [String], _ figures: (CrossTask.Line) -> [String]
    ) -> TextTable {
        let rows = table.lines.map(figures)
        let taken = titles.indices.reduce(0) { sum, index in
            rows.reduce(TerminalText.width(titles[index])) {
                max($0, TerminalText.width($1[index]))
            } + sum + 2
        }
        let names = TerminalText.shortened(
            table.lines.map { TerminalText.cleaned($0.method) },
            to: max(12, min(40, style.columns - taken)))
        var result = TextTable(
            columns: [.init("method")] + titles.map { .init($0, isNumber: true) },
            rows: zip(names, rows).map { [$0] + $1 })
        result.accents = table.lines.map { $0.role == .method ? nil : .quiet }
        return result
    }

    private var sentences: [String] {
        let bound = LeaderboardColumns.number(UnlearnabilityClaims.damageBound, 1)
        var all = [
            "Damage 0: as good as clean training; 1: no better than looking at nothing. `min` is "
                + "the smallest over tasks, and low by chance where tasks are noisy; a task counts "
                + "as not unlearnable (`!`) only where its damage lies below \(bound) by a "
                + "one-sided t test over seeds, corrected for \(table.tasks.count) tasks (Holm)."
        ]
        for line in table.lines where line.claims.contains(where: \.isNotUnlearnable) {
            let claimed = line.claims.filter(\.isNotUnlearnable).map { claim in
                let bound = claim.upperBound.map { LeaderboardColumns.number($0, 2) } ?? bound
                return "\(CrossTask.column(claim.task)) (below \(bound))"
            }
            all.append("\(line.method) leaves learnable: \(claimed.joined(separator: ", ")).")
        }
        if table.tasks.allSatisfy({ task in
            !table.lines.contains { line in
                line.role == .method
                    && zip(table.tasks, line.rows).contains {
                        $0 == task && $1?.isCalibrated == true
                    }
            }
        }) {
            all.append("UD stands in brackets where it cannot be believed.")
        }
        return all
    }
}
