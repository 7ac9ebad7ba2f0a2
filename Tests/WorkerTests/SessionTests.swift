import FathomCore
import FathomProtocol
import FathomWorker
import Testing

@Suite("A worker's session")
struct SessionTests {
    private let welcome = SessionEvent.message(
        .welcome(Welcome(term: 1, leaseMilliseconds: 15_000, heartbeatMilliseconds: 2_000)))
    private let start = Instant(nanoseconds: 0)

    private func session(slots: Int = 1) -> Session {
        let facts = WorkerFacts(
            host: "h", processID: 1, slots: slots, build: "b", numericClass: "n")
        return Session(settings: SessionSettings(worker: WorkerID("w"), facts: facts), at: start)
    }

    private func assignment(_ name: String) -> Assignment {
        let lease = Lease(
            job: JobKey(Digest(of: Array(name.utf8))), attempt: 1, term: 1, entries: 0..<1)
        return Assignment(lease: lease, spec: [], inputs: [])
    }

    @Test("keeps a result, and sends it again, until it is acknowledged")
    func resultsAreKept() {
        var session = session()
        let work = assignment("a")
        _ = session.handle(.connected, at: start)
        _ = session.handle(welcome, at: start)
        #expect(
            session.handle(.message(.assign(work)), at: start) == [.start(slot: 0, work)])
        let result = SessionEffect.send(.result(work.lease, JobOutcome()))
        let done = SessionEvent.finished(slot: 0, lease: work.lease, outcome: JobOutcome())
        #expect(session.handle(done, at: start) == [result])
        #expect(session.handle(.tick, at: start + 4).contains(result))
        _ = session.handle(.disconnected, at: start + 5)
        _ = session.handle(.connected, at: start + 6)
        #expect(session.handle(welcome, at: start + 6) == [result])
        _ = session.handle(.message(.acknowledge([work.lease])), at: start + 7)
        #expect(session.unacknowledgedCount == 0)
    }

    @Test("blames a slot's death on the job it ran, not on those behind it")
    func bystanders() {
        var session = session()
        _ = session.handle(.connected, at: start)
        _ = session.handle(welcome, at: start)
        let first = assignment("a")
        let second = assignment("b")
        _ = session.handle(.message(.assign(first)), at: start)
        _ = session.handle(.message(.assign(second)), at: start)
        let effects = session.handle(
            .slotDied(slot: 0, cause: "ended by SIGSEGV", logTail: "tail"), at: start)
        let failure = AttemptFailure(
            lease: first.lease, reason: .slotDeath, error: "ended by SIGSEGV", logTail: "tail")
        #expect(effects == [.send(.failure(failure)), .start(slot: 0, second)])
    }

    @Test("says what a job failed of, such as a data set that is not here")
    func reasons() {
        var session = session()
        _ = session.handle(.connected, at: start)
        _ = session.handle(welcome, at: start)
        let first = assignment("a")
        _ = session.handle(.message(.assign(first)), at: start)
        let effects = session.handle(
            .failed(
                slot: 0, lease: first.lease, error: "not here", logTail: "", reason: .dataLacking),
            at: start)
        let failure = AttemptFailure(
            lease: first.lease, reason: .dataLacking, error: "not here", logTail: "")
        #expect(effects.contains(.send(.failure(failure))))
    }

    @Test("tries jobs one by one when a slot died with several in its pipe")
    func suspects() {
        var session = session()
        _ = session.handle(.connected, at: start)
        _ = session.handle(welcome, at: start)
        // A job that took no time lets the next ones go into the pipe together.
        let tiny = assignment("tiny")
        _ = session.handle(.message(.assign(tiny)), at: start)
        let quick = JobOutcome(seconds: 1e-6)
        _ = session.handle(.finished(slot: 0, lease: tiny.lease, outcome: quick), at: start)
        let work = ["a", "b", "c"].map(assignment)
        var begun: [SessionEffect] = []
        for item in work { begun += session.handle(.message(.assign(item)), at: start) }
        #expect(begun == work.map { .start(slot: 0, $0) })
        let death = SessionEvent.slotDied(slot: 0, cause: "ended by SIGSEGV", logTail: "")
        // Nobody is blamed, and they go in one at a time.
        #expect(session.handle(death, at: start) == [.start(slot: 0, work[0])])
        let done = SessionEvent.finished(slot: 0, lease: work[0].lease, outcome: quick)
        #expect(
            session.handle(done, at: start)
                == [.send(.result(work[0].lease, quick)), .start(slot: 0, work[1])])
        let failure = AttemptFailure(
            lease: work[1].lease, reason: .slotDeath, error: "ended by SIGSEGV", logTail: "")
        #expect(
            session.handle(death, at: start)
                == [.send(.failure(failure)), .start(slot: 0, work[2])])
    }

    @Test("goes on without a coordinator, and gives up after its patience")
    func patience() {
        var session = session()
        _ = session.handle(.connected, at: start)
        _ = session.handle(.disconnected, at: start)
        #expect(session.handle(.tick, at: start + 3_000) == [])
        #expect(session.handle(.tick, at: start + 3_601) == [.end(.outOfPatience)])
    }

    @Test("hands back what is queued when asked to end, and ends when the rest is done")
    func drains() {
        var session = session()
        _ = session.handle(.connected, at: start)
        _ = session.handle(welcome, at: start)
        let first = assignment("a")
        let second = assignment("b")
        _ = session.handle(.message(.assign(first)), at: start)
        _ = session.handle(.message(.assign(second)), at: start)
        #expect(session.handle(.terminate, at: start) == [.send(.handBack([second.lease]))])
        let done = SessionEvent.finished(slot: 0, lease: first.lease, outcome: JobOutcome())
        _ = session.handle(done, at: start + 1)
        #expect(
            session.handle(.message(.acknowledge([first.lease])), at: start + 2)
                == [.send(.goodbye), .end(.drained)])
    }

    @Test("gives running work back when the grace is over")
    func grace() {
        var session = session()
        _ = session.handle(.connected, at: start)
        _ = session.handle(welcome, at: start)
        let work = assignment("a")
        _ = session.handle(.message(.assign(work)), at: start)
        _ = session.handle(.terminate, at: start)
        #expect(
            session.handle(.tick, at: start + 21)
                == [.send(.handBack([work.lease])), .send(.goodbye), .end(.drained)])
    }
}
