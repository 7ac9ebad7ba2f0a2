import FathomCore
import Foundation

/// A group as a table of as many columns as fit.
struct LeaderboardColumns {
    private let group: Leaderboard.Group
    private let columns: Int
    private let neighbours: [NeighbourComparison?]

    init(_ group: Leaderboard.Group, columns: Int) {
        self.group = group
        self.columns = columns
        neighbours = group.neighbours
    }

    private struct Figure {
        var title: String
        var text: (LeaderboardRow) -> String?
    }

    static func number(_ value: Double, _ digits: Int) -> String {
        String(format: "%.\(digits)f", value)
    }

    private static func range(_ interval: Interval?) -> String? {
        interval.map { "\(number($0.low, 2))..\(number($0.high, 2))" }
    }

    var table: TextTable {
        let names = group.rows.map { TerminalText.cleaned(group.name(of: $0)) }
        let ranks = group.rows.indices.map(rankText)
        var figures = self.figures
        for more in moreFigures where taken(figures + [more], ranks) + longestName(names) <= columns
        {
            // A column that nobody fills is none.
            if group.rows.contains(where: { more.text($0) != nil }) { figures.append(more) }
        }
        let room = max(12, columns - taken(figures, ranks))
        let short = TerminalText.shortened(names, to: room)
        var table = TextTable(
            columns: [.init("#", isNumber: true), .init("method")]
                + figures.map { .init($0.title, isNumber: true) },
            rows: group.rows.indices.map { index in
                [ranks[index], short[index]] + figures.map { $0.text(group.rows[index]) ?? "-" }
            })
        table.accents = group.rows.map { row in
            row.trouble != nil ? .bad : row.role == .method ? nil : .quiet
        }
        return table
    }

    private func longestName(_ names: [String]) -> Int {
        max(20, min(40, names.map { TerminalText.width($0) }.max() ?? 0))
    }

    /// Columns that all but the name take, gaps included.
    private func taken(_ figures: [Figure], _ ranks: [String]) -> Int {
        let rank = max(1, ranks.map(\.count).max() ?? 1)
        return figures.reduce(rank + 2) { sum, figure in
            let widths = group.rows.map { TerminalText.width(figure.text($0) ?? "-") }
            return sum + 2 + max(TerminalText.width(figure.title), widths.max() ?? 0)
        }
    }

    /// The rank; `~` behind it where the row cannot be told from the one above.
    private func rankText(_ index: Int) -> String {
        let rank = group.rank(index).map { "\($0)" } ?? "-"
        if neighbours[index]?.isDistinguishable == false { return rank + "~" }
        return neighbours.contains { $0?.isDistinguishable == false } ? rank + " " : rank
    }

    /// UD, in brackets where it cannot be believed, `*` where it differs from the controls'.
    private func udText(_ row: LeaderboardRow) -> String? {
        guard let ud = row.ud else {
            if row.isNotApplicable { return "n/a" }
            guard let trouble = row.trouble else { return nil }
            return trouble.failed > 0 ? "failed" : "blocked"
        }
        let text = Self.number(ud, 3)
        guard row.isCalibrated == true else { return "(\(text))" }
        if row.differsFromControls == true { return text + "*" }
        // Where some have a mark, the points of the others stand below each other all the same.
        let isMarked = group.rows.contains {
            $0.differsFromControls == true && $0.isCalibrated == true && $0.ud != nil
        }
        return isMarked ? text + " " : text
    }

    private var metricTitle: String {
        let name = group.rows.first?.metricName ?? "metric"
        return name == "accuracy" ? "acc" : TerminalText.shortened(name, to: 9)
    }

    private var isOfParameters: Bool {
        group.rows.first?.countKind == CountKind.parameters.rawValue
    }

    /// What every table shows.
    private var figures: [Figure] {
        [
            Figure(title: "UD") { udText($0) },
            Figure(title: "UD 95 %") { Self.range($0.udInterval) },
            Figure(title: metricTitle) { $0.metric.map { Self.number($0, 3) } },
            Figure(title: "±") { $0.metricDeviation.map { Self.number($0, 3) } },
            Figure(title: "damage") { $0.damage.map { Self.number($0, 3) } },
            Figure(title: isOfParameters ? "LP(clean)" : "LC(clean)") { [isOfParameters] row in
                row.learnableBaseline.map { Self.number($0, isOfParameters ? 0 : 2) }
            },
            Figure(title: "n") { "\($0.seedCount)" },
        ]
    }

    /// What wider ones show besides, the most wanted first.
    private var moreFigures: [Figure] {
        [
            Figure(title: "damage 95 %") { Self.range($0.damageInterval) },
            Figure(title: "\(metricTitle) 95 %") { Self.range($0.metricInterval) },
            Figure(title: "UD=loss") { $0.udMatched.map { Self.number($0, 3) } },
            Figure(title: "SAL loss") { $0.salLoss.map { Self.number($0, 3) } },
            Figure(title: "train loss") { $0.trainLoss.map { Self.number($0, 3) } },
            Figure(title: "reach") { $0.reach.map { Self.number($0, 2) } },
            Figure(title: "seconds") { $0.cost.map { Self.number($0.seconds, 0) } },
            Figure(title: "SAL/train") { $0.cost?.salPerTraining.map { Self.number($0, 2) } },
        ]
    }
}
