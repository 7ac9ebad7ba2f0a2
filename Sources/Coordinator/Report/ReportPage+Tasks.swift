import FathomCore
import FathomPage

extension ReportPage {
    /// Methods against tasks: does what protects one task protect another?
    var crossTask: Markup {
        let sheets = CrossTaskSheet.sheets(data.rows)
        guard !sheets.isEmpty else { return .nothing }
        return Markup(
            joining: [
                Markup("p") {
                    "The same treatment of the images, judged by everything that was learned from "
                    "them. Damage is the share of clean training's gain over chance that is lost; "
                    "UD stands below it, in brackets where it cannot be believed."
                },
                Markup(
                    joining: sheets.prefix(limits.groups).enumerated().map { index, sheet in
                        sheet.table("tasks\(index + 1)")
                    }),
                Download(
                    fileName: "across-tasks.csv",
                    csv: ReportWords.csv(
                        CrossTaskSheet.columns, sheets.flatMap(\.rowsOfNumbers))
                ).link,
                betweenTasks,
            ])
    }

    /// How alike the layers' SAL is between tasks.
    private var betweenTasks: Markup {
        let result = data.agreement
        guard !result.rows.isEmpty else { return .nothing }
        let shown = ["group", "task", "other", "pairs", "layers", "cosine", "pearson", "spearman"]
        let places = shown.compactMap { result.columns.firstIndex(of: $0) }
        guard places.count == shown.count else { return .nothing }
        let rows = result.rows.prefix(120).map { row in
            PageTable.Row(
                places.enumerated().map { index, place in
                    switch row[place] {
                    case .real(let value): .init(Numeral.fixed(value, 3), value: value)
                    case .integer(let value): .init("\(value)", value: Double(value))
                    case .null: .init("–")
                    default:
                        .init(
                            index == 1 || index == 2
                                ? ReportWords.task(row[place].text) : row[place].text)
                    }
                })
        }
        return Markup(
            joining: [
                Markup("h3") { "Do tasks agree on which layers stay learnable?" },
                Markup("p") {
                    "Similarity of the SAL of shared layers at the last measured epoch, over all "
                    "pairs of seeds. A task beside itself is the ceiling."
                },
                PageTable(
                    id: "between-tasks", caption: "Agreement of SAL between tasks",
                    columns: shown.enumerated().map { index, name in
                        .init(index == 0 ? "Model, defense, method" : name, isNumber: index > 2)
                    }, rows: Array(rows)
                ).markup,
                Download(
                    fileName: "between-tasks.csv",
                    csv: ReportWords.csv(result.columns, result.rows)
                ).link,
            ])
    }
}

/// One table of methods against tasks.
struct CrossTaskSheet {
    let title: String
    private let tasks: [String]
    private let methods: [String]
    private let rows: [String: [String: LeaderboardRow]]

    static let columns = [
        "setting", "method", "task", "metricName", "metric", "damage", "damageLow", "damageHigh",
        "ud", "udLow", "udHigh", "calibrated",
    ]

    /// One for each data set, model and defense with more than one task.
    static func sheets(_ rows: [LeaderboardRow]) -> [CrossTaskSheet] {
        var order: [String] = []
        var groups: [String: [LeaderboardRow]] = [:]
        for row in rows where !row.isNotApplicable {
            let defense = row.defense == "none" ? "no defense" : row.defense
            let title = [row.dataSet, row.model, defense].joined(separator: ", ")
            if groups[title] == nil { order.append(title) }
            groups[title, default: []].append(row)
        }
        return order.compactMap { CrossTaskSheet(title: $0, groups[$0] ?? []) }
    }

    private init?(title: String, _ rows: [LeaderboardRow]) {
        self.title = title
        var seen: Set<String> = []
        tasks = rows.map(\.task).filter { seen.insert($0).inserted }
        guard tasks.count > 1 else { return nil }
        methods = rows.map(\.method).filter { seen.insert("method " + $0).inserted }
        var cells: [String: [String: LeaderboardRow]] = [:]
        for row in rows { cells[row.method, default: [:]][row.task] = row }
        self.rows = cells
    }

    func table(_ id: String) -> Markup {
        PageTable(
            id: id, caption: title,
            columns: [.init("Method")]
                + tasks.map { task in
                    .init(
                        ReportWords.task(task), isNumber: true,
                        help: "Damage to \(task), and UD below")
                },
            rows: methods.prefix(200).map { method in
                PageTable.Row(
                    [.init(method)] + tasks.map { cell(rows[method]?[$0]) },
                    className: rows[method]?.values.first?.role.rawValue)
            }
        ).markup
    }

    private func cell(_ row: LeaderboardRow?) -> PageTable.Cell {
        guard let row else { return .init("not in the sweep") }
        let damage = row.damage.map { Numeral.fixed($0, 3) } ?? "–"
        let ud = row.ud.map { value in
            let text = Numeral.fixed(value, 2)
            return row.isCalibrated == true ? "UD \(text)" : "(UD \(text))"
        }
        return .init(
            Markup("span", ["title": row.damage == nil ? row.damageReason : nil]) {
                damage
                Markup("br")
                Markup("span", ["class": "range"]) { ud ?? "no UD" }
            }, value: row.damage)
    }

    var rowsOfNumbers: [[QueryValue]] {
        methods.flatMap { method in
            tasks.compactMap { task -> [QueryValue]? in
                guard let row = rows[method]?[task] else { return nil }
                let numbers = [
                    row.metric, row.damage, row.damageInterval?.low, row.damageInterval?.high,
                    row.ud, row.udInterval?.low, row.udInterval?.high,
                ]
                return [.text(title), .text(method), .text(task), .text(row.metricName)]
                    + numbers.map { ReportWords.real($0) }
                    + [row.isCalibrated.map { .integer($0 ? 1 : 0) } ?? .null]
            }
        }
    }
}
