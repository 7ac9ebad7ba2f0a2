import FathomCore
import Foundation

/// Renders a leaderboard. Tables for people fit in 80 columns and end with words on whether UD
/// can be believed; CSV and JSON hold every column and nothing else.
public struct LeaderboardTable: Sendable {
    private let leaderboard: Leaderboard
    private let sweep: String

    public init(_ leaderboard: Leaderboard, sweep: String) {
        self.leaderboard = leaderboard
        self.sweep = sweep
    }

    public func text(as format: TableFormat) -> String {
        switch format {
        case .json, .csv: return format.text(of: everything)
        case .table, .markdown, .latex:
            if leaderboard.groups.isEmpty { return remark("No cell to show.", format) }
            return leaderboard.groups.map { section($0, format) }.joined(separator: "\n")
        }
    }

    private func section(_ group: Leaderboard.Group, _ format: TableFormat) -> String {
        let rule = group.rows.first?.rule ?? "released"
        let title = "\(group.title) (β \(rule), by \(group.order.rawValue))"
        var text = heading(title, format) + format.text(of: table(group))
        if format != .latex { text += "\n" }
        for sentence in LeaderboardVerdict(group: group).sentences {
            text += remark(sentence, format)
        }
        return text
    }

    private func heading(_ text: String, _ format: TableFormat) -> String {
        switch format {
        case .markdown: "### \(text)\n\n"
        case .latex: "% \(text)\n"
        default: LeaderboardTable.wrapped(text, to: 80)
        }
    }

    private func remark(_ text: String, _ format: TableFormat) -> String {
        switch format {
        case .markdown: "- \(text)\n"
        case .latex: LeaderboardTable.wrapped(text, to: 78, prefix: "% ")
        default: LeaderboardTable.wrapped(text, to: 80)
        }
    }

    // MARK: - The table for people

    private func table(_ group: Leaderboard.Group) -> TextTable {
        let name = group.rows.first?.metricName ?? "metric"
        let metric = name == "accuracy" ? "acc" : LeaderboardTable.shortened(name, to: 9)
        let columns = [
            TextTable.Column("#", isNumber: true), TextTable.Column("method"),
            TextTable.Column("UD", isNumber: true), TextTable.Column("UD 95 %", isNumber: true),
            TextTable.Column(metric, isNumber: true), TextTable.Column("±", isNumber: true),
            TextTable.Column("damage", isNumber: true),
            TextTable.Column("LC(clean)", isNumber: true), TextTable.Column("n", isNumber: true),
        ]
        return TextTable(
            columns: columns, rows: group.rows.indices.map { fields(group, $0) })
    }

    private func fields(_ group: Leaderboard.Group, _ index: Int) -> [String] {
        let row = group.rows[index]
        let number = LeaderboardTable.number
        let ud = row.ud.map { number($0, 3) }
        return [
            group.rank(index).map { "\($0)" } ?? "-",
            LeaderboardTable.shortened(row.method, to: 20),
            ud.map { row.isCalibrated == true ? $0 : "(\($0))" } ?? "-",
            row.udInterval.map { "\(number($0.low, 2))..\(number($0.high, 2))" } ?? "-",
            row.metric.map { number($0, 3) } ?? "-",
            row.metricDeviation.map { number($0, 3) } ?? "-",
            row.damage.map { number($0, 3) } ?? "-",
            row.learnableBaseline.map { number($0, 2) } ?? "-", "\(row.seedCount)",
        ]
    }

    static func number(_ value: Double, _ digits: Int) -> String {
        String(format: "%.\(digits)f", value)
    }

    static func shortened(_ text: String, to length: Int) -> String {
        text.count <= length ? text : text.prefix(length - 1) + "…"
    }

    static func wrapped(_ text: String, to width: Int, prefix: String = "") -> String {
        var lines: [String] = []
        var line = ""
        for word in text.split(separator: " ") {
            if !line.isEmpty, line.count + 1 + word.count > width {
                lines.append(line)
                line = ""
            }
            line += line.isEmpty ? String(word) : " " + word
        }
        if !line.isEmpty { lines.append(line) }
        return lines.map { prefix + $0 + "\n" }.joined()
    }

    // MARK: - Everything, for programs

    private var everything: QueryResult {
        var rows: [[QueryValue]] = []
        var columns: [String] = []
        for group in leaderboard.groups {
            for index in group.rows.indices {
                let named = facts(group.rows[index], rank: group.rank(index))
                columns = named.map(\.0)
                rows.append(named.map(\.1))
            }
        }
        return QueryResult(columns: columns, rows: rows)
    }

    private func facts(_ row: LeaderboardRow, rank: Int?) -> [(String, QueryValue)] {
        func real(_ value: Double?) -> QueryValue { value.map(QueryValue.real) ?? .null }
        func text(_ value: String?) -> QueryValue { value.map(QueryValue.text) ?? .null }
        func whole(_ value: Int?) -> QueryValue { value.map { .integer(Int64($0)) } ?? .null }
        return [
            ("sweep", .text(sweep)), ("rank", whole(rank)), ("cell", .text(row.cell)),
            ("method", .text(row.method)), ("role", .text(row.role.rawValue)),
            ("task", .text(row.task)), ("model", .text(row.model)),
            ("defense", .text(row.defense)), ("dataSet", .text(row.dataSet)),
            ("n", whole(row.seedCount)), ("seeds", whole(row.seeds)), ("ud", real(row.ud)),
            ("udLow", real(row.udInterval?.low)), ("udHigh", real(row.udInterval?.high)),
            ("udMean", real(row.udMean)), ("udDeviation", real(row.udDeviation)),
            ("udReason", text(row.udReason)),
            ("calibrated", whole(row.isCalibrated.map { $0 ? 1 : 0 })),
            ("metricName", .text(row.metricName)), ("metric", real(row.metric)),
            ("metricLow", real(row.metricInterval?.low)),
            ("metricHigh", real(row.metricInterval?.high)),
            ("metricDeviation", real(row.metricDeviation)), ("chance", real(row.chance)),
            ("damage", real(row.damage)), ("damageLow", real(row.damageInterval?.low)),
            ("damageHigh", real(row.damageInterval?.high)),
            ("damageReason", text(row.damageReason)),
            ("learnable", real(row.learnable)), ("learnableBaseline", real(row.learnableBaseline)),
            ("learnableTotal", real(row.learnableTotal)), ("layerCount", whole(row.layerCount)),
            ("controlLow", real(row.control?.low)), ("controlHigh", real(row.control?.high)),
            ("rule", .text(row.rule)), ("countKind", .text(row.countKind)),
            ("baseline", .text(row.baseline)), ("trainLoss", real(row.trainLoss)),
            ("salLoss", real(row.salLoss)), ("salLossBaseline", real(row.salLossBaseline)),
            ("reach", real(row.reach)), ("reachBaseline", real(row.reachBaseline)),
            ("note", text(row.note)),
        ]
    }
}
