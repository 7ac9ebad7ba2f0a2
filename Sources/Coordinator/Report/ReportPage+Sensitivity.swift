import FathomCore
import FathomPage
import FathomProtocol

extension ReportPage {
    /// UD under every rule for the threshold, both counts and both baselines.
    var sensitivity: Markup {
        let sheets = selection.groups.compactMap { SensitivitySheet($0, scores: data.scores) }
        guard !sheets.isEmpty else { return .nothing }
        return Markup(
            joining: [
                Figure(
                    id: "rules", title: "UD under other rules for the threshold",
                    caption: Markup(
                        text:
                            "Each mark is UD under one rule for drawing β, with its 95 % interval "
                            + "over seeds. Where marks of a method lie far apart, its UD says more "
                            + "about the rule than about the method."),
                    panels: sheets.map { sheet in titled(sheet.title) { sheet.chart.svg } },
                    key: SensitivitySheet.key(sheets)
                ).markup,
                Markup(joining: sheets.map(\.table)),
                Download(
                    fileName: "sensitivity.csv",
                    csv: ReportWords.csv(SensitivitySheet.columns, sheets.flatMap(\.rowsOfNumbers))
                ).link,
                otherChoices,
            ])
    }
}

extension ReportPage {
    /// What each other choice, one at a time, does to the order of the methods.
    private var otherChoices: Markup {
        let result = data.choices
        let shown = ["aspect", "value", "methods", "tau", "order"]
        let places = shown.compactMap { result.columns.firstIndex(of: $0) }
        let groups = ["dataSet", "task", "model", "defense", "settings"].compactMap {
            result.columns.firstIndex(of: $0)
        }
        guard places.count == shown.count, !result.rows.isEmpty else { return .nothing }
        let rows = result.rows.prefix(400).map { row -> PageTable.Row in
            let group = groups.map { row[$0].text }.filter { !$0.isEmpty && $0 != "none" }
            return PageTable.Row(
                [.init(group.joined(separator: ", "))]
                    + places.enumerated().map { index, place in
                        ReportPage.cell(row[place], isWide: index == shown.count - 1)
                    })
        }
        return Markup(
            joining: [
                Markup("h3") { "One choice at a time" },
                Markup("p") {
                    "The methods' order by UD when a single choice is made otherwise, and "
                    "Kendall's τ of that order with the default's: 1 is the same order."
                },
                PageTable(
                    id: "choices", caption: "Choices and the order they give",
                    columns: [
                        .init("Group"), .init("Choice"), .init("Value"),
                        .init("Methods", isNumber: true), .init("τ", isNumber: true),
                        .init("From lowest UD"),
                    ], rows: Array(rows), headColumn: 1
                ).markup,
                Download(
                    fileName: "choices.csv",
                    csv: ReportWords.csv(result.columns, result.rows)
                ).link,
            ])
    }

    private static func cell(_ value: QueryValue, isWide: Bool) -> PageTable.Cell {
        switch value {
        case .real(let number): .init(Numeral.fixed(number, 2), value: number)
        case .integer(let number): .init("\(number)", value: Double(number))
        case .null: .init("–")
        default: .init(value.text, isWide: isWide)
        }
    }
}

/// The sensitivity of one group.
private struct SensitivitySheet {
    /// A way to turn SAL into UD.
    private struct Choice: Hashable {
        var rule: ThresholdRule
        var kind: CountKind
        var baseline: String
    }

    private let group: ReportSelection.Group
    private let choices: [Choice]
    private let headline: Choice
    private let scores: [Choice: [String: UDScore]]

    static let columns = [
        "group", "cell", "method", "rule", "countKind", "baseline", "ud", "udLow", "udHigh", "n",
        "reason",
    ]

    init?(_ group: ReportSelection.Group, scores: [UDScore]) {
        self.group = group
        let labels = Set(group.rows.map(\.cell))
        var found: [Choice: [String: UDScore]] = [:]
        var order: [Choice] = []
        for score in scores where labels.contains(score.cell) {
            let choice = Choice(
                rule: score.rule, kind: score.countKind, baseline: score.baseline.rawValue)
            if found[choice] == nil { order.append(choice) }
            found[choice, default: [:]][score.cell] = score
        }
        guard let first = group.rows.first(where: { $0.role != .clean }),
            let rule = ThresholdRule(rawValue: first.rule),
            let kind = CountKind(rawValue: first.countKind), order.count > 1
        else { return nil }
        self.scores = found
        headline = Choice(rule: rule, kind: kind, baseline: first.baseline)
        // Without a defense both baselines are one and the same.
        let isDefended = group.rows.contains { $0.defense != "none" }
        choices = order.filter { isDefended || $0.baseline == first.baseline }
    }

    private var methods: [LeaderboardRow] { group.rows.filter { $0.role != .clean } }

    private var rules: [Choice] {
        choices.filter { $0.kind == headline.kind && $0.baseline == headline.baseline }
    }

    static func key(_ sheets: [SensitivitySheet]) -> [Figure.Key] {
        let used = Set(sheets.flatMap { $0.rules.map(\.rule) })
        return ThresholdRule.allCases.filter(used.contains).map { rule in
            Figure.Key(name: rule.rawValue, style: style(rule))
        }
    }

    private static func style(_ rule: ThresholdRule) -> SeriesStyle {
        .series(ThresholdRule.allCases.firstIndex(of: rule) ?? 0)
    }

    var title: String { group.title }

    var chart: IntervalChart {
        let rows = methods.map { row in
            IntervalChart.Row(
                name: row.method,
                values: rules.compactMap { choice in
                    guard let score = scores[choice]?[row.cell], let ud = score.ud else {
                        return nil
                    }
                    return IntervalChart.Value(
                        name: choice.rule.rawValue, style: SensitivitySheet.style(choice.rule),
                        value: ud, interval: score.interval)
                })
        }
        let values = rows.flatMap { row in
            row.values.flatMap {
                [$0.value, $0.interval?.low, $0.interval?.high].compactMap { $0 }
            }
        }
        return IntervalChart(
            ChartName(
                id: "rules-\(group.id)", title: "UD by threshold rule, \(group.title)",
                description: rows.map { row in
                    "\(row.name): "
                        + row.values.map { "\($0.name) \(Numeral.short($0.value))" }
                        .joined(separator: ", ")
                }.joined(separator: "; ")),
            axis: Axis("UD", covering: values + [0, 1]), rows: rows, level: 1)
    }

    var table: Markup {
        PageTable(
            id: "sensitivity-\(group.id)", caption: "UD by choice: \(group.title)",
            columns: [.init("Rule"), .init("Counted"), .init("Baseline")]
                + methods.map { .init($0.method, isNumber: true) }
                + [
                    .init(
                        "τ with headline", isNumber: true,
                        help: "Kendall's τ of the methods' order with that of the headline choice")
                ],
            rows: choices.map(line)
        ).markup
    }

    private func line(_ choice: Choice) -> PageTable.Row {
        let values = methods.map { scores[choice]?[$0.cell] }
        let tau = choice == headline ? nil : agreement(choice)
        return PageTable.Row(
            [
                .init(choice.rule.rawValue + (choice == headline ? " (headline)" : "")),
                .init(choice.kind.rawValue), .init(choice.baseline),
            ]
                + values.map { score in
                    .init(score?.ud.map { Numeral.fixed($0, 3) } ?? "–", value: score?.ud)
                }
                + [.init(tau.map { Numeral.fixed($0, 2) } ?? "–", value: tau)],
            className: choice == headline ? nil : "control")
    }

    /// Kendall's τ-b between the orders of the methods.
    private func agreement(_ choice: Choice) -> Double? {
        let pairs = methods.filter { $0.role == .method }.compactMap { row -> (Double, Double)? in
            guard let own = scores[choice]?[row.cell]?.ud,
                let other = scores[headline]?[row.cell]?.ud
            else { return nil }
            return (own, other)
        }
        return RankCorrelation.kendall(pairs.map(\.0), pairs.map(\.1))
    }

    var rowsOfNumbers: [[QueryValue]] {
        choices.flatMap { choice in
            methods.compactMap { row -> [QueryValue]? in
                guard let score = scores[choice]?[row.cell] else { return nil }
                return [
                    .text(group.title), .text(row.cell), .text(row.method),
                    .text(choice.rule.rawValue), .text(choice.kind.rawValue),
                    .text(choice.baseline), ReportWords.real(score.ud),
                    ReportWords.real(score.interval?.low), ReportWords.real(score.interval?.high),
                    .integer(Int64(score.seedCount)), score.reason.map { .text($0) } ?? .null,
                ]
            }
        }
    }
}
