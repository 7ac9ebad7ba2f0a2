import FathomCore
import FathomCoordinator
import FathomProtocol
import Testing

@Suite("The scheduler")
struct SchedulerTests {
    @Test("assigns a job only after those it reads, and ends when none is open")
    func dependencies() {
        var bench = SchedulerBench(jobs: [.job("a"), .job("b", after: ["a"])])
        bench.register("w", slots: 2)
        #expect(bench.takeAssigned("w").map(\.job) == [.named("a")])
        bench.finish(.named("a"), on: "w")
        #expect(bench.takeAssigned("w").map(\.job) == [.named("b")])
        bench.finish(.named("b"), on: "w")
        #expect(bench.scheduler.isComplete)
        #expect(bench.effects.last == .finished)
    }

    @Test("tries one job of each kind early, so that the time left is soon known")
    func pioneers() {
        let poisons = (0..<4).map { SchedulerJob.job("poison \($0)", kind: .poison) }
        let trainings = (0..<4).map {
            SchedulerJob.job("train \($0)", kind: .train, after: ["poison \($0)"])
        }
        var bench = SchedulerBench(jobs: poisons + trainings)
        bench.register("w", slots: 1)
        let guess = bench.scheduler.progress
        #expect(guess.secondsLeft > 0 && guess.secondsGuessed == guess.secondsLeft)
        bench.finish(.named("poison 0"), on: "w", seconds: 2)
        #expect(bench.takeAssigned("w").map(\.job) == [.named("poison 0"), .named("train 0")])
        let half = bench.scheduler.progress
        #expect(half.secondsGuessed > 0 && half.secondsLeft == half.secondsGuessed + 3 * 2)
        bench.finish(.named("train 0"), on: "w", seconds: 4)
        let known = bench.scheduler.progress
        #expect(known.secondsGuessed == 0 && known.secondsLeft == 3 * 2 + 3 * 4)
        #expect(bench.takeAssigned("w").map(\.job) == [.named("poison 1")])
    }

    @Test("takes many messages in one step as it would one by one")
    func batches() {
        let jobs = (0..<40).map { SchedulerJob.job("job \($0)") }
        func decided(together: Bool) -> (changes: [StoreChange], acknowledged: Set<Lease>) {
            var bench = SchedulerBench(jobs: jobs)
            bench.register("w", slots: 40)
            let results = bench.takeAssigned("w").map { lease in
                WorkerMessage.result(lease, JobOutcome(seconds: 1))
            }
            #expect(results.count == 40)
            var acknowledged: Set<Lease> = []
            let events: [SchedulerEvent] =
                together
                ? [.messages(WorkerID("w"), results)]
                : results.map { .message(WorkerID("w"), $0) }
            for event in events {
                bench.tell(event)
                for case .send(_, .acknowledge(let leases)) in bench.effects {
                    acknowledged.formUnion(leases)
                }
            }
            return (bench.allChanges, acknowledged)
        }
        let (one, all) = (decided(together: false), decided(together: true))
        #expect(one.changes == all.changes)
        #expect(one.acknowledged == all.acknowledged && all.acknowledged.count == 40)
    }

    @Test("stores a result before it acknowledges it")
    func durableFirst() throws {
        var bench = SchedulerBench(jobs: [.job("a")])
        bench.register("w", slots: 1)
        bench.finish(.named("a"), on: "w")
        let stored = try #require(
            bench.effects.firstIndex {
                if case .store(.accepted) = $0 { true } else { false }
            })
        let told = try #require(
            bench.effects.firstIndex {
                if case .send(_, .acknowledge) = $0 { true } else { false }
            })
        #expect(stored < told)
    }

    @Test("gives a job up after three charged failures and blocks what needs it")
    func quarantine() {
        var bench = SchedulerBench(jobs: [.job("a"), .job("b", after: ["a"])])
        bench.register("w", slots: 1)
        for _ in 0..<3 {
            for lease in bench.takeAssigned("w") { bench.fail(lease, on: "w") }
        }
        #expect(bench.scheduler.isComplete)
        let changes = bench.allChanges
        let isGivenUp = changes.contains {
            if case .jobQuarantined(.named("a"), _) = $0 { true } else { false }
        }
        #expect(isGivenUp)
        #expect(changes.contains(.jobBlocked(.named("b"), by: .named("a"))))
        #expect(bench.scheduler.progress.secondsLeft == 0, "nothing is left to compute")
        bench.tell(.retry(.named("a")))
        #expect(bench.takeAssigned("w").map(\.job) == [.named("a")])
    }

    @Test("tries a failed job on another worker where there is one")
    func otherWorker() {
        var bench = SchedulerBench(jobs: [.job("a")])
        bench.register("v", slots: 1)
        bench.register("w", slots: 1)
        for lease in bench.takeAssigned("v") { bench.fail(lease, on: "v") }
        #expect(bench.takeAssigned("v").isEmpty)
        #expect(bench.takeAssigned("w").count == 1)
    }

    @Test("gives the leases of a silent worker to others, and charges nobody")
    func lostWorker() {
        var bench = SchedulerBench(jobs: [.job("a")])
        bench.register("v", slots: 1)
        _ = bench.takeAssigned("v")
        bench.register("w", slots: 1)
        for _ in 0..<20 {
            bench.wait(1)
            bench.tell(.message(WorkerID("w"), .heartbeat([])))
            bench.tell(.tick)
        }
        #expect(bench.takeAssigned("w").map(\.job) == [.named("a")])
        let reasons = bench.allChanges.compactMap { change in
            if case .attemptFailed(_, _, let reason, _, _) = change { reason } else { nil }
        }
        #expect(reasons == [.workerLost])
    }

    @Test("takes a late result while the job is open, and has a later one compared")
    func lateResult() throws {
        var bench = SchedulerBench(jobs: [.job("a")])
        bench.register("v", slots: 1)
        let first = try #require(bench.takeAssigned("v").first)
        bench.tell(.workerLost(WorkerID("v")))
        bench.register("w", slots: 1)
        let second = try #require(bench.takeAssigned("w").first)
        bench.tell(.message(WorkerID("v"), .result(first, JobOutcome(seconds: 1))))
        #expect(bench.scheduler.isComplete)
        #expect(bench.effects.contains(.send(WorkerID("w"), .cancel([second]))))
        bench.tell(.message(WorkerID("w"), .result(second, JobOutcome(seconds: 1))))
        #expect(bench.effects.contains { if case .compare = $0 { true } else { false } })
    }

    @Test("lets a worker go on with what it held when the coordinator comes back")
    func inventory() {
        var bench = SchedulerBench(jobs: [.job("a"), .job("b")], term: 2)
        let held = Lease(job: .named("a"), attempt: 1, term: 1, entries: 0..<1)
        bench.register("w", slots: 2, held: [held])
        #expect(bench.takeAssigned("w").map(\.job) == [.named("b")])
        bench.tell(.message(WorkerID("w"), .result(held, JobOutcome(seconds: 1))))
        bench.finish(.named("b"), on: "w", lease: bench.lastLease)
        #expect(bench.scheduler.isComplete)
    }

    @Test("cuts SAL jobs into shards, each entry in one lease")
    func shards() {
        var bench = SchedulerBench(jobs: [.job("s", kind: .sal, entries: 10)], shardEntries: 4)
        bench.register("v", slots: 1)
        bench.register("w", slots: 2)
        let ranges = (bench.takeAssigned("v") + bench.takeAssigned("w")).map(\.entries)
        #expect(Set(ranges) == [0..<4, 4..<8, 8..<10])
    }

    @Test("sizes shards by what entries were measured to cost, and smaller at the end")
    func shardsByCost() throws {
        var bench = SchedulerBench(jobs: [.job("s", kind: .sal, entries: 40)])
        func answer(_ lease: Lease, secondsEach: Double) -> SchedulerEvent {
            let rows = lease.entries.map { entry in
                SALRow(
                    layerIndex: entry,
                    measurement: SALMeasurement(
                        layer: "l", weightCount: 1, weightNorm: 1, originLoss: 1,
                        originAccuracy: 1, down: SALWalk(), up: SALWalk(), sMax: 1, sMin: 0,
                        sal: 1, salAccuracy: 0, flag: nil, forwardEquivalents: 1))
            }
            let seconds = secondsEach * Double(rows.count)
            return .message(
                WorkerID("w"), .result(lease, JobOutcome(sal: rows, seconds: seconds)))
        }
        bench.register("w", slots: 1)
        // Nothing is known yet: two seconds an entry are guessed, and a shard is to take thirty.
        let first = try #require(bench.takeAssigned("w").first)
        #expect(first.entries.count == 15)
        // They took three seconds each, so that the next shard has ten.
        bench.tell(answer(first, secondsEach: 3))
        let second = try #require(bench.takeAssigned("w").first)
        #expect(second.entries.count == 10)
        // These took no time, which is believed by a quarter.
        bench.tell(answer(second, secondsEach: 0))
        #expect(bench.takeAssigned("w").map(\.entries.count) == [13])
        // Two entries are left for five slots.
        bench.register("v", slots: 4)
        #expect(bench.takeAssigned("v").map(\.entries.count) == [1, 1])
    }

    @Test("refuses an outcome without the layers that were asked for")
    func incompleteOutcome() throws {
        var bench = SchedulerBench(jobs: [.job("s", kind: .sal, entries: 2)], shardEntries: 2)
        bench.register("w", slots: 1)
        let lease = try #require(bench.takeAssigned("w").first)
        bench.tell(.message(WorkerID("w"), .result(lease, JobOutcome(seconds: 1))))
        #expect(bench.allChanges.contains { if case .attemptFailed = $0 { true } else { false } })
    }

    @Test("refuses a worker of another build or numeric class, and says why")
    func refusals() {
        var bench = SchedulerBench(jobs: [.job("a")])
        bench.register("v", slots: 1, build: "other")
        #expect(bench.refusals.count == 1)
        bench.register("w", slots: 1)
        bench.register("x", slots: 1, numericClass: "other")
        #expect(bench.refusals.count == 2)
    }

    @Test("lets tiny jobs flow ahead of their results, long ones not")
    func credit() {
        var bench = SchedulerBench(jobs: (0..<9_000).map { .job("j\($0)") })
        bench.register("w", slots: 2)
        var held = bench.takeAssigned("w")
        #expect(held.count == 2)
        bench.tell(.message(WorkerID("w"), .result(held.removeFirst(), JobOutcome(seconds: 1e-5))))
        #expect(bench.takeAssigned("w").count + held.count == 4_096)
    }

    @Test("starts with the longest remaining path")
    func order() {
        let jobs = [SchedulerJob.job("short"), .job("long"), .job("end", after: ["long"])]
        var bench = SchedulerBench(jobs: jobs)
        bench.register("w", slots: 1)
        #expect(bench.takeAssigned("w").map(\.job) == [.named("long")])
    }

    @Test("hands 200,000 jobs out without growing slow")
    func manyJobs() {
        let jobs = (0..<200_000).map { SchedulerJob.job("j\($0)") }
        var bench = SchedulerBench(jobs: jobs, checks: false)
        bench.register("w", slots: 4)
        var finished = 0
        while finished < 200_000 {
            let leases = bench.takeAssigned("w")
            if leases.isEmpty { break }
            for lease in leases {
                bench.tell(.message(WorkerID("w"), .result(lease, JobOutcome(seconds: 1e-5))))
            }
            finished += leases.count
        }
        #expect(finished == 200_000)
        #expect(bench.scheduler.isComplete)
        #expect(bench.scheduler.checkInvariants().isEmpty)
    }
}
