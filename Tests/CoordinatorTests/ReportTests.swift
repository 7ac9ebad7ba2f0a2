import FathomCore
import FathomCoordinator
import FathomPage
import FathomProtocol
import Foundation
import Testing

@Suite("Reports")
struct ReportTests {
    let folder: StoreFolder
    let store: Store
    let origin = ReportPage.Origin(program: "Fathom 0.0.0", time: "2026-01-02 03:04:05 UTC")

    init() throws {
        folder = try StoreFolder()
        store = try Store(path: folder.file("a.sqlite"))
    }

    private func filled(_ sweep: SyntheticSweep, share: Double = 1) throws -> SweepID {
        let id = try store.register(sweep.plan)
        let changes = sweep.changes()
        try store.apply(Array(changes.prefix(Int(share * Double(changes.count)))))
        try store.merge(id)
        return id
    }

    private func page(_ id: SweepID, limits: ReportLimits = ReportLimits()) throws -> ParsedPage {
        let data = try store.reader.report(of: id, limits: limits)
        let page = ParsedPage(ReportPage(data, limits: limits, origin: origin).html)
        #expect(page.problem == nil)
        #expect(!page.text.contains("`"), "what terminals show as code is code here")
        #expect(Set(page.ids).count == page.ids.count, "an id is used twice")
        return page
    }

    @Test("the leaderboard of the page holds the store's values, every digit of them")
    func figuresEqualTheStore() throws {
        let id = try filled(SyntheticSweep())
        let page = try page(id)
        for row in try store.reader.leaderboard(of: id) {
            let values = try #require(page.values(ofRow: row.cell))
            #expect(values.count == 15)
            #expect(values[3] == row.ud && values[5] == row.metric && values[6] == row.damage)
            #expect(values[7] == row.learnable && values[8] == row.learnableBaseline)
            #expect(values[9] == row.trainLoss && values[10] == row.salLoss)
            #expect(values[12] == Double(row.seedCount))
        }
        let board = Leaderboard(try store.reader.leaderboard(of: id))
        #expect(
            page.data("leaderboard.csv")
                == LeaderboardTable(board, sweep: "synthetic").text(as: .csv))
    }

    @Test("heat maps come in pairs, their dots are what lies above the threshold")
    func heatMaps() throws {
        let page = try page(try filled(SyntheticSweep()))
        let charts = page.all("svg").compactMap { $0.attributes["id"] }
            .filter { $0.hasPrefix("heat-g1-") && !$0.hasSuffix("-bar") }
        #expect(charts.count == 6, "two methods, three seeds, each beside clean")
        // Crossfit thresholds 1.5, 1 and 1.5: lsp has 1, 2 and 1 layers above in both epochs, clean
        // and rand-s always two; three seeds of each pair.
        let dots = page.all("circle").count {
            $0.attributes["class"] == "d" || $0.attributes["class"] == "b"
        }
        #expect(dots == 2 * (1 + 2 + 1) + 2 * 3 * 2 + 2 * 3 * 2 * 2)
        let csv = try #require(page.data("sal-g1.csv")).split(separator: "\n")
        #expect(csv[0] == "cell,method,seed,epoch,layer,sal")
        #expect(csv.count == 1 + 3 * 3 * 2 * 4)
        #expect(csv.contains { $0.contains(",lsp,1,4,conv3,1.25") })
    }

    @Test("figures by epoch average to the counts behind UD")
    func learnableByEpoch() throws {
        let id = try filled(SyntheticSweep())
        let page = try page(id)
        let csv = try #require(page.data("learnable-by-epoch.csv")).split(separator: "\n")
        for row in try store.reader.leaderboard(of: id) {
            // Behind the cell: method, epoch, layers and more.
            let layers = csv.compactMap { line -> Double? in
                let parts = line.components(separatedBy: ",\(row.cell),")
                return parts.count == 2 ? Double(parts[1].split(separator: ",")[2]) : nil
            }
            #expect(layers.count == 2)
            let learnable = try #require(row.learnable)
            #expect(abs(layers.reduce(0, +) / 2 - learnable) < 1e-12)
        }
    }

    @Test("every part is there, with its data")
    func partsAreThere() throws {
        let page = try page(try filled(SyntheticSweep()))
        for part in [
            "summary", "leaderboard", "agreement", "sal", "distribution", "epochs", "training",
            "sensitivity", "provenance", "reading", "citing",
        ] { #expect(page.ids.contains(part), "\(part)") }
        #expect(!page.ids.contains("tasks"), "one task only")
        #expect(!page.ids.contains("landscapes"), "none were sampled")
        for file in [
            "leaderboard.csv", "ud-against-metric.csv", "sal-distribution.csv", "training.csv",
            "sensitivity.csv",
        ] { #expect((page.data(file) ?? "").split(separator: "\n").count > 1, "\(file)") }
        #expect(page.text.contains("UD can be believed here"))
        #expect(page.text.contains("9 runs, all finished"))
        #expect(page.text.contains("Ye, Kai and Su, Liangcai and Qian, Chenxiong"))
    }

    @Test("names that look like markup stay names")
    func hostileNames() throws {
        let names = ["\"><script>alert(1)</script>", "</title><h1>'&amp;", "a\u{202E}b\u{0}]]>"]
        var sweep = SyntheticSweep(methods: ["clean"] + names)
        sweep.plan.name = "<svg onload=alert(1)>"
        let page = try page(try filled(sweep))
        #expect(page.all("script").count == 1 && page.all("h1").count == 1)
        #expect(
            page.elements.allSatisfy { element in
                element.attributes.keys.allSatisfy { !$0.hasPrefix("on") }
            })
        #expect(page.text.contains(names[0]) && page.text.contains("<svg onload=alert(1)>"))
    }

    @Test("a sweep of which nothing is known yet has a page that says so")
    func emptySweep() throws {
        let id = try store.register(SyntheticSweep().plan)
        let page = try page(id)
        #expect(page.text.contains("Nothing has been merged yet: 9 runs planned, 0 finished"))
        #expect(!page.ids.contains("leaderboard") && !page.ids.contains("sal"))
        let nothing = try store.register(
            SweepPlan(
                name: "nothing", manifest: "{}", cells: [], jobs: [],
                comparison: ComparisonSettings()))
        #expect(try self.page(nothing).text.contains("Nothing has been measured yet"))
    }

    @Test("an unfinished sweep has a page of what is there", arguments: [0.1, 0.4, 0.7, 0.95])
    func unfinishedSweep(share: Double) throws {
        let id = try filled(SyntheticSweep(), share: share)
        let page = try page(id)
        #expect(page.text.contains("have finished"))
        #expect(page.text.contains("no UD") || share > 0.9)
    }

    @Test("one seed, and a sweep without clean training")
    func fewSeeds() throws {
        let one = try page(try filled(SyntheticSweep(seeds: 1)))
        #expect(one.text.contains("1 seed of each") && one.ids.contains("sal"))
        let other = try ReportTests()
        let page = try other.page(
            try other.filled(SyntheticSweep(methods: ["rand-s", "lsp"])))
        #expect(page.text.contains("no clean run") && page.text.contains("no UD"))
    }

    @Test("a large sweep has a page of bounded size that says what it leaves out")
    func largeSweep() throws {
        let methods = ["clean"] + (1...60).map { "method-\($0)" }
        let id = try filled(SyntheticSweep(methods: methods, seeds: 4))
        let limits = ReportLimits(cellsPerGroup: 10, runs: 12, leaderboardRows: 20)
        let page = try page(id, limits: limits)
        let charts = page.all("svg").compactMap { $0.attributes["id"] }
            .filter { $0.hasPrefix("heat-g1-") && !$0.hasSuffix("-bar") }
        #expect(charts.count == 12)
        #expect(page.text.contains("12 of 36 runs are drawn"))
        #expect(page.text.contains("51 cells beyond 10 a group have none"))
        #expect(page.text.contains("The first 20 of 61 rows"))
        #expect((page.data("leaderboard.csv") ?? "").split(separator: "\n").count == 62)
    }

    private static let isSlow = ProcessInfo.processInfo.environment["FATHOM_SLOW"] == "1"

    @Test(
        "10,000 runs have a page below 12 MB within two minutes",
        .enabled(if: isSlow, "set FATHOM_SLOW=1"), .timeLimit(.minutes(10)))
    func tenThousandRuns() throws {
        let methods = ["clean"] + (1..<2_500).map { "method-\($0)" }
        let id = try filled(SyntheticSweep(methods: methods, seeds: 4))
        let started = ContinuousClock.now
        let data = try store.reader.report(of: id)
        let html = ReportPage(data, origin: origin).html
        let seconds = ContinuousClock.now - started
        #expect(data.work.runCount == 10_000)
        #expect(html.utf8.count < 12_000_000, "\(html.utf8.count) bytes")
        #expect(seconds < .seconds(120), "\(seconds)")
        #expect(ParsedPage(html).problem == nil)
        print("a report of 10,000 runs: \(html.utf8.count) bytes, \(seconds)")
    }
}
