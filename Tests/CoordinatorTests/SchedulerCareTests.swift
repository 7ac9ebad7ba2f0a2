import FathomCore
import FathomCoordinator
import FathomProtocol
import Testing

/// What the scheduler does for those who watch it, and about workers that are slow, new or bad.
@Suite("The scheduler's care")
struct SchedulerCareTests {
    private func failures(_ bench: SchedulerBench) -> [FailureReason] {
        bench.allChanges.compactMap { change in
            if case .attemptFailed(_, _, let reason, _, _) = change { reason } else { nil }
        }
    }

    // MARK: Steering

    @Test("starts a paused job only once it is resumed")
    func pause() {
        var bench = SchedulerBench(jobs: [.job("a"), .job("b")])
        bench.tell(.pause(.named("a")))
        bench.register("w", slots: 2)
        #expect(bench.takeAssigned("w").map(\.job) == [.named("b")])
        bench.finish(.named("b"), on: "w")
        #expect(!bench.scheduler.isComplete)
        #expect(bench.scheduler.progress.paused == 1)
        bench.tell(.resume(.named("a")))
        #expect(bench.takeAssigned("w").map(\.job) == [.named("a")])
        #expect(bench.allChanges.contains(.jobPaused(.named("a"))))
        #expect(bench.allChanges.contains(.jobResumed(.named("a"))))
    }

    @Test("computes a forgotten job again before those that read it")
    func forget() {
        var bench = SchedulerBench(jobs: [.job("a"), .job("b", after: ["a"])])
        bench.register("w", slots: 2)
        bench.finish(.named("a"), on: "w")
        let running = bench.lastLease
        #expect(running?.job == .named("b"))
        _ = bench.takeAssigned("w")
        bench.tell(.forget(.named("a")))
        #expect(bench.effects.contains(.store(.jobForgotten(.named("a")))))
        #expect(
            bench.effects.contains { effect in
                if case .send(_, .cancel(let leases)) = effect {
                    leases == [running]
                } else {
                    false
                }
            })
        #expect(bench.takeAssigned("w").map(\.job) == [.named("a")])
        bench.finish(.named("a"), on: "w")
        bench.finish(.named("b"), on: "w")
        #expect(bench.scheduler.isComplete)
    }

    // MARK: Restart

    @Test("gives nothing out after a restart before workers said what they hold")
    func reunion() {
        let held = Lease(job: .named("a"), attempt: 1, term: 1, entries: 0..<1)
        var bench = SchedulerBench(jobs: [.job("a"), .job("b")], term: 2, awaited: ["v", "w"])
        bench.tell(.tick)
        bench.register("v", slots: 2)
        #expect(bench.takeAssigned("v").isEmpty)
        bench.register("w", slots: 1, held: [held])
        #expect(bench.takeAssigned("v").map(\.job) == [.named("b")])
        #expect(bench.takeAssigned("w").isEmpty)
    }

    @Test("waits a second for them and no longer")
    func missing() {
        var bench = SchedulerBench(jobs: [.job("a")], term: 2, awaited: ["gone"])
        bench.register("w", slots: 1)
        bench.tell(.tick)
        #expect(bench.takeAssigned("w").isEmpty)
        bench.wait(1.3)
        bench.tell(.tick)
        #expect(bench.takeAssigned("w").count == 1)
        #expect(bench.allChanges.contains(.workerGone(WorkerID("gone"))))
    }

    // MARK: Bad and slow workers

    @Test("charges no job for a worker that fails everything, and gives it one job at a time")
    func probation() {
        var bench = SchedulerBench(jobs: (0..<40).map { .job("j\($0)") })
        bench.register("bad", slots: 4)
        bench.register("good", slots: 1)
        for _ in 0..<12 {
            for lease in bench.takeAssigned("bad") { bench.fail(lease, on: "bad") }
        }
        #expect(bench.takeAssigned("bad").count <= 1)
        let reasons = failures(bench)
        #expect(reasons.prefix(4).allSatisfy { $0 == .error })
        #expect(reasons.dropFirst(4).allSatisfy { $0 == .probation })
        #expect(reasons.count > 8)
        let events = bench.allChanges.count { change in
            if case .event("probation", "bad", _) = change { true } else { false }
        }
        #expect(events == 1)
        #expect(bench.scheduler.checkInvariants() == [])
    }

    @Test("still gives up what fails everywhere when the only worker fails everything")
    func onlyWorker() {
        var bench = SchedulerBench(jobs: (0..<4).map { .job("j\($0)") })
        bench.register("w", slots: 1)
        for _ in 0..<40 {
            for lease in bench.takeAssigned("w") { bench.fail(lease, on: "w") }
        }
        #expect(bench.scheduler.isComplete)
        #expect(failures(bench).allSatisfy { $0 == .error })
    }

    @Test("gives what takes far too long to an idle worker too, and takes the first result")
    func straggler() throws {
        var bench = SchedulerBench(jobs: [.job("a"), .job("b")])
        bench.register("slow", slots: 1)
        bench.register("quick", slots: 1)
        let slow = try #require(bench.takeAssigned("slow").first)
        let quick = try #require(bench.takeAssigned("quick").first)
        bench.tell(.message(WorkerID("quick"), .result(quick, JobOutcome(seconds: 1))))
        for _ in 0..<8 {
            bench.wait(1)
            bench.beat("slow", [slow])
            bench.beat("quick", [])
            bench.tell(.tick)
        }
        let spare = try #require(bench.takeAssigned("quick").first)
        #expect(spare.job == slow.job && spare.attempt == 2)
        bench.tell(.message(WorkerID("quick"), .result(spare, JobOutcome(seconds: 1))))
        #expect(bench.scheduler.isComplete)
        #expect(bench.effects.contains(.send(WorkerID("slow"), .cancel([slow]))))
    }

    // MARK: Audits

    @Test("has finished jobs computed again, on another worker, and compared")
    func audit() throws {
        var bench = SchedulerBench(jobs: [.job("a")], auditShare: 1)
        bench.register("v", slots: 1)
        bench.register("w", slots: 1)
        let first = try #require(bench.takeAssigned("v").first)
        bench.tell(.message(WorkerID("v"), .result(first, JobOutcome(seconds: 1))))
        #expect(!bench.scheduler.isComplete)
        #expect(bench.takeAssigned("v").isEmpty)
        let again = try #require(bench.takeAssigned("w").first)
        let outcome = JobOutcome(seconds: 2)
        bench.tell(.message(WorkerID("w"), .result(again, outcome)))
        #expect(
            bench.effects.contains(.compare(again, worker: WorkerID("w"), outcome: outcome)))
        #expect(bench.scheduler.isComplete)
    }

    @Test("gives an audit up after three failures, and keeps the result")
    func failingAudit() throws {
        var bench = SchedulerBench(jobs: [.job("a")], auditShare: 1)
        bench.register("w", slots: 1)
        let first = try #require(bench.takeAssigned("w").first)
        bench.tell(.message(WorkerID("w"), .result(first, JobOutcome(seconds: 1))))
        for _ in 0..<3 {
            let again = try #require(bench.takeAssigned("w").first)
            bench.fail(again, on: "w")
        }
        #expect(bench.scheduler.isComplete)
        #expect(bench.takeAssigned("w").isEmpty)
        let isTold = bench.allChanges.contains { change in
            if case .event("auditFailed", _, _) = change { true } else { false }
        }
        #expect(isTold)
    }

    // MARK: Size

    /// Nothing here is timed: 10 ms a step is a bench's business (`Benchmarks/README.md`). What is
    /// counted is the work of a step, which must not grow with the cluster.
    @Test("never gives out more than so many leases in one step")
    func boundedSteps() {
        var settings = SchedulerSettings(term: 1, build: "test")
        settings.awaited = [WorkerID("never")]
        var scheduler = Scheduler(
            settings: settings, jobs: (0..<6_000).map { .job("j\($0)") })
        let facts = WorkerFacts(
            host: "h", processID: 1, slots: 1, build: "test", numericClass: "n")
        let hello = Hello(facts: facts, held: [], unacknowledged: [])
        var now = Instant(nanoseconds: 0)
        for worker in 0..<3_000 {
            _ = scheduler.handle(.message(WorkerID("w\(worker)"), .hello(hello)), at: now)
        }
        _ = scheduler.handle(.tick, at: now)
        now = now + 2
        var given: [Int] = []
        var effects = scheduler.handle(.tick, at: now)
        while true {
            given.append(effects.count { if case .assign = $0 { true } else { false } })
            guard scheduler.hasMore else { break }
            effects = scheduler.handle(.proceed, at: now)
        }
        #expect(given.reduce(0, +) == 3_000)
        #expect(given.allSatisfy { $0 <= 1_024 })
        // All fall silent at once: no step ends them all.
        now = now + 5
        _ = scheduler.handle(.tick, at: now)
        var lost = 0
        while scheduler.progress.workers > 0 {
            now = now + 5
            let ended = scheduler.handle(.tick, at: now).count {
                if case .store(.workerGone) = $0 { true } else { false }
            }
            #expect(ended <= 64)
            lost += ended
        }
        #expect(lost == 3_000)
    }
}
