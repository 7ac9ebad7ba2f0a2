import FathomCore
import FathomCoordinator
import FathomProtocol
import Foundation
import Testing

@Suite("Registering and applying")
struct StoreChangeTests {
    let folder: StoreFolder
    let store: Store
    let sweep = SyntheticSweep()

    init() throws {
        folder = try StoreFolder()
        store = try Store(path: folder.file("a.sqlite"))
    }

    private func count(_ sql: String) throws -> Int {
        guard case .integer(let number) = try store.query(sql).rows[0][0] else { return -1 }
        return Int(number)
    }

    private func job(_ key: JobKey, _ id: SweepID) throws -> StoredJob {
        try #require(try store.jobs(of: id).first { $0.key == key })
    }

    @Test("registering twice changes nothing, and jobs come back as they went in")
    func twice() throws {
        let first = try store.register(sweep.plan)
        let before = try store.query("SELECT * FROM job ORDER BY id")
        #expect(try store.register(sweep.plan) == first)
        #expect(try store.query("SELECT * FROM job ORDER BY id") == before)
        let jobs = try store.jobs(of: first)
        #expect(jobs.map(\.key) == sweep.plan.jobs.map(\.key))
        #expect(jobs.map(\.spec) == sweep.plan.jobs.map(\.spec))
        #expect(jobs.allSatisfy { $0.state == .open && $0.attemptsUsed == 0 })
        #expect(try count("SELECT count(*) FROM runJob") == 3 * 3 * 4 + 2 * 3)
    }

    @Test("cells and seeds out of the plan are hidden, and come back with it")
    func hidden() throws {
        let id = try store.register(sweep.plan)
        try store.apply(sweep.changes())
        let smaller = SyntheticSweep(methods: ["clean"], seeds: 2)
        #expect(try store.register(smaller.plan) == id)
        #expect(try store.jobs(of: id).count == smaller.plan.jobs.count)
        #expect(try store.jobs(of: id).allSatisfy { $0.state == .finished })
        try store.merge(id)
        #expect(try count("SELECT count(*) FROM leaderboard") == 1)
        #expect(try count("SELECT count(DISTINCT seed) FROM salMatrix") == 2)
        _ = try store.register(sweep.plan)
        try store.merge(id)
        #expect(try count("SELECT count(*) FROM leaderboard") == 3)
        #expect(try count("SELECT count(*) FROM sal") == 3 * 3 * 2 * 4)
    }

    @Test("a restart finds what is finished, what is begun, and its artifacts")
    func resume() throws {
        let id = try store.register(sweep.plan)
        let run = sweep.plan.cells[0].runs[0]
        let shard = sweep.measured(run.measurements[0].job, [0, 0, 2, 2], seconds: 1)[0]
        let outcome = sweep.trained(run.segments[0], 2, accuracy: 0.5, seconds: 1)
        try store.apply(sweep.finished(run.segments[0], outcome) + [shard])
        let trained = try job(run.segments[0], id)
        #expect(trained.state == .finished && trained.artifacts == outcome.artifacts)
        let measured = try job(run.measurements[0].job, id)
        #expect(measured.state == .open && measured.entriesFinished == [0, 1, 2])
        #expect(measured.attemptsUsed == 1 && measured.attemptsCharged == 0)
    }

    @Test("what was accepted comes back for comparison, bit for bit but for the seconds")
    func accepted() throws {
        _ = try store.register(sweep.plan)
        let run = sweep.plan.cells[1].runs[0]
        let job = run.measurements[0].job
        var odd = SyntheticSweep.salRow(0, 0.1 + 0.2, flag: "diverged")
        odd.measurement.up.losses = [0.1, .nan]
        odd.measurement.up.diverged = true
        let outcome = JobOutcome(sal: [odd, SyntheticSweep.salRow(1, 1.0 / 3)], seconds: 5)
        let lease = sweep.lease(job, 0..<2)
        #expect(try store.acceptedOutcome(of: lease) == nil)
        try store.apply([.accepted(lease, worker: sweep.worker, outcome: outcome)])
        let kept = try #require(try store.acceptedOutcome(of: lease))
        #expect(OutcomeComparison.difference(accepted: kept, late: outcome) == nil)
        #expect(kept.seconds == 0 && kept.sal[1] == outcome.sal[1])
        #expect(try store.acceptedOutcome(of: sweep.lease(job, 0..<3)) == nil)
        var late = outcome
        late.sal[1].measurement.sMin = (1.0 / 9).nextUp
        let told = try #require(OutcomeComparison.difference(accepted: kept, late: late))
        #expect(told.contains("conv2 sMin"))
    }

    @Test("metrics, reports and artifacts survive the round trip")
    func otherOutcomes() throws {
        _ = try store.register(sweep.plan)
        let run = sweep.plan.cells[1].runs[0]
        var outcome = sweep.trained(run.segments[0], 2, accuracy: 1.0 / 7, seconds: 1)
        outcome.metrics.append(
            MetricRow(epoch: 2, task: "cls", split: "test", name: "loss", value: .nan))
        outcome.poison = PoisonReport(
            numbers: ["ratio": .infinity, "maxChange": 0.1], words: ["kind": "classWise"])
        let lease = sweep.lease(run.segments[0])
        try store.apply([.accepted(lease, worker: sweep.worker, outcome: outcome)])
        let kept = try #require(try store.acceptedOutcome(of: lease))
        #expect(OutcomeComparison.difference(accepted: kept, late: outcome) == nil)
        outcome.metrics[0].value = 1.0 / 7 + 1e-16
        #expect(OutcomeComparison.difference(accepted: kept, late: outcome) != nil)
        #expect(
            try store.query("SELECT value, flag FROM metric WHERE name = 'loss' AND split = 'test'")
                .rows == [[.null, .text("not finite")]])
    }

    @Test("charged and lost attempts are told apart, and reopening forgives them")
    func failures() throws {
        let id = try store.register(sweep.plan)
        let key = sweep.plan.jobs[0].key
        let reasons: [FailureReason] = [.error, .workerLost, .slotDeath, .handedBack]
        try store.apply(
            reasons.enumerated().map { index, reason in
                .attemptFailed(
                    sweep.lease(key, attempt: index + 1), worker: sweep.worker, reason: reason,
                    error: "it broke", logTail: String(repeating: "x", count: 100_000))
            } + [.jobQuarantined(key, reason: "failed 3 times: it broke")])
        var stored = try job(key, id)
        #expect(stored.state == .quarantined && stored.attemptsUsed == 4)
        #expect(stored.attemptsCharged == 2 && stored.attemptsLost == 1)
        #expect(try count("SELECT max(length(logTail)) FROM attempt") <= 65_537)
        #expect(
            try store.query("SELECT state, reason FROM problem").rows
                == [[.text("quarantined"), .text("failed 3 times: it broke")]])
        try store.apply([.jobReopened(key)])
        stored = try job(key, id)
        #expect(stored.state == .open && stored.attemptsUsed == 4)
        #expect(stored.attemptsCharged == 0 && stored.attemptsLost == 0)
    }

    @Test("an attempt has one row, a late acceptance wins over its loss, and nothing over that")
    func uniqueness() throws {
        _ = try store.register(sweep.plan)
        let key = sweep.plan.cells[0].runs[0].segments[0]
        let lease = sweep.lease(key)
        let lost = StoreChange.attemptFailed(
            lease, worker: sweep.worker, reason: .workerLost, error: "silent", logTail: "")
        let taken = StoreChange.accepted(
            lease, worker: sweep.worker,
            outcome: sweep.trained(key, 2, accuracy: 0.5, seconds: 2))
        try store.apply([lost, taken, lost, taken])
        #expect(
            try store.query("SELECT state, error FROM attempt").rows == [
                [.text("accepted"), .null]
            ])
        #expect(try count("SELECT count(*) FROM metric") == 2)
    }

    @Test("a disagreement is kept, shown as a problem, and leaves the accepted rows alone")
    func disagreement() throws {
        _ = try store.register(sweep.plan)
        let key = sweep.plan.cells[0].runs[0].segments[0]
        try store.apply(
            sweep.finished(key, sweep.trained(key, 2, accuracy: 0.5, seconds: 1)) + [
                .disagreement(
                    sweep.lease(key, attempt: 2), worker: WorkerID("other"),
                    detail: "epoch 2 cls test accuracy: 0.5 was accepted, 0.6 came later")
            ])
        let problems = try store.query("SELECT method, kind, state, reason FROM problem").rows
        #expect(problems.count == 1 && problems[0][2] == .text("disagreement"))
        #expect(try count("SELECT count(*) FROM attempt WHERE state = 'disagreed'") == 1)
        #expect(try count("SELECT count(*) FROM metric WHERE value = 0.6") == 0)
    }

    @Test("all of a list or none of it")
    func atomic() throws {
        let id = try store.register(sweep.plan)
        let known = sweep.plan.jobs[0].key
        let stranger = JobKey(Digest(of: Array("stranger".utf8)))
        #expect(throws: StoreError.unknownJob(stranger.description)) {
            try store.apply([.jobFinished(known), .jobFinished(stranger)])
        }
        #expect(try job(known, id).state == .open)
    }

    @Test("a plan whose runs name jobs it lacks is refused whole")
    func contradiction() throws {
        var plan = sweep.plan
        plan.jobs.removeLast()
        #expect(throws: StoreError.self) { _ = try store.register(plan) }
        #expect(try count("SELECT count(*) FROM sweep") == 0)
    }

    @Test("100,000 changes take seconds, not minutes")
    func fast() throws {
        let jobs = (0..<50_000).map { number in
            let spec = JobSpec(.probe(ProbeSpec(number: number)), revision: 1)
            return PlannedJob(spec: spec, entryCount: 1)
        }
        let plan = SweepPlan(
            name: "probes", manifest: "{}", cells: [], jobs: jobs, comparison: .init())
        let clock = ContinuousClock()
        var id: SweepID?
        let registering = try clock.measure { id = try store.register(plan) }
        let changes = jobs.flatMap { sweep.finished($0.key, JobOutcome(seconds: 0.001)) }
        let applying = try clock.measure { try store.apply(changes) }
        var states: Set<StoredJob.State> = []
        let loading = try clock.measure {
            states = Set(try store.jobs(of: #require(id)).map(\.state))
        }
        #expect(states == [.finished])
        // Generous, because the machine may be busy; a missing index takes far longer.
        #expect(applying < .seconds(20) && registering < .seconds(30) && loading < .seconds(30))
    }
}
