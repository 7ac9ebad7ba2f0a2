import FathomCore
import FathomCoordinator
import FathomProtocol
import Testing

/// Workers on machines that are theirs for a time only.
@Suite("The scheduler, of workers that will go,")
struct SchedulerEndingTests {
    /// Jobs that read one which took as long as they will.
    private func after(
        _ count: Int, seconds: Double, slots: Int = 1, stay: Double?
    ) -> SchedulerBench {
        let jobs = (0..<count).map { SchedulerJob.job("j\($0)", after: ["first"]) }
        var bench = SchedulerBench(jobs: [.job("first")] + jobs)
        bench.register("teacher", slots: 1)
        bench.register("w", slots: slots, secondsLeft: stay)
        bench.finish(.named("first"), on: "teacher", lease: bench.lastLease, seconds: seconds)
        return bench
    }

    @Test("gives one what it can finish, and the rest to others")
    func fits() {
        var bench = SchedulerBench(jobs: [
            .job("first"), .job("long", after: ["first"]), .job("longer", after: ["first"]),
        ])
        bench.register("stays", slots: 1)
        _ = bench.takeAssigned("stays")
        bench.register("goes", slots: 2, secondsLeft: 50)
        bench.finish(.named("first"), on: "stays", seconds: 100)
        #expect(bench.takeAssigned("goes").isEmpty)
        #expect(bench.takeAssigned("stays").count == 1)
        bench.register("comes", slots: 1, secondsLeft: 101)
        #expect(bench.takeAssigned("comes").count == 1)
    }

    @Test("gives one that has seconds left the short jobs behind the long ones")
    func shortBehindLong() {
        let long = (0..<40).map { SchedulerJob.job("long \($0)", kind: .train) }
        let short = (0..<3).map { SchedulerJob.job("short \($0)", kind: .probe) }
        var bench = SchedulerBench(jobs: long + short)
        // Nobody has measured either: a training is thought to take half a minute.
        bench.register("stays", slots: 1)
        _ = bench.takeAssigned("stays")
        bench.register("goes", slots: 3, secondsLeft: 5)
        let given = Set(bench.takeAssigned("goes").map(\.job))
        #expect(given == Set(short.map(\.key)))
    }

    @Test("cuts a range of entries to what still fits in")
    func shard() throws {
        var bench = SchedulerBench(jobs: [.job("sal", kind: .sal, entries: 100)])
        // Two seconds an entry by default, shards of thirty seconds.
        bench.register("goes", slots: 1, secondsLeft: 9)
        let lease = try #require(bench.takeAssigned("goes").first)
        #expect(lease.entries == 0..<4)
    }

    @Test("counts the work that waits on a worker already")
    func queued() {
        // Its credit allows one more behind the first, which would end too late.
        var bench = after(20, seconds: 1, stay: 1.5)
        #expect(bench.takeAssigned("w").count == 1)
        bench = after(20, seconds: 1, stay: 2.5)
        #expect(bench.takeAssigned("w").count == 2)
    }

    @Test("gives nothing to one that says that it goes now")
    func goesNow() {
        var bench = SchedulerBench(jobs: [.job("a"), .job("b")])
        bench.register("w", slots: 1)
        let held = bench.takeAssigned("w")
        #expect(held.count == 1)
        bench.register("w", slots: 1, held: held, secondsLeft: 0)
        bench.tell(.message(WorkerID("w"), .handBack(held)))
        for _ in 0..<5 {
            bench.beat("w", [])
            bench.tell(.tick)
        }
        #expect(bench.takeAssigned("w").isEmpty)
        bench.register("other", slots: 2)
        #expect(bench.takeAssigned("other").count == 2)
    }

    @Test("lets those who have just come try what takes longer than anybody stays, and tells it")
    func outlasting() {
        var bench = SchedulerBench(jobs: [.job("first"), .job("endless", after: ["first"])])
        bench.register("a", slots: 1, secondsLeft: 60)
        bench.wait(30)
        bench.finish(.named("first"), on: "a", seconds: 300)
        bench.tell(.tick)
        // Half of its time is over.
        #expect(bench.takeAssigned("a").map(\.job) == [.named("first")])
        bench.register("b", slots: 1, secondsLeft: 60)
        #expect(bench.takeAssigned("b").map(\.job) == [.named("endless")])
        let told = bench.allChanges.count { change in
            if case .event("outlastsWorkers", _, _) = change { true } else { false }
        }
        #expect(told == 1)
    }

    @Test("waits for a worker that stays, where there is one, for what others cannot finish")
    func waitsForTheLasting() {
        var bench = SchedulerBench(jobs: [
            .job("first"), .job("x", after: ["first"]), .job("y", after: ["first"]),
        ])
        bench.register("stays", slots: 1)
        bench.register("goes", slots: 1, secondsLeft: 60)
        bench.finish(.named("first"), on: "stays", seconds: 300)
        #expect(bench.takeAssigned("stays").count == 2)
        #expect(bench.takeAssigned("goes").isEmpty)
        bench.finish(bench.lastLease?.job ?? .named("x"), on: "stays", seconds: 300)
        #expect(bench.takeAssigned("stays").count == 1)
    }

    @Test("gives up at last what outlives one worker after the other, and not before")
    func outlived() {
        var bench = SchedulerBench(jobs: [.job("first"), .job("endless", after: ["first"])])
        bench.register("teacher", slots: 1)
        bench.finish(.named("first"), on: "teacher", seconds: 300)
        bench.tell(.message(WorkerID("teacher"), .goodbye))
        var tries = 0
        while !bench.scheduler.isComplete, tries < 50 {
            let name = "w\(tries)"
            bench.register(name, slots: 1, secondsLeft: 60)
            let leases = bench.takeAssigned(name)
            #expect(leases.map(\.job) == [.named("endless")])
            for _ in 0..<60 {
                bench.wait(1)
                bench.beat(name, leases)
            }
            bench.tell(.message(WorkerID(name), .handBack(leases)))
            bench.tell(.message(WorkerID(name), .goodbye))
            tries += 1
        }
        // The teacher's goodbye gave its lease back without a charge.
        #expect(tries == 20)
        let isGivenUp = bench.allChanges.contains { change in
            if case .jobQuarantined(.named("endless"), _) = change { true } else { false }
        }
        #expect(isGivenUp)
    }
}
