import FathomCore
import FathomPage

extension ReportPage {
    /// A ranked table for each group, and one file with every column.
    var leaderboard: Markup {
        let board = Leaderboard(data.rows)
        guard !board.groups.isEmpty else { return .nothing }
        var room = limits.leaderboardRows
        var tables: [Markup] = []
        for (index, group) in board.groups.enumerated() where room > 0 {
            let rows = min(room, group.rows.count)
            let sheet = LeaderboardSheet(group, styles: styles, costs: data.costs, rows: rows)
            tables.append(sheet.table("lb\(index + 1)"))
            room -= rows
        }
        let all = board.groups.reduce(0) { $0 + $1.rows.count }
        let shown = limits.leaderboardRows - room
        let csv = LeaderboardTable(board, sweep: data.sweep).text(as: .csv)
        return Markup(
            joining: [
                Markup("p") {
                    "Sorted by UD where it can be believed, else by damage. Press a column's name "
                    "to sort by it. Ranges are 95 % intervals over seeds; UD in brackets cannot "
                    "be believed in its setting and is not ranked. A star marks a UD outside the "
                    "interval of the controls; a tilde a rank that is not told apart from the "
                    "one above."
                },
                Markup(joining: tables),
                shown < all
                    ? Markup("p", ["class": "soft"]) {
                        "The first \(Numeral.count(shown)) of \(Numeral.count(all)) rows; "
                        "the file holds all."
                    } : .nothing,
                Download(fileName: "leaderboard.csv", csv: csv).link,
            ])
    }
}

/// One group's leaderboard as a table of a page.
struct LeaderboardSheet {
    let group: Leaderboard.Group
    let styles: ReportStyles
    let costs: [String: CellCost]
    /// How many rows are shown.
    let rows: Int
    private let udAxis: Axis
    private let neighbours: [NeighbourComparison?]

    init(
        _ group: Leaderboard.Group, styles: ReportStyles, costs: [String: CellCost], rows: Int
    ) {
        self.group = group
        self.styles = styles
        self.costs = costs
        neighbours = group.neighbours
        self.rows = rows
        let values = group.rows.flatMap { row in
            [row.ud, row.udInterval?.low, row.udInterval?.high].compactMap { $0 }
        }
        udAxis = Axis("UD", covering: values + [0, 1], padding: 0)
    }

    func table(_ id: String) -> Markup {
        let metric = group.rows.first?.metricName ?? "metric"
        let rule = group.rows.first?.rule ?? "released"
        return PageTable(
            id: id, caption: "\(group.title) (β \(rule), by \(group.order.rawValue))",
            columns: [
                .init("#", isNumber: true, help: "Rank among methods"), .init("Method"),
                .init("Role"),
                .init(
                    "UD", isNumber: true, help: "Unlearnable distance: 1 is as learnable as clean"),
                .init("95 %", help: "Interval over seeds; the dashed line is UD 1"),
                .init(
                    metric, isNumber: true, help: ReportWords.metric(metric) + ", mean over seeds"),
                .init(
                    "Damage", isNumber: true,
                    help: "Share of clean training's gain over chance that is lost"),
                .init("LC", isNumber: true, help: "Learnable layers, mean over epochs"),
                .init("LC clean", isNumber: true, help: "The same of clean training"),
                .init("Train loss", isNumber: true, help: "Last epoch, in nats"),
                .init("SAL-set loss", isNumber: true, help: "Last measured epoch, in nats"),
                .init("Reach", isNumber: true, help: "Share of walks that reached the ball"),
                .init("n", isNumber: true, help: "Seeds that went into UD"),
                .init(
                    "Cost", isNumber: true,
                    help: "Computing time of its jobs; those that cells share count in each"),
                .init("Notes"),
            ],
            rows: group.rows.indices.prefix(rows).map(line), headColumn: 1
        ).markup
    }

    private func line(_ index: Int) -> PageTable.Row {
        let row = group.rows[index]
        let isBelieved = row.isCalibrated == true
        let ud = row.ud.map { Numeral.fixed($0, 3) }
        let star = row.differsFromControls == true ? " *" : ""
        let cost = costs[row.cell]?.seconds
        return PageTable.Row(
            [
                rank(index),
                .init(group.name(of: row)), .init(ReportWords.role(row.role)),
                .init(
                    Markup("span", ["class": isBelieved ? nil : "doubt"]) {
                        ud.map { isBelieved ? $0 + star : "(\($0))" } ?? "–"
                    }, value: row.ud),
                .init(interval(row)),
                number(row.metric, row.metricInterval), number(row.damage, row.damageInterval),
                plain(row.learnable, 2), plain(row.learnableBaseline, 2), plain(row.trainLoss, 3),
                plain(row.salLoss, 3), plain(row.reach, 2),
                .init("\(row.seedCount)", value: Double(row.seedCount)),
                .init(cost.map { Numeral.duration(seconds: $0) } ?? "–", value: cost),
                .init(notes(row), isWide: !notes(row).isEmpty),
            ], className: row.role.rawValue, key: row.cell)
    }

    private func rank(_ index: Int) -> PageTable.Cell {
        guard let rank = group.rank(index) else { return .init("") }
        let isAlike = neighbours[index]?.isDistinguishable == false
        return .init(isAlike ? "~\(rank)" : "\(rank)", value: Double(rank))
    }

    private func interval(_ row: LeaderboardRow) -> Markup {
        guard let ud = row.ud else { return .nothing }
        return Markup("span", ["class": "range"]) {
            row.udInterval.map { "\(Numeral.fixed($0.low, 2))..\(Numeral.fixed($0.high, 2))" } ?? ""
            IntervalMark.svg(
                value: ud, low: row.udInterval?.low, high: row.udInterval?.high, axis: udAxis,
                style: styles.style(row.method), level: 1)
        }
    }

    private func number(_ value: Double?, _ range: Interval?) -> PageTable.Cell {
        guard let value else { return .init("–") }
        return .init(
            Markup("span") {
                Numeral.fixed(value, 3)
                range.map { range in
                    Markup("span", ["class": "range"]) {
                        " \(Numeral.fixed(range.low, 2))..\(Numeral.fixed(range.high, 2))"
                    }
                }
            }, value: value)
    }

    private func plain(_ value: Double?, _ digits: Int) -> PageTable.Cell {
        .init(value.map { Numeral.fixed($0, digits) } ?? "–", value: value)
    }

    private func notes(_ row: LeaderboardRow) -> String {
        var parts: [String] = []
        if let reason = row.udReason {
            parts.append(row.ud == nil ? "no UD: \(reason)" : "UD from \(reason)")
        }
        if row.damage == nil, let reason = row.damageReason {
            parts.append("no damage: \(reason)")
        }
        if let note = row.note { parts.append(note) }
        if let trouble = row.trouble { parts.append(trouble.text) }
        return parts.joined(separator: "; ")
    }
}
