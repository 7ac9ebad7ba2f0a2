import FathomCore
import FathomProtocol
import FathomWorker
import Testing

@Suite("A worker's session")
struct SessionTests {
    private let welcome = SessionEvent.message(
        .welcome(Welcome(term: 1, leaseMilliseconds: 15_000, heartbeatMilliseconds: 2_000)))
    private let start = Instant(nanoseconds: 0)

    private func session(
        slots: Int = 1, lifetime: Double? = nil, idle: Double? = nil
    ) -> Session {
        let facts = WorkerFacts(
            host: "h", processID: 1, slots: slots, build: "b", numericClass: "n")
        var settings = SessionSettings(worker: WorkerID("w"), facts: facts)
        settings.lifetimeSeconds = lifetime
        settings.idleSeconds = idle
        return Session(settings: settings, at: start)
    }

    /// How long the worker says that it stays, and what it says that it holds.
    private func hello(_ effects: [SessionEffect]) -> (left: Double?, held: [Lease])? {
        for case .send(.hello(let hello)) in effects { return (hello.secondsLeft, hello.held) }
        return nil
    }

    private func assignment(_ name: String) -> Assignment {
        let lease = Lease(
            job: JobKey(Digest(of: Array(name.utf8))), attempt: 1, term: 1, entries: 0..<1)
        return Assignment(lease: lease, spec: [], inputs: [])
    }

    /// Work that reads what another job has made.
    private func reader(_ name: String, of input: String) -> Assignment {
        let maker = assignment(input).lease.job
        var work = assignment(name)
        work.inputs = [
            InputArtifact(
                job: maker,
                artifact: ArtifactReference(name: "a", digest: maker.digest, bytes: 1))
        ]
        return work
    }

    private func connected() -> Session {
        var session = session()
        _ = session.handle(.connected, at: start)
        _ = session.handle(welcome, at: start)
        return session
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

    @Test("lets no job that waits for its files keep a slot from another")
    func waiting() {
        var session = connected()
        let work = reader("b", of: "a")
        let maker = assignment("a")
        #expect(session.handle(.message(.assign(work)), at: start) == [.prepare(work)])
        #expect(
            session.handle(.message(.assign(maker)), at: start) == [.start(slot: 0, maker)])
        // It is named, so that its lease does not run out meanwhile.
        let names = session.handle(.tick, at: start + 2).flatMap { effect -> [Lease] in
            guard case .send(.heartbeat(let leases)) = effect else { return [] }
            return leases.map(\.lease)
        }
        #expect(names == [maker.lease, work.lease])
        #expect(session.handle(.inputsReady(work.lease), at: start) == [])
        let done = SessionEvent.finished(slot: 0, lease: maker.lease, outcome: JobOutcome())
        #expect(session.handle(done, at: start).contains(.start(slot: 0, work)))
        let end = SessionEvent.finished(slot: 0, lease: work.lease, outcome: JobOutcome())
        #expect(session.handle(end, at: start).contains(.letGo(work.lease)))
        #expect(session.heldCount == 0)
    }

    @Test("forgets a job that is called off while it waits for its files")
    func calledOffWaiting() {
        var session = connected()
        let work = reader("b", of: "a")
        _ = session.handle(.message(.assign(work)), at: start)
        #expect(
            session.handle(.message(.cancel([work.lease])), at: start) == [.letGo(work.lease)])
        #expect(session.handle(.inputsReady(work.lease), at: start) == [])
        #expect(session.heldCount == 0)
    }

    @Test("has a job wait again when its slot cannot read a file, and fail when it never comes")
    func unreadable() {
        var session = connected()
        let work = reader("b", of: "a")
        let other = assignment("c")
        _ = session.handle(.message(.assign(work)), at: start)
        #expect(
            session.handle(.inputsReady(work.lease), at: start) == [.start(slot: 0, work)])
        _ = session.handle(.message(.assign(other)), at: start)
        #expect(
            session.handle(.inputsUnreadable(slot: 0, lease: work.lease), at: start)
                == [.start(slot: 0, other)])
        let failure = AttemptFailure(
            lease: work.lease, reason: .error, error: "not there", logTail: "")
        #expect(
            session.handle(.inputsFailed(work.lease, error: "not there"), at: start)
                == [.letGo(work.lease), .send(.failure(failure))])
        #expect(session.heldCount == 1)
    }

    @Test("hands back what waits for its files when asked to end")
    func drainsWaiting() {
        var session = connected()
        let work = reader("b", of: "a")
        _ = session.handle(.message(.assign(work)), at: start)
        let effects = session.handle(.terminate, at: start)
        #expect(
            effects.suffix(4) == [
                .letGo(work.lease), .send(.handBack([work.lease])), .send(.goodbye),
                .end(.drained),
            ])
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
        let effects = session.handle(.terminate, at: start)
        // The coordinator knows that it goes before it has work to give to others.
        #expect(hello(effects)?.left == 0)
        #expect(hello(effects)?.held == [first.lease, second.lease])
        #expect(effects.last == .send(.handBack([second.lease])))
        #expect(effects.count == 2)
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

    @Test("says how long it stays, less its grace, and drains when the grace begins")
    func lifetime() {
        var session = session(lifetime: 100)
        #expect(hello(session.handle(.connected, at: start))?.left == 80)
        _ = session.handle(welcome, at: start)
        let work = assignment("a")
        _ = session.handle(.message(.assign(work)), at: start)
        _ = session.handle(.message(.alive(term: 1)), at: start + 79)
        #expect(hello(session.handle(.tick, at: start + 79)) == nil)
        #expect(hello(session.handle(.tick, at: start + 80))?.left == 0)
        let late = assignment("b")
        #expect(
            session.handle(.message(.assign(late)), at: start + 81)
                == [.send(.handBack([late.lease]))])
        _ = session.handle(.message(.alive(term: 1)), at: start + 99)
        #expect(
            session.handle(.tick, at: start + 100)
                == [.send(.handBack([work.lease])), .send(.goodbye), .end(.drained)])
    }

    @Test("says when it registers again how much of its time is left")
    func lifetimeAfterALoss() {
        var session = session(lifetime: 100)
        _ = session.handle(.connected, at: start)
        _ = session.handle(.disconnected, at: start + 10)
        #expect(hello(session.handle(.connected, at: start + 30))?.left == 50)
    }

    @Test("goes when there was no work for long")
    func idle() {
        var session = session(idle: 60)
        _ = session.handle(.connected, at: start)
        _ = session.handle(welcome, at: start)
        #expect(!session.handle(.tick, at: start + 1).contains(.end(.drained)))
        _ = session.handle(.message(.alive(term: 1)), at: start + 60)
        #expect(!session.handle(.tick, at: start + 60).contains(.end(.drained)))
        #expect(session.handle(.tick, at: start + 61).contains(.end(.drained)))
    }
}
