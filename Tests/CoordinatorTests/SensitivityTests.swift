import FathomCoordinator
import FathomCore
import FathomProtocol
import Foundation
import Testing

@Suite("Sensitivity of UD to choices")
struct SensitivityTests {
    private func run(_ seed: Int, _ values: [Double], loss: Double = 1) -> ScoredRun {
        ScoredRun(
            seed: seed,
            matrix: SALMatrix(
                epochs: [2, 4], layerCount: 4, values: values,
                originLosses: [Double](repeating: loss, count: 8)),
            weightCounts: [10, 20, 30, 40])
    }

    private func cell(
        _ method: String, _ values: [Double], group: String = "{}"
    ) -> ScoredCell {
        ScoredCell(
            label: method + group, position: 0, method: method, methodName: method, task: "cls",
            model: "lenet5", defense: "none", dataSet: "set", baselineGroup: group, classCount: 10,
            runs: (0..<3).map { run($0, values) })
    }

    private func cells(_ group: String = "{}", turned: Bool = false) -> [ScoredCell] {
        let low: [Double] = [0, 0, 0, 3, 0, 0, 0, 3]
        let high: [Double] = [0, 3, 3, 3, 0, 3, 3, 3]
        return [
            cell("clean", [0, 0, 2, 2, 0, 0, 2, 2], group: group),
            cell("low", turned ? high : low, group: group),
            cell("high", turned ? low : high, group: group),
        ]
    }

    private func rows(_ result: QueryResult, _ aspect: String) -> [[String: QueryValue]] {
        result.rows.map { row in
            Dictionary(zip(result.columns, row), uniquingKeysWith: { first, _ in first })
        }.filter { $0["aspect"] == .text(aspect) }
    }

    @Test("each choice has its order, and tau against the default's")
    func choices() throws {
        let sensitivity = Sensitivity(cells: cells(), comparison: ComparisonSettings())
        let result = sensitivity.result
        let standard = try #require(rows(result, "default").first)
        #expect(standard["order"] == .text("low < high") && standard["tau"] == .real(1))
        let rules = rows(result, "threshold")
        #expect(rules.count == ThresholdRule.allCases.count - 1 + 2)
        #expect(rules.contains { $0["value"] == .text("percentile 90") })
        #expect(rows(result, "count").first?["order"] == .text("low < high"))
        #expect(rows(result, "epochs").count == 2)
        let methods = sensitivity.byMethod
        let counted = rows(methods, "count").first { $0["method"] == .text("low") }
        #expect(counted?["ud"] == .real(40.0 / 70) && counted?["udDefault"] == .real(0.5))
    }

    @Test("settings of which the grid has several are compared, and a turned order shows")
    func settings() throws {
        let small = "{\"sal\":{\"radius\":0.05}}"
        let large = "{\"sal\":{\"radius\":0.1}}"
        let sensitivity = Sensitivity(
            cells: cells(small) + cells(large, turned: true), comparison: ComparisonSettings())
        let found = rows(sensitivity.result, "settings")
        #expect(found.count == 2)
        #expect(found[0]["value"] == .text("sal.radius 0.1") && found[0]["tau"] == .real(-1))
        #expect(found[0]["order"] == .text("high < low"))
    }

    @Test("walks cut short are those of the store")
    func shorterWalks() throws {
        let folder = try StoreFolder()
        let store = try Store(path: folder.file("a.sqlite"))
        let sweep = SyntheticSweep()
        let id = try store.register(sweep.plan)
        try store.apply(sweep.changes())
        #expect(try store.reader.walkLength(of: id) == 2)
        let whole = try store.reader.scoredCells(of: id)
        let same = try store.reader.scoredCells(of: id, walkLength: 2)
        let short = try store.reader.scoredCells(of: id, walkLength: 1)
        // The synthetic walks hold 0.5, then 0.1 + SAL, from an origin of 0.1.
        let values = try #require(short[2].runs[0].matrix).values
        #expect(zip(values, [0, 0, 0.4, 0.4, 0, 0, 0.4, 0.4]).allSatisfy { abs($0 - $1) < 1e-12 })
        let first = try #require(same[2].runs[0].matrix).values
        let wanted = try #require(whole[2].runs[0].matrix).values
        #expect(zip(first, wanted).allSatisfy { abs($0 - $1) < 1e-12 })
    }

    @Test("tables for people fit, numbers whole and texts cut")
    func fitting() {
        let table = TextTable(
            columns: [.init("aspect"), .init("n", isNumber: true), .init("order")],
            rows: [
                ["threshold", "123456789", String(repeating: "lsp < ", count: 30)],
                ["count", "2", "short"],
            ]
        ).fitted(to: 60)
        let lines = TableFormat.table.text(of: table).split(separator: "\n")
        #expect(lines.allSatisfy { $0.count <= 60 } && lines[1].contains("123456789"))
        #expect(lines[1].hasSuffix("…"))
        let text = Sensitivity(cells: cells(), comparison: ComparisonSettings()).text(
            style: TerminalStyle(columns: 80))
        #expect(text.split(separator: "\n").allSatisfy { $0.count <= 80 })
    }
}
