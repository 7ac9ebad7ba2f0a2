import FathomCoordinator
import FathomCore
import FathomProtocol
import Foundation
import Testing

/// What stands behind a leaderboard: seeds, both baselines, equal loss, agreement, cost, trouble.
@Suite("Figures behind a leaderboard")
struct LeaderboardFiguresTests {
    let folder: StoreFolder
    let store: Store
    let sweep = SyntheticSweep()

    init() throws {
        folder = try StoreFolder()
        store = try Store(path: folder.file("a.sqlite"))
    }

    private func merged() throws -> SweepID {
        let id = try store.register(sweep.plan)
        try store.apply(sweep.changes())
        try store.merge(id)
        return id
    }

    @Test("what each seed gave comes back from the store")
    func seeds() throws {
        let rows = try store.reader.leaderboard(of: try merged())
        let lsp = rows[2].seedValues
        #expect(lsp.map(\.seed) == [0, 1, 2])
        #expect(lsp.map(\.ud) == [0.5, 1, 0.5] && lsp.map(\.learnable) == [1, 2, 1])
        #expect(lsp.map(\.metric) == [0.5, 0.5, 0.5])
        #expect(abs(try #require(lsp[1].damage) - 0.42 / 0.81) < 1e-12)
        #expect(rows[2].udVanilla == rows[2].ud && rows[2].udDefended == rows[2].ud)
        #expect(rows[2].damageVanilla == rows[2].damage)
        #expect(rows.allSatisfy { $0.settings.isEmpty && $0.trouble == nil })
    }

    @Test("UD at equal loss compares checkpoints one by one")
    func matched() throws {
        let rows = try store.reader.leaderboard(of: try merged())
        // All checkpoints have one loss: two pairs a seed, and UD as it is.
        #expect(rows[2].udMatched == rows[2].ud && rows[2].matchedCount == 6)
        #expect(rows[2].udMatchedInterval == rows[2].udInterval)
        #expect(rows[0].udMatched == 1)
    }

    @Test("a method differs from controls only outside their interval")
    func controls() throws {
        let rows = try store.reader.leaderboard(of: try merged())
        #expect(rows[0].differsFromControls == nil && rows[1].differsFromControls == nil)
        // Its interval ends at 1, where the controls' begins.
        #expect(rows[2].udInterval?.high == 1 && rows[2].differsFromControls == false)
        var low = rows[2]
        low.udInterval = Interval(low: 0.4, high: 0.9)
        #expect(low.differsFromControls == true)
    }

    @Test("agreement with metric, damage and loss is kept, without controls and with")
    func agreement() throws {
        let id = try merged()
        let found = try store.reader.rankAgreements(of: id)
        #expect(found.count == 6)
        #expect(found.filter(\.includesControls).allSatisfy { $0.count == 2 && $0.rho == nil })
        #expect(found.filter { !$0.includesControls }.allSatisfy { $0.count == 1 })
    }

    @Test("agreement turns metrics so that higher is better")
    func agreementSigns() throws {
        let rows = (0..<5).map { index in
            var row = TableRows.row("m\(index)", task: "depth", position: index)
            row.ud = Double(index)
            row.metric = 0.1 * Double(index)
            row.salLoss = Double(index)
            return row
        }
        let all = RankAgreement.all(of: rows)
        let metric = try #require(all.first { $0.other == .metric && !$0.includesControls })
        #expect(metric.rho == -1 && metric.tau == -1 && metric.count == 5)
        let loss = try #require(all.first { $0.other == .salLoss })
        #expect(loss.rho == 1 && loss.interval?.high == 1)
        #expect(all.first { $0.other == .damage }?.count == 0)
    }

    @Test("costs are summed by kind, and jobs that cells share count in each")
    func costs() throws {
        let costs = try store.reader.costs(of: try merged())
        #expect(costs.count == 3)
        let lsp = try #require(costs[try label("lsp")])
        #expect(lsp.kinds["train"]?.jobs == 6 && lsp.kinds["train"]?.seconds == 6)
        #expect(lsp.kinds["sal"]?.forwardEquivalents == 12.5 * 24)
        #expect(lsp.kinds["poison"]?.jobs == 3)
        // Two shards a SAL job, a second each.
        #expect(lsp.seconds == 3 + 6 + 12 && lsp.salPerTraining == 2)
    }

    private func label(_ method: String) throws -> String {
        try store.query("SELECT label FROM cell WHERE method = '\(method)'").rows[0][0].text
    }

    @Test("a leaderboard forms while results arrive, and reads nothing twice that is finished")
    func refreshing() throws {
        let id = try store.register(sweep.plan)
        let reader = try Store.openReadOnly(path: store.path)
        var cache = ScoreCache()
        try store.refreshLeaderboard(of: id, reading: reader, cache: &cache)
        let empty = try store.reader.leaderboard(of: id)
        #expect(empty.map(\.method) == ["clean", "rand-s", "lsp"])
        #expect(empty.allSatisfy { $0.ud == nil && $0.metric == nil })
        let changes = sweep.changes()
        let lsp = sweep.plan.cells[2].runs[2].measurements[1].job
        let missing = changes.filter { StoreChangeKind.isAbout($0, job: lsp) }
        try store.apply(changes.filter { !StoreChangeKind.isAbout($0, job: lsp) })
        try store.refreshLeaderboard(of: id, reading: reader, cache: &cache)
        let halfway = try store.reader.leaderboard(of: id)
        #expect(halfway[1].ud == 1 && halfway[2].seedCount == 2)
        try store.apply(missing)
        try store.refreshLeaderboard(of: id, reading: reader, cache: &cache)
        let refreshed = try store.reader.leaderboard(of: id)
        try store.merge(id)
        #expect(try store.reader.leaderboard(of: id) == refreshed && refreshed[2].seedCount == 3)
        #expect(try store.query("SELECT count(*) FROM cellCost").rows == [[.integer(8)]])
    }

    @Test("a run that is thrown away is read again")
    func refreshingAfterForgetting() throws {
        let id = try merged()
        let reader = try Store.openReadOnly(path: store.path)
        var cache = ScoreCache()
        try store.refreshLeaderboard(of: id, reading: reader, cache: &cache)
        try store.apply([.jobForgotten(sweep.plan.cells[2].runs[0].measurements[0].job)])
        try store.refreshLeaderboard(of: id, reading: reader, cache: &cache)
        #expect(try store.reader.leaderboard(of: id)[2].seedCount == 2)
    }

    @Test("failed and blocked jobs show at their cells with the reason, now and not after merging")
    func troubles() throws {
        let id = try merged()
        let run = sweep.plan.cells[2].runs[0]
        try store.apply([
            .jobQuarantined(run.segments[0], reason: "loss is not a number"),
            .jobBlocked(run.segments[1], by: run.segments[0]),
            .jobBlocked(run.measurements[1].job, by: run.segments[0]),
        ])
        let rows = try store.reader.leaderboard(of: id)
        #expect(rows[0].trouble == nil && rows[1].trouble == nil)
        #expect(
            rows[2].trouble
                == CellTrouble(failed: 1, blocked: 2, reason: "loss is not a number"))
        #expect(rows[2].trouble?.text == "1 job failed, 2 blocked: loss is not a number")
    }
}

private enum StoreChangeKind {
    static func isAbout(_ change: StoreChange, job: JobKey) -> Bool {
        switch change {
        case .accepted(let lease, _, _): lease.job == job
        case .jobFinished(let key): key == job
        default: false
        }
    }
}

/// Rows made by hand.
enum TableRows {
    static func row(
        _ method: String, task: String = "cls", role: LeaderboardRow.Role = .method,
        position: Int = 0
    ) -> LeaderboardRow {
        let cell = ScoredCell(
            label: method + task, position: position, method: method, methodName: method,
            task: task, model: "lenet5", defense: "none", dataSet: "fashion-mnist",
            baselineGroup: "", classCount: 10, runs: [])
        return LeaderboardRow(cell: cell, role: role)
    }

    /// A row whose seeds have these metrics and damages.
    static func seeded(
        _ method: String, task: String = "cls", _ values: [Double], learnable: [Double] = []
    ) -> LeaderboardRow {
        var row = row(method, task: task)
        row.metric = Statistics.mean(values)
        row.damage = 1 - Statistics.mean(values)
        row.seedValues = values.enumerated().map { seed, value in
            .init(
                seed: seed, learnable: seed < learnable.count ? learnable[seed] : nil,
                metric: value, damage: 1 - value)
        }
        return row
    }
}

@Suite("Comparisons on a leaderboard")
struct LeaderboardComparisonTests {
    @Test("neighbours are told apart over seeds they share, corrected for their number")
    func neighbours() throws {
        let group = Leaderboard(
            [
                TableRows.seeded("strong", [0.20, 0.21, 0.19, 0.20]),
                TableRows.seeded("middle", [0.50, 0.52, 0.47, 0.51]),
                TableRows.seeded("alike", [0.51, 0.50, 0.52, 0.50]),
                TableRows.seeded("single", [0.9]),
            ], order: .damage
        ).groups[0]
        #expect(group.rows.map(\.method) == ["strong", "middle", "alike", "single"])
        let found = group.neighbours
        #expect(found[0] == nil && found[3] == nil)
        let first = try #require(found[1])
        let second = try #require(found[2])
        #expect(first.isDistinguishable && !second.isDistinguishable)
        #expect(abs(first.difference.mean - 0.3) < 1e-12)
        let raw = try #require(first.difference.pValue)
        #expect(first.pValue == 2 * raw)
    }

    @Test("counts that do not differ between seeds tell no neighbours apart")
    func constantCounts() throws {
        let rows = [
            TableRows.seeded("a", [0.5, 0.5], learnable: [1, 1]),
            TableRows.seeded("b", [0.5, 0.5], learnable: [2, 2]),
        ].map { row in
            var row = row
            row.ud = row.method == "a" ? 0.5 : 1
            row.isCalibrated = true
            return row
        }
        let found = try #require(Leaderboard(rows, order: .ud).groups[0].neighbours[1])
        #expect(found.difference.mean == 1 && found.pValue == nil && !found.isDistinguishable)
    }

    @Test("across tasks: the smallest damage, and claims corrected over tasks")
    func crossTask() throws {
        let tables = CrossTask.tables([
            TableRows.seeded("lsp", task: "cls", [0.30, 0.31, 0.29, 0.30]),
            TableRows.seeded("lsp", task: "depth", [0.97, 0.98, 0.99, 0.98]),
            TableRows.row("clean", task: "cls", role: .clean),
            TableRows.row("clean", task: "depth", role: .clean),
            TableRows.row("ops", task: "depth"),
        ])
        #expect(tables.count == 1 && tables[0].tasks == ["cls", "depth"])
        let lines = tables[0].lines
        #expect(lines.map(\.method) == ["lsp", "ops", "clean"])
        #expect(abs(try #require(lines[0].damageMin) - 0.02) < 1e-12)
        #expect(lines[0].claim(onTask: "depth")?.isNotUnlearnable == true)
        #expect(lines[0].claim(onTask: "cls")?.isNotUnlearnable == false)
        #expect(lines[1].rows[0] == nil && lines[1].claims.isEmpty)
        #expect(CrossTask.tables([TableRows.row("lsp")]).isEmpty)
    }

    @Test("cells of other settings stand in groups of their own")
    func settings() throws {
        var wide = TableRows.row("lsp")
        wide.settings = "sal.radius 0.1"
        let groups = Leaderboard([TableRows.row("lsp"), wide]).groups
        #expect(groups.count == 2)
        #expect(groups[1].title == "fashion-mnist, cls, lenet5, no defense, sal.radius 0.1")
    }

    @Test("a method's settings are named in its group's title or behind it, not in both")
    func names() {
        func name(_ method: String, _ settings: String) -> String {
            var row = TableRows.row(method)
            row.settings = settings
            return Leaderboard([row]).groups[0].name(of: row)
        }
        let title = "training.learningRate 0.1, training.momentum 0.9"
        #expect(name("lsp", title) == "lsp")
        #expect(name("lsp (momentum=0.9)", title) == "lsp")
        #expect(name("lsp (learningRate=0.1, momentum=0.9)", title) == "lsp")
        #expect(name("em-s (epsilon=0.03)", title) == "em-s (epsilon=0.03)")
        #expect(name("em-s (epsilon=0.03, momentum=0.9)", title).hasSuffix("momentum=0.9)"))
        #expect(name("lsp (momentum=0.9)", "") == "lsp (momentum=0.9)")
        #expect(name("ar (radius=0.1)", "sal.radius 0.1") == "ar (radius=0.1)")
        #expect(name("ar (momentum=0.9)", "training.momentum 0.95") == "ar (momentum=0.9)")
    }
}
