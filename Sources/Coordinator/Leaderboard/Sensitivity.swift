import FathomCore
public import FathomProtocol

/// How far UD, and the order it puts methods in, depends on choices that nobody can defend against
/// all others: the threshold, what is counted, the baseline, the epochs, the length of walks, and
/// whatever settings the grid varies.
public struct Sensitivity: Sendable {
    /// One choice made otherwise.
    struct Variant {
        var aspect: String
        var value: String
        var rows: [LeaderboardRow]
    }

    private let standard: [LeaderboardRow]
    private let variants: [Variant]

    /// - Parameters:
    ///   - cells: Everything measured, walks at full length.
    ///   - shorter: The same with walks cut to fewer steps or passes, by their number.
    public init(
        cells: [ScoredCell], comparison: ComparisonSettings,
        shorter: [(steps: Int, cells: [ScoredCell])] = []
    ) {
        let maker = VariantMaker(cells: cells, comparison: comparison)
        standard = maker.rows()
        variants =
            maker.rules() + maker.percentiles() + maker.counts() + maker.baselines()
            + maker.epochs()
            + shorter.map { maker.variant("walk length", "\($0.steps)", of: $0.cells) }
    }

    /// What a choice did to the methods of one group.
    private struct Comparison {
        var group: LeaderboardRow
        var aspect: String
        var value: String
        var pairs: [(standard: LeaderboardRow, other: LeaderboardRow)]

        var tau: Double? {
            let known = pairs.compactMap { pair -> (Double, Double)? in
                guard let left = pair.standard.ud, let right = pair.other.ud else { return nil }
                return (left, right)
            }
            return RankCorrelation.kendall(known.map(\.0), known.map(\.1))
        }

        /// Methods that have a UD both ways.
        var count: Int { pairs.count { $0.standard.ud != nil && $0.other.ud != nil } }

        /// The methods from lowest UD.
        var order: String {
            pairs.compactMap { pair in pair.other.ud.map { ($0, pair.other.method) } }
                .sorted { $0 < $1 }.map(\.1).joined(separator: " < ")
        }
    }

    private var comparisons: [Comparison] {
        let groups = Leaderboard(standard).groups.map { group in
            group.rows.sorted { ($0.position, $0.cell) < ($1.position, $1.cell) }
        }
        return groups.flatMap { rows -> [Comparison] in
            guard let first = rows.first else { return [] }
            let methods = rows.filter { $0.role == .method }
            let own = Variant(aspect: "default", value: first.rule, rows: standard)
            let counted = ([own] + variants).map { variant in
                let byCell = Dictionary(
                    variant.rows.map { ($0.cell, $0) }, uniquingKeysWith: { first, _ in first })
                return Comparison(
                    group: first, aspect: variant.aspect, value: variant.value,
                    pairs: methods.compactMap { row in byCell[row.cell].map { (row, $0) } })
            }
            return counted + settings(of: first, methods: methods, among: groups)
        }
    }

    /// The same methods in the groups that differ by the grid's settings only.
    private func settings(
        of first: LeaderboardRow, methods: [LeaderboardRow], among groups: [[LeaderboardRow]]
    ) -> [Comparison] {
        groups.compactMap { rows in
            guard let other = rows.first, other.settings != first.settings,
                other.dataSet == first.dataSet, other.task == first.task,
                other.model == first.model, other.defense == first.defense
            else { return nil }
            return Comparison(
                group: first, aspect: "settings", value: other.settings,
                pairs: methods.compactMap { row in
                    rows.first { $0.method == row.method && $0.role == .method }.map { (row, $0) }
                })
        }
    }

    private static let groupColumns = ["dataSet", "task", "model", "defense", "settings"]

    private static func groupValues(_ row: LeaderboardRow) -> [QueryValue] {
        [row.dataSet, row.task, row.model, row.defense, row.settings].map { .text($0) }
    }

    private static func real(_ value: Double?) -> QueryValue { value.map { .real($0) } ?? .null }

    /// One row a group and choice: how many methods have a UD both ways, Kendall's τ of their order
    /// with the default's, the order, and whether UD could be believed.
    public var result: QueryResult {
        QueryResult(
            columns: Sensitivity.groupColumns + [
                "aspect", "value", "methods", "tau", "calibrated", "learnableBaseline",
                "controlLow", "controlHigh", "order",
            ],
            rows: comparisons.map { item in
                let other = item.pairs.first?.other
                let calibrated = other?.isCalibrated.map { QueryValue.integer($0 ? 1 : 0) }
                return Sensitivity.groupValues(item.group) + [
                    .text(item.aspect), .text(item.value), .integer(Int64(item.count)),
                    Sensitivity.real(item.tau), calibrated ?? .null,
                    Sensitivity.real(other?.learnableBaseline),
                    Sensitivity.real(other?.control?.low), Sensitivity.real(other?.control?.high),
                    .text(item.order),
                ]
            })
    }

    /// One row a group, choice and method: its UD under the choice.
    public var byMethod: QueryResult {
        QueryResult(
            columns: Sensitivity.groupColumns + [
                "aspect", "value", "method", "ud", "udLow", "udHigh", "udDefault", "reason",
            ],
            rows: comparisons.flatMap { item in
                item.pairs.map { pair in
                    Sensitivity.groupValues(item.group) + [
                        .text(item.aspect), .text(item.value), .text(pair.other.method),
                        Sensitivity.real(pair.other.ud),
                        Sensitivity.real(pair.other.udInterval?.low),
                        Sensitivity.real(pair.other.udInterval?.high),
                        Sensitivity.real(pair.standard.ud),
                        pair.other.udReason.map { .text($0) } ?? .null,
                    ]
                }
            })
    }

    /// For people: a section a group, its choices with τ and the order.
    public func text(style: TerminalStyle) -> String {
        var sections: [(title: String, rows: [[String]])] = []
        for item in comparisons {
            let row = item.group
            let parts = [row.dataSet, row.task, row.model, row.defense, row.settings]
            let title = parts.filter { !$0.isEmpty }.joined(separator: ", ")
            if sections.last?.title != title { sections.append((title, [])) }
            let other = item.pairs.first?.other
            sections[sections.count - 1].rows.append([
                item.aspect, item.value, "\(item.count)",
                item.tau.map { LeaderboardColumns.number($0, 2) } ?? "-",
                other?.isCalibrated.map { $0 ? "yes" : "no" } ?? "-",
                other?.learnableBaseline.map { LeaderboardColumns.number($0, 1) } ?? "-",
                item.order,
            ])
        }
        if sections.isEmpty { return "No cell to show.\n" }
        let note =
            "tau: Kendall's tau-b of the methods' order by UD with the default's; 1: the same "
            + "order. Lowest UD first."
        return sections.map { section in
            var table = TextTable(
                columns: [
                    .init("aspect"), .init("value"), .init("n", isNumber: true),
                    .init("tau", isNumber: true), .init("calibrated"),
                    .init("LC(clean)", isNumber: true), .init("order"),
                ], rows: section.rows)
            table = table.fitted(to: style.columns)
            return TerminalText.wrapped(section.title, to: style.columns)
                + TableFormat.table.text(of: table, style: style) + "\n"
        }.joined() + TerminalText.wrapped(note, to: min(style.columns, 100))
    }
}

/// Makes leaderboards under other choices.
private struct VariantMaker {
    let cells: [ScoredCell]
    let comparison: ComparisonSettings

    func rows() -> [LeaderboardRow] {
        LeaderboardScoring.rows(of: cells, comparison: comparison)
    }

    func variant(_ aspect: String, _ value: String, of cells: [ScoredCell]) -> Sensitivity.Variant {
        Sensitivity.Variant(
            aspect: aspect, value: value,
            rows: LeaderboardScoring.rows(of: cells, comparison: comparison))
    }

    func rules() -> [Sensitivity.Variant] {
        ComparisonSettings.Threshold.allCases.filter { $0 != comparison.threshold }.map { rule in
            var changed = comparison
            changed.threshold = rule
            var rows = LeaderboardScoring.rows(of: cells, comparison: changed)
            // A rule that fell back to another one says nothing of itself.
            for index in rows.indices where rows[index].rule != rule.rawValue {
                rows[index].ud = nil
                rows[index].udInterval = nil
                rows[index].isCalibrated = nil
                rows[index].learnableBaseline = nil
                rows[index].control = nil
                rows[index].udReason = UndefinedReason.tooFewSeeds.rawValue
            }
            return Sensitivity.Variant(aspect: "threshold", value: rule.rawValue, rows: rows)
        }
    }

    func percentiles() -> [Sensitivity.Variant] {
        [0.5, 0.9].map { share in
            var changed = comparison
            changed.threshold = .percentile
            return Sensitivity.Variant(
                aspect: "threshold", value: "percentile \(Int(share * 100))",
                rows: LeaderboardScoring.rows(
                    of: cells, comparison: changed, percentileShare: share))
        }
    }

    func counts() -> [Sensitivity.Variant] {
        [
            Sensitivity.Variant(
                aspect: "count", value: CountKind.parameters.rawValue,
                rows: LeaderboardScoring.rows(
                    of: cells, comparison: comparison, countKind: .parameters))
        ]
    }

    func baselines() -> [Sensitivity.Variant] {
        guard cells.contains(where: { $0.defense != "none" }) else { return [] }
        return [ComparisonSettings.Baseline.vanilla, .defended].map { baseline in
            var changed = comparison
            changed.baseline = baseline
            return Sensitivity.Variant(
                aspect: "baseline", value: baseline.rawValue,
                rows: LeaderboardScoring.rows(of: cells, comparison: changed))
        }
    }

    /// Without the first measured epoch, whose large SAL may decide the threshold alone, and the
    /// later half by itself.
    func epochs() -> [Sensitivity.Variant] {
        [
            variant("epochs", "without the first", of: dropping { min(1, $0 - 1) }),
            variant("epochs", "later half", of: dropping { $0 / 2 }),
        ]
    }

    private func dropping(_ count: (Int) -> Int) -> [ScoredCell] {
        cells.map { cell in
            var cell = cell
            for index in cell.runs.indices {
                guard let matrix = cell.runs[index].matrix else { continue }
                cell.runs[index].matrix = matrix.dropping(count(matrix.epochs.count))
            }
            return cell
        }
    }
}
