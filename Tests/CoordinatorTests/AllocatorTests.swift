import FathomCore
import FathomCoordinator
import FathomProtocol
import Testing

@Suite("The allocator")
struct AllocatorTests {
    private let settings = AllocatorSettings(
        allocationsMax: 10, slotsPerAllocation: 4, wallSeconds: 3_600, backlogSecondsPerSlot: 60)

    private func informed(_ settings: AllocatorSettings) -> Allocator {
        var allocator = Allocator(settings: settings)
        _ = allocator.handle(.load(secondsLeft: 0, entriesLeft: 0), at: instant(0))
        _ = allocator.handle(.status([:]), at: instant(0))
        return allocator
    }

    private func instant(_ seconds: Double) -> Instant {
        Instant(nanoseconds: 1_000_000_000) + seconds
    }

    private func ids(_ range: Range<Int>) -> [AllocationID] {
        range.map { AllocationID("1_\($0)") }
    }

    @Test("asks what an earlier coordinator left before it asks for more")
    func asksFirst() {
        var allocator = Allocator(settings: settings)
        let load = AllocatorEvent.load(secondsLeft: 1e6, entriesLeft: 1_000)
        #expect(allocator.handle(load, at: instant(0)) == [.askStatus])
        #expect(allocator.handle(load, at: instant(1)).isEmpty)
        _ = allocator.handle(.status([AllocationID("7_0"): .running]), at: instant(2))
        #expect(allocator.handle(load, at: instant(3)) == [.submit(count: 9)])
    }

    @Test(
        "asks for as many machines as there is work for",
        arguments: [
            (0.0, 0, 0), (0.0, 5, 1), (10.0, 100, 1), (480.0, 100, 2), (481.0, 100, 3),
            (1e9, 100_000, 10), (1e9, 9, 3), (.infinity, 1, 1),
        ])
    func wanted(secondsLeft: Double, entriesLeft: Int, expected: Int) {
        let allocator = Allocator(settings: settings)
        #expect(
            allocator.wanted(secondsLeft: secondsLeft, entriesLeft: entriesLeft) == expected)
    }

    @Test("asks once for what it wants, and again only for what ended")
    func asksOnce() {
        var allocator = informed(settings)
        let load = AllocatorEvent.load(secondsLeft: 480, entriesLeft: 100)
        #expect(allocator.handle(load, at: instant(1)) == [.submit(count: 2)])
        #expect(allocator.handle(load, at: instant(2)).isEmpty)
        _ = allocator.handle(.submitted(ids(0..<2)), at: instant(3))
        #expect(!allocator.handle(load, at: instant(4)).contains(.submit(count: 2)))
        _ = allocator.handle(.status([ids(0..<2)[0]: .running]), at: instant(31))
        #expect(allocator.handle(load, at: instant(32)).first == .submit(count: 1))
    }

    @Test("asks the batch system at most every 30 seconds, whatever happens")
    func asksRarely() {
        var allocator = Allocator(settings: settings)
        var asked: [Double] = []
        for second in stride(from: 0.0, to: 600, by: 1) {
            let load = AllocatorEvent.load(secondsLeft: 1e6, entriesLeft: 1_000)
            for effect in allocator.handle(load, at: instant(second)) {
                switch effect {
                case .askStatus:
                    asked.append(second)
                    let answer: AllocatorEvent =
                        asked.count % 3 == 0
                        ? .statusFailed : .status([AllocationID("1"): .running])
                    _ = allocator.handle(answer, at: instant(second))
                case .submit(let count):
                    _ = allocator.handle(.submitted(ids(0..<count)), at: instant(second))
                case .cancel: break
                }
            }
        }
        #expect(asked.count >= 19)
        #expect(zip(asked, asked.dropFirst()).allSatisfy { $1 - $0 >= 30 })
    }

    @Test("withdraws requests that have become pointless, and leaves running machines alone")
    func withdraws() {
        var allocator = informed(settings)
        let many = AllocatorEvent.load(secondsLeft: 1e6, entriesLeft: 1_000)
        #expect(allocator.handle(many, at: instant(1)) == [.submit(count: 10)])
        _ = allocator.handle(.submitted(ids(0..<10)), at: instant(1))
        var states = Dictionary(
            uniqueKeysWithValues: ids(0..<10).map { ($0, AllocationState.pending) })
        for id in ids(0..<4) { states[id] = .running }
        _ = allocator.handle(.status(states), at: instant(31))
        let little = AllocatorEvent.load(secondsLeft: 100, entriesLeft: 30)
        #expect(allocator.handle(little, at: instant(32)).first == .cancel(ids(4..<10)))
        #expect(allocator.allocations.count == 4)
    }

    @Test("waits longer after every refusal, ten minutes at most")
    func backsOff() {
        var allocator = informed(settings)
        let load = AllocatorEvent.load(secondsLeft: 1e6, entriesLeft: 1_000)
        var submitted: [Double] = []
        for second in stride(from: 0.0, to: 3_600, by: 1)
        where allocator.handle(load, at: instant(second)).contains(.submit(count: 10)) {
            submitted.append(second)
            _ = allocator.handle(.submitFailed, at: instant(second))
        }
        let gaps = zip(submitted, submitted.dropFirst()).map { $1 - $0 }
        #expect(Array(gaps.prefix(4)) == [30, 60, 120, 240])
        #expect(gaps.max() == 480)
    }

    @Test("uses no more allocations over a sweep than its bound")
    func boundsTheTotal() {
        var bounded = settings
        bounded.allocationsTotalMax = 12
        var allocator = informed(bounded)
        let load = AllocatorEvent.load(secondsLeft: 1e6, entriesLeft: 1_000)
        var given = 0
        for round in 0..<20 {
            let now = instant(Double(round) * 40 + 40)
            for case .submit(let count) in allocator.handle(load, at: now) {
                _ = allocator.handle(.submitted(ids(given..<given + count)), at: now)
                given += count
            }
            // All of them end at once, as on a broken node.
            _ = allocator.handle(.status([:]), at: now)
        }
        #expect(given == 12)
    }

    @Test("withdraws everything when the sweep is over, also what comes late")
    func closes() {
        var allocator = informed(settings)
        let load = AllocatorEvent.load(secondsLeft: 300, entriesLeft: 30)
        #expect(allocator.handle(load, at: instant(1)) == [.submit(count: 2)])
        #expect(allocator.handle(.close, at: instant(2)).isEmpty)
        #expect(
            allocator.handle(.submitted(ids(0..<2)), at: instant(3)) == [.cancel(ids(0..<2))])
        #expect(allocator.handle(load, at: instant(4)).isEmpty)
    }
}

@Suite("Slurm's answers")
struct SlurmAnswerTests {
    @Test("are read line by line; what is over or unknown is left out")
    func states() {
        let answer = """
            4711_0 RUNNING
            4711_1 PENDING
            4712 COMPLETING
            4713 COMPLETED
            nonsense
            4714_[2-5] PENDING
            """
        let states = SlurmBatchSystem.states(in: answer)
        #expect(states[AllocationID("4711_0")] == .running)
        #expect(states[AllocationID("4711_1")] == .pending)
        #expect(states[AllocationID("4712")] == .running)
        #expect(states[AllocationID("4713")] == nil)
        #expect(states.count == 4)
    }

    @Test("name a job by its number, and nothing else will do")
    func jobNumber() throws {
        #expect(try SlurmBatchSystem.jobNumber(in: "4711") == "4711")
        #expect(try SlurmBatchSystem.jobNumber(in: "4711;cluster") == "4711")
        #expect(throws: BatchSystemError.self) { try SlurmBatchSystem.jobNumber(in: "") }
        #expect(throws: BatchSystemError.self) { try SlurmBatchSystem.jobNumber(in: "ok 4711") }
    }

    @Test("come from a command that is found, succeeds and answers in time")
    func runner() throws {
        let run = CommandRunner(secondsMax: 1)
        #expect(try run("echo", ["a", "b"]) == "a b")
        #expect(throws: BatchSystemError.self) { try run("false", []) }
        #expect(throws: BatchSystemError.self) { try run("fathom-has-no-such-command", []) }
        #expect(throws: BatchSystemError.self) { try run("sleep", ["30"]) }
    }
}
