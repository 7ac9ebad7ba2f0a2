import FathomCore
import FathomCoordinator
import FathomProtocol
import Testing

@Suite("Landscapes in the store")
struct StoreLandscapeTests {
    private let folder: StoreFolder
    private let store: Store
    private let plan: SweepPlan
    private let job: JobKey
    /// A second plane of the same run.
    private let other: JobKey
    private let id: SweepID

    init() throws {
        folder = try StoreFolder()
        store = try Store(path: folder.file("a.sqlite"))
        var plan = SyntheticSweep(methods: ["clean"], seeds: 1).plan
        let run = plan.cells[0].runs[0]
        guard case .sal(let sal)? = plan.jobs.last?.spec.body else { throw Unexpected() }
        let planned = [LandscapeSettings.Plane.trajectory, .random].map { plane in
            let spec = LandscapeSpec(
                data: sal.data, poison: nil, task: "cls", model: sal.model,
                checkpoints: run.segments,
                settings: LandscapeSettings(plane: plane, points: 3, reach: 0.25), seed: 0)
            return PlannedJob(
                spec: JobSpec(.landscape(spec), revision: 1), entryCount: spec.settings.entryCount)
        }
        plan.jobs += planned
        plan.cells[0].runs[0].landscapes = planned.map(\.key)
        self.plan = plan
        (job, other) = (planned[0].key, planned[1].key)
        id = try store.register(plan)
    }

    private struct Unexpected: Error {}

    private func outcome(_ entries: Range<Int>) -> JobOutcome {
        JobOutcome(
            landscape: entries.map {
                LandscapePoint(
                    entry: $0, x: Double($0 % 3), y: Double($0 / 3), loss: $0 == 4 ? nil : 0.1,
                    accuracy: $0 == 4 ? nil : 0.5, flag: $0 == 4 ? "diverged" : nil)
            },
            plane: PlaneReport(
                plane: .trajectory, epoch: 4, loss: 0.3, accuracy: 0.9, lengthX: 1, lengthY: 1,
                explainedX: 0.75, explainedY: 0.125,
                steps: [
                    .init(epoch: 2, x: 1.5, y: -0.5, distance: 0.25),
                    .init(epoch: 4, x: 0, y: 0, distance: 0),
                ]), seconds: 1)
    }

    private func accepted(
        _ entries: Range<Int>, attempt: Int, of key: JobKey? = nil,
        plane: LandscapeSettings.Plane = .trajectory
    ) -> StoreChange {
        var outcome = outcome(entries)
        outcome.plane?.plane = plane
        return .accepted(
            Lease(job: key ?? job, attempt: attempt, term: 1, entries: entries),
            worker: WorkerID("w"), outcome: outcome)
    }

    private func stored() throws -> StoredJob {
        try #require(try store.jobs(of: id).first { $0.key == job })
    }

    @Test("come back as they came, shard by shard")
    func roundTrip() throws {
        try store.apply([accepted(2..<9, attempt: 1)])
        #expect(try stored().entriesFinished == Set(2..<9))
        #expect(try store.acceptedOutcome(of: job, entries: 0..<9) == nil)
        try store.apply([accepted(0..<2, attempt: 2), .jobFinished(job)])
        let back = try #require(try store.acceptedOutcome(of: job, entries: 0..<9))
        #expect(OutcomeComparison.difference(accepted: back, late: outcome(0..<9)) == nil)
        #expect(back.landscape == outcome(0..<9).landscape && back.plane == outcome(0..<9).plane)
        var other = outcome(0..<9)
        other.landscape[3].loss = 0.1.nextUp
        #expect(
            OutcomeComparison.difference(accepted: back, late: other)?.contains("point 3 loss")
                == true)
        other = outcome(0..<9)
        other.plane?.steps[0].distance = 0.5
        #expect(
            OutcomeComparison.difference(accepted: back, late: other)?.contains("distance")
                == true)
    }

    @Test("are shown by stable views, exported, and thrown away with their job")
    func views() throws {
        try store.apply([accepted(0..<9, attempt: 1), .jobFinished(job)])
        let surface = try store.query("SELECT entry, x, y, loss, flag FROM lossSurface ORDER BY 1")
        #expect(surface.rows.count == 9)
        #expect(surface.rows[4] == [.integer(4), .real(1), .real(1), .null, .text("diverged")])
        let plane = try store.query("SELECT plane, epoch, explainedX FROM lossPlane")
        #expect(plane.rows == [[.text("trajectory"), .integer(4), .real(0.75)]])
        let steps = try store.query("SELECT epoch, x, distance FROM lossTrajectory ORDER BY epoch")
        #expect(steps.rows.count == 2 && steps.rows[0] == [.integer(2), .real(1.5), .real(0.25)])
        let progress = try store.query("SELECT done, total FROM progress WHERE kind = 'landscape'")
        #expect(progress.rows == [[.integer(1), .integer(2)]])
        let files = try store.export(id, to: folder.file("out"), format: .csv)
        #expect(files.filter { $0.contains("results/loss") }.count == 3)
        try store.apply([.jobForgotten(job)])
        #expect(try store.query("SELECT * FROM lossSurface").rows.isEmpty)
        #expect(try store.query("SELECT * FROM lossTrajectory").rows.isEmpty)
        #expect(try stored().state == .open && stored().entriesFinished.isEmpty)
    }

    @Test("are drawn in the report, each kind in a figure of its own, and what is left out is said")
    func report() throws {
        try store.apply([
            accepted(0..<9, attempt: 1), .jobFinished(job),
            accepted(0..<9, attempt: 1, of: other, plane: .random), .jobFinished(other),
        ])
        func page(_ limits: ReportLimits) throws -> ParsedPage {
            let data = try store.reader.report(of: id, limits: limits)
            let origin = ReportPage.Origin(program: "Fathom", time: "now")
            return ParsedPage(ReportPage(data, limits: limits, origin: origin).html)
        }
        let whole = try page(ReportLimits())
        #expect(whole.problem == nil)
        for kind in ["random", "trajectory"] {
            #expect(whole.ids.contains("landscape-\(kind)-g1"))
            let csv = try #require(whole.data("landscape-\(kind)-g1.csv"))
            #expect(csv.split(separator: "\n").count == 1 + 9)
        }
        #expect(whole.text.contains("first direction (L2 distance; 75 % of the spread)"))
        #expect(!whole.text.contains("planes are drawn"))
        #expect(try page(ReportLimits(landscapes: 1)).text.contains("1 of 2 planes are drawn"))
    }

    @Test("stay finished when their sweep is registered again")
    func registeredAgain() throws {
        try store.apply([accepted(0..<9, attempt: 1), .jobFinished(job)])
        #expect(try store.register(plan) == id)
        #expect(try stored().state == .finished)
    }
}
