import FathomCore
import FathomCoordinator
import FathomProtocol
import Foundation
import Testing

@Suite("Merging, querying and exporting")
struct StoreMergeTests {
    let folder: StoreFolder
    let store: Store
    let sweep = SyntheticSweep()

    init() throws {
        folder = try StoreFolder()
        store = try Store(path: folder.file("a.sqlite"))
    }

    private func merged(shuffle: UInt64 = 0) throws -> SweepID {
        let id = try store.register(sweep.plan)
        try store.apply(sweep.changes(shuffle: shuffle))
        try store.merge(id)
        return id
    }

    private func ud(_ method: String, _ rule: String, _ seed: String = "IS NULL") throws -> Double?
    {
        let rows = try store.query(
            """
            SELECT ud FROM udScore WHERE method = '\(method)' AND rule = '\(rule)'
            AND countKind = 'layers' AND baseline = 'vanilla' AND seed \(seed)
            """
        ).rows
        guard rows.count == 1, case .real(let value) = rows[0][0] else { return nil }
        return value
    }

    @Test("UD is what a pencil gives, for every rule")
    func byHand() throws {
        _ = try merged()
        #expect(try ud("clean", "crossfit") == 1)
        #expect(try ud("rand-s", "released") == 1)
        #expect(try ud("lsp", "released") == 5.0 / 6)
        #expect(try ud("lsp", "crossfit") == 4.0 / 6)
        #expect(try ud("lsp", "crossfit", "= 1") == 1)
        #expect(try ud("lsp", "crossfit", "= 2") == 0.5)
        #expect(try ud("lsp", "pooled") == 5.0 / 6)
        #expect(try ud("lsp", "median-epoch") == 5.0 / 6)
        // Weighted by weights: seeds 0 and 2 have fc alone (40 of 70), seed 1 both.
        let weighted = try store.query(
            """
            SELECT ud, n FROM udScore WHERE method = 'lsp' AND rule = 'crossfit'
            AND countKind = 'parameters' AND baseline = 'defended' AND seed IS NULL
            """
        ).rows
        #expect(weighted == [[.real(150.0 / 210), .integer(3)]])
    }

    @Test("the leaderboard has damage, spread and a verdict")
    func leaderboard() throws {
        let id = try merged()
        let rows = try store.reader.leaderboard(of: id)
        #expect(rows.map(\.method) == ["clean", "rand-s", "lsp"])
        #expect(rows.map(\.role) == [.clean, .control, .method])
        #expect(rows.allSatisfy { $0.isCalibrated == true && $0.rule == "crossfit" })
        #expect(rows[2].control == Interval(low: 1, high: 1))
        let damage = try #require(rows[2].damage)
        #expect(abs(damage - 0.41 / 0.81) < 1e-12)
        #expect(rows[0].damage == 0 && rows[2].learnableBaseline == 2)
        #expect(rows[2].learnableTotal == 12 && rows[2].layerCount == 4)
        #expect(rows[2].reach == 1 && rows[2].trainLoss == 0.25)
    }

    @Test("missing and diverged measurements leave a reason instead of a number")
    func reasons() throws {
        let id = try store.register(sweep.plan)
        let lsp = sweep.plan.cells[2].runs[1].measurements[1].job
        let open = sweep.changes().filter { change in
            switch change {
            case .accepted(let lease, _, _): lease.job != lsp
            case .jobFinished(let key): key != lsp
            default: true
            }
        }
        try store.apply(open)
        try store.merge(id)
        #expect(try ud("lsp", "crossfit", "= 1") == nil)
        let told = try store.query(
            "SELECT DISTINCT reason FROM udScore WHERE method = 'lsp' AND reason IS NOT NULL "
                + "AND rule = 'crossfit' ORDER BY reason"
        ).rows
        #expect(
            told == [
                [.text("2 of 3 seeds: not all of SAL is measured")],
                [.text("not all of SAL is measured")],
            ])
        var rows = (0..<4).map { SyntheticSweep.salRow($0, 1) }
        rows[2].measurement.sal = .nan
        rows[2].measurement.originLoss = .infinity
        try store.apply([
            .accepted(
                sweep.lease(lsp, 0..<4), worker: sweep.worker, outcome: JobOutcome(sal: rows)),
            .jobFinished(lsp),
        ])
        try store.merge(id)
        let later = try store.query(
            "SELECT DISTINCT reason FROM udScore WHERE method = 'lsp' AND seed = 1"
        ).rows
        #expect(later == [[.text("run diverged")]])
    }

    @Test("without a clean cell there is no UD, with fewer seeds no crossfit")
    func withoutBaseline() throws {
        let lonely = SyntheticSweep(methods: ["lsp"], seeds: 2)
        let id = try store.register(lonely.plan)
        try store.apply(lonely.changes())
        try store.merge(id)
        let rules = try store.query("SELECT DISTINCT rule, reason FROM udScore ORDER BY rule").rows
        #expect(
            rules.map { $0[0].text }
                == ThresholdRule.allCases.map(\.rawValue).filter { $0 != "crossfit" }.sorted())
        #expect(rules.allSatisfy { $0[1] == .text("baseline missing") })
        let row = try store.reader.leaderboard(of: id)[0]
        #expect(row.isCalibrated == nil && row.damageReason == "baseline missing")
    }

    @Test("progress counts jobs by kind")
    func progress() throws {
        _ = try merged()
        let rows = try store.query(
            "SELECT kind, done, total FROM progress WHERE method = 'lsp' ORDER BY kind"
        ).rows
        #expect(
            rows == [
                [.text("poison"), .integer(3), .integer(3)],
                [.text("sal"), .integer(6), .integer(6)],
                [.text("train"), .integer(6), .integer(6)],
            ])
    }

    @Test("results are the same bytes whatever the order of arrival and however often merged")
    func exportedBytes() throws {
        let id = try merged()
        let first = folder.file("first")
        let files = try store.export(id, to: first, format: .csv)
        #expect(files.contains("results/salMatrix.csv") && files.contains("timings/attempt.csv"))
        try store.merge(id)
        try store.export(id, to: folder.file("second"), format: .csv)
        let other = try Store(path: folder.file("b.sqlite"))
        let otherID = try other.register(sweep.plan)
        try other.apply(sweep.changes(shuffle: 99, seconds: 3))
        try other.merge(otherID)
        try other.export(otherID, to: folder.file("third"), format: .csv)
        for file in files where file.hasPrefix("results/") {
            let bytes = try Data(contentsOf: URL(fileURLWithPath: first + "/" + file))
            for copy in ["second", "third"] {
                let path = folder.file(copy) + "/" + file
                #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == bytes, "\(file)")
            }
        }
        let matrix = try String(
            contentsOfFile: first + "/results/salMatrix.csv", encoding: .utf8
        ).split(separator: "\n")
        #expect(matrix.count == 1 + 3 * 3 * 2 * 4)
        #expect(
            matrix[0] == "sweep,cell,method,task,model,defense,seed,granularity,epoch,layerIndex,"
                + "layer,sMax,sMin,sal,salAccuracy,flag,filter,entry")
    }

    @Test("the manifest names every file with its digest, and SAL comes as arrays, too")
    func manifestAndArrays() throws {
        let id = try merged()
        let files = try store.export(id, to: folder.file("out"), format: .csv)
        let text = try Data(contentsOf: URL(fileURLWithPath: folder.file("out/manifest.json")))
        let parsed = try #require(try JSONSerialization.jsonObject(with: text) as? [String: Any])
        let entries = try #require(parsed["files"] as? [[String: Any]])
        #expect(entries.count == files.count - 1 && parsed["sweep"] as? String == "synthetic")
        for entry in entries {
            let path = folder.file("out/") + (try #require(entry["path"] as? String))
            #expect(try Digest(ofFile: path).hex == entry["sha256"] as? String)
            let size = try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int
            #expect(size == entry["bytes"] as? Int)
        }
        let index = try String(
            contentsOfFile: folder.file("out/results/sal/index.csv"), encoding: .utf8
        ).split(separator: "\n")
        #expect(index.count == 10)
        let line = try #require(index.first { $0.contains(",lsp,") && $0.contains(",1,2 4,4") })
        let array = try NPYFile(
            path: folder.file("out/results/sal/") + line.split(separator: ",")[0]
        ).array
        #expect(array.shape == [2, 4])
        #expect(array.values == .float64([0, 0, 1.25, 3, 0, 0, 1.25, 3]))
    }

    @Test("JSON lines hold NULL for what is missing")
    func jsonLines() throws {
        let id = try merged()
        try store.export(id, to: folder.path, format: .jsonl)
        let text = try String(
            contentsOfFile: folder.file("results/poisonReport.jsonl"), encoding: .utf8)
        let line = try #require(text.split(separator: "\n").first)
        let parsed = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
        #expect(parsed?["name"] as? String == "kind" && parsed?["number"] is NSNull)
    }

    @Test(
        "a query only reads",
        arguments: [
            "DELETE FROM job", "PRAGMA user_version = 9", "SELECT 1; DELETE FROM job",
            "WITH x AS (SELECT 1) DELETE FROM job", "ATTACH 'x' AS y", "SELECT nonsense", "",
            "WITH x AS (SELECT 1) INSERT INTO job SELECT * FROM job", "VACUUM INTO 'x'",
            "PRAGMA journal_mode = DELETE", "pragma query_only = 0", "DETACH main", "BEGIN",
            "COMMIT", "SAVEPOINT a", "REINDEX", "ANALYZE", "DROP TABLE job", "-- x\nDROP TABLE job",
            "/* SELECT */ DELETE FROM job", "(DELETE FROM job)", "SELECT load_extension('x')",
            "SELECT * FROM pragma_journal_mode('DELETE')", "SELECT writefile('x', 'y')",
            "CREATE TEMP TABLE t (x)", "SELECT 1 UNION DELETE FROM job",
            "SELECT\0; DELETE FROM job",
            "EXPLAIN SELECT 1; DROP TABLE job", "SELECT fts3_tokenizer('x', x'00')",
        ])
    func onlyReading(sql: String) throws {
        _ = try merged()
        let reader = try Store.openReadOnly(path: store.path)
        for query in [{ try store.query(sql) }, { try reader.query(sql) }] {
            do {
                _ = try query()
                Issue.record("accepted: \(sql)")
            } catch {
                guard case .query = error as? StoreError else {
                    Issue.record("\(error)")
                    return
                }
            }
        }
        #expect(try store.query("SELECT count(*) > 0 FROM job").rows == [[.integer(1)]])
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: folder.path).allSatisfy {
                $0.hasPrefix("a.sqlite")
            })
    }

    @Test("a query that would take too much memory is refused, and the next one runs")
    func tooLarge() throws {
        let reader = store.reader
        let rows = "WITH RECURSIVE n(x) AS (VALUES (1) UNION ALL SELECT x + 1 FROM n LIMIT 400) "
        #expect(throws: StoreError.self) {
            try reader.query(rows + "SELECT hex(zeroblob(500000)) FROM n")
        }
        #expect(throws: StoreError.self) { try reader.query("SELECT zeroblob(2000000000)") }
        #expect(try reader.query("SELECT 1").rows == [[.integer(1)]])
    }

    @Test("a query stops at its limit of rows and of time")
    func limits() throws {
        let rows = try store.query(
            "WITH RECURSIVE n(x) AS (VALUES (1) UNION ALL SELECT x + 1 FROM n) SELECT x FROM n",
            limit: 5)
        #expect(rows.rows.count == 5 && rows.isCutOff)
        #expect(throws: StoreError.queryTooSlow(seconds: 0.2)) {
            try store.reader.query(
                """
                WITH RECURSIVE n(x) AS (VALUES (1) UNION ALL SELECT x + 1 FROM n)
                SELECT count(*) FROM n
                """, seconds: 0.2)
        }
    }
}
