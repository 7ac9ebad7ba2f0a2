import FathomCore
import FathomCoordinator
import Foundation
import Testing

@Suite("Rendering a leaderboard")
struct StoreLeaderboardTests {
    private func row(
        _ method: String, role: LeaderboardRow.Role = .method, ud: Double?, metric: Double,
        damage: Double?, calibrated: Bool?, position: Int
    ) -> LeaderboardRow {
        let cell = ScoredCell(
            label: "0123456789ab", position: position, method: method, methodName: method,
            task: "cls", model: "resnet18 w8", defense: "none", dataSet: "fashion-mnist",
            baselineGroup: "", classCount: 10, runs: [])
        var row = LeaderboardRow(cell: cell, role: role)
        row.seeds = 3
        row.seedCount = 3
        row.rule = "crossfit"
        row.ud = ud
        row.udInterval = ud.map { Interval(low: $0 - 0.1, high: $0 + 0.125) }
        row.udReason = ud == nil ? "baseline has nothing learnable" : nil
        row.metric = metric
        row.metricDeviation = 0.0125
        row.damage = damage
        row.isCalibrated = calibrated
        row.learnableBaseline = 6.6
        row.layerCount = 21
        row.control =
            calibrated == nil
            ? nil
            : calibrated == true ? Interval(low: 0.91, high: 1.08) : Interval(low: 0.55, high: 1.78)
        return row
    }

    private func rows(calibrated: Bool?) -> [LeaderboardRow] {
        [
            row(
                "clean", role: .clean, ud: 1, metric: 0.91, damage: 0, calibrated: calibrated,
                position: 0),
            row(
                "rand-s", role: .control, ud: 1.02, metric: 0.905, damage: 0.006,
                calibrated: calibrated, position: 1),
            row("lsp", ud: 1.68, metric: 0.31, damage: 0.74, calibrated: calibrated, position: 2),
            row(
                "em-s (epsilon 16/255, own surrogate)", ud: 0.43, metric: 0.25, damage: 0.81,
                calibrated: calibrated, position: 3),
            row("ops_1", ud: nil, metric: 0.2, damage: 0.88, calibrated: calibrated, position: 4),
            row("tap", ud: 1.2, metric: 0.6, damage: 0.38, calibrated: calibrated, position: 5),
        ]
    }

    private func text(
        _ format: TableFormat, calibrated: Bool? = true, order: LeaderboardOrder? = nil
    ) -> String {
        LeaderboardTable(
            Leaderboard(rows(calibrated: calibrated), order: order), sweep: "quickstart",
            agreements: RankAgreement.all(of: rows(calibrated: calibrated))
        ).text(as: format)
    }

    /// The table, and the sentences below it, each on one line.
    private func parts(_ text: String) -> (table: String, words: String) {
        let halves = text.components(separatedBy: "\n\n")
        return (halves[0], halves.dropFirst().joined(separator: " ").replacing("\n", with: " "))
    }

    @Test("a believable UD ranks the methods, and the table fits a terminal")
    func calibratedTable() {
        let (table, words) = parts(text(.table))
        #expect(
            table == """
                fashion-mnist, cls, resnet18 w8, no defense (β crossfit, by ud)
                #  method                     UD     UD 95 %    acc      ±  damage  LC(clean)  n
                1  em-s (epsilon 16/255…  0.430*  0.33..0.55  0.250  0.013   0.810       6.60  3
                2  tap                    1.200*  1.10..1.32  0.600  0.013   0.380       6.60  3
                3  lsp                    1.680*  1.58..1.80  0.310  0.013   0.740       6.60  3
                -  ops_1                       -           -  0.200  0.013   0.880       6.60  3
                -  rand-s                 1.020   0.92..1.15  0.905  0.013   0.006       6.60  3
                -  clean                  1.000   0.90..1.12  0.910  0.013   0.000       6.60  3
                """)
        #expect(
            words.hasPrefix(
                "UD can be believed here: the controls stay within 0.91 to 1.08, inside 0.80 to "
                    + "1.25, and clean training has 6.6 learnable layers of 21. A method differs "
                    + "from the controls only where its interval lies outside theirs (`*`). "
                    + "Rank agreement of UD with accuracy over 3 methods: Spearman's rho 0.50, "
                    + "95 % from -1.00 to 1.00; with controls 0.20, 95 % from "))
        #expect(words.contains("ops_1: no UD: baseline has nothing learnable."))
        #expect(text(.table).split(separator: "\n").allSatisfy { $0.count <= 80 })
    }

    @Test("an unbelievable UD stands in brackets, and damage ranks")
    func uncalibratedTable() {
        let (table, words) = parts(text(.table, calibrated: false))
        #expect(
            table == """
                fashion-mnist, cls, resnet18 w8, no defense (β crossfit, by damage)
                #  method                     UD     UD 95 %    acc      ±  damage  LC(clean)  n
                1  ops_1                       -           -  0.200  0.013   0.880       6.60  3
                2  em-s (epsilon 16/25…  (0.430)  0.33..0.55  0.250  0.013   0.810       6.60  3
                3  lsp                   (1.680)  1.58..1.80  0.310  0.013   0.740       6.60  3
                4  tap                   (1.200)  1.10..1.32  0.600  0.013   0.380       6.60  3
                -  rand-s                (1.020)  0.92..1.15  0.905  0.013   0.006       6.60  3
                -  clean                 (1.000)  0.90..1.12  0.910  0.013   0.000       6.60  3
                """)
        #expect(
            words.hasPrefix(
                "UD cannot be believed here: harmless controls give 0.55 to 1.78, which is not "
                    + "inside 0.80 to 1.25. It stands in brackets and is not ranked. "))
        #expect(text(.table, calibrated: nil).contains("unknown"))
    }

    @Test("a wide terminal gets more columns and whole names, at any width lines fit")
    func widths() {
        var rows = rows(calibrated: true)
        for index in rows.indices {
            rows[index].damageInterval = Interval(low: 0.1, high: 0.9)
            rows[index].metricInterval = Interval(low: 0.2, high: 0.8)
            rows[index].udMatched = 0.75
            rows[index].salLoss = 0.5
            rows[index].trainLoss = 0.25
            rows[index].reach = 1
            rows[index].cost = CellCost(
                kinds: ["train": .init(jobs: 1, seconds: 60, forwardEquivalents: 0)])
        }
        func table(_ columns: Int) -> [Substring] {
            LeaderboardTable(
                Leaderboard(rows), sweep: "s", style: TerminalStyle(columns: columns)
            ).text(as: .table).split(separator: "\n")
        }
        for columns in 78...220 {
            #expect(table(columns).allSatisfy { $0.count <= columns }, "\(columns)")
        }
        let wide = table(200)
        for title in ["damage 95 %", "acc 95 %", "UD=loss", "SAL loss", "seconds", "SAL/train"] {
            #expect(wide[1].contains(title), "\(title)")
        }
        #expect(wide.contains { $0.contains("em-s (epsilon 16/255, own surrogate)") })
        #expect(!table(80)[1].contains("damage 95 %"))
    }

    @Test("failed, blocked and meaningless cells are seen, and why")
    func troubles() {
        var rows = rows(calibrated: true)
        rows[4].trouble = CellTrouble(failed: 2, blocked: 5, reason: "loss is not a number")
        rows[5].ud = nil
        rows[5].trouble = CellTrouble(failed: 0, blocked: 1, reason: "needs job 0123")
        let text = LeaderboardTable(Leaderboard(rows), sweep: "s").text(as: .table)
        #expect(text.contains("failed") && text.contains("blocked"))
        let words = parts(text).words
        #expect(words.contains("ops_1: 2 jobs failed, 5 blocked: loss is not a number."))
        #expect(words.contains("tap: 1 blocked: needs job 0123."))
    }

    @Test("asked for by name, an unbelievable UD sorts but does not rank")
    func unrankedByUD() {
        let group = Leaderboard(rows(calibrated: false), order: .ud).groups[0]
        #expect(group.rows.map(\.method).first == "em-s (epsilon 16/255, own surrogate)")
        #expect(group.rows.indices.allSatisfy { group.rank($0) == nil })
    }

    @Test("CSV and JSON hold every number as it is, and NULL where there is none")
    func machineFormats() throws {
        let csv = text(.csv).split(separator: "\n")
        #expect(csv.count == 7 && csv[0].hasPrefix("sweep,rank,cell,method,role,"))
        #expect(csv[1].contains("\"em-s (epsilon 16/255, own surrogate)\""))
        let parsed = try JSONSerialization.jsonObject(with: Data(text(.json).utf8))
        let objects = try #require(parsed as? [[String: Any]])
        #expect(objects.count == 6 && objects[0]["ud"] as? Double == 0.43)
        #expect(objects[3]["ud"] is NSNull && objects[3]["calibrated"] as? Int == 1)
    }

    @Test("Markdown and LaTeX are escaped and carry the verdict along")
    func paperFormats() throws {
        let markdown = text(.markdown)
        #expect(markdown.hasPrefix("### fashion-mnist, cls, resnet18 w8, no defense"))
        #expect(markdown.contains("| ---: | --- |") && markdown.contains("- UD can be believed"))
        let latex = text(.latex)
        #expect(latex.contains("ops\\_1") && latex.contains("95 \\%"))
        #expect(latex.contains("% UD can be believed"))
        try Latex.expectToCompile(latex)
    }

    @Test("an empty leaderboard says so, a query's rows come out in every format")
    func otherTables() {
        #expect(
            LeaderboardTable(Leaderboard([]), sweep: "x").text(as: .table) == "No cell to show.\n")
        let result = QueryResult(
            columns: ["name", "n"], rows: [[.text("a\"b"), .integer(5)], [.null, .real(0.1)]])
        #expect(TableFormat.table.text(of: result) == "name    n\na\"b     5\n-     0.1\n")
        #expect(
            TableFormat.json.text(of: result)
                == "[\n  {\"name\":\"a\\\"b\",\"n\":5},\n  {\"name\":null,\"n\":0.1}\n]\n")
        #expect(TableFormat.csv.text(of: result) == "name,n\n\"a\"\"b\",5\n,0.1\n")
    }
}
