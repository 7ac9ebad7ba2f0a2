import FathomCore
import FathomCoordinator
import FathomProtocol
import FathomWorker
import Foundation
import TestSupport
import Testing

/// Frames that were made up or damaged, at everything that takes frames. With `FATHOM_SLOW=1` a
/// million at each (`make test-fuzz`).
@Suite("Damaged frames", .timeLimit(.minutes(20)))
struct FuzzTests {
    private static let isSlow = ProcessInfo.processInfo.environment["FATHOM_SLOW"] == "1"
    private let count = isSlow ? 1_000_000 : 20_000

    private static func key(_ name: String) -> JobKey { JobKey(Digest(of: Array(name.utf8))) }

    @Test("change nothing at a coordinator whose jobs they do not hold")
    func coordinator() {
        let names = (0..<20).map { "job \($0)" }
        var settings = SchedulerSettings(term: 1, build: "0.1.0")
        settings.attemptsLostMax = .max
        var finished = SchedulerJob(
            key: Self.key("finished"), kind: .probe, costClass: "probe", dependencies: [],
            entryCount: 1)
        finished.state = .finished
        let open = names.map {
            SchedulerJob(
                key: Self.key($0), kind: .sal, costClass: "sal", dependencies: [], entryCount: 5,
                isPaused: true)
        }
        var scheduler = Scheduler(settings: settings, jobs: [finished] + open)
        let before = scheduler.progress.kinds.map(\.progress)
        // Frames about a job that is finished, and one that nobody knows.
        let worker = WorkerID("w")
        var fuzzer = FrameFuzzer(
            real: SampleFrames.fromWorker(worker, job: Self.key("finished"))
                + SampleFrames.fromWorker(worker, job: Self.key("unknown")), seed: 1)
        var now = Instant(nanoseconds: 0)
        var decoded = 0
        var changes: [StoreChange] = []
        for round in 0..<count {
            now = now + 0.001
            guard let frame = try? MessageCodec.decodeWorkerFrame(fuzzer.next()) else { continue }
            decoded += 1
            for message in frame.messages {
                for effect in scheduler.handle(.message(frame.worker, message), at: now) {
                    guard case .store(let change) = effect else { continue }
                    switch change {
                    case .workerSeen, .workerGone, .event, .agreed, .disagreement: break
                    default: changes.append(change)
                    }
                }
            }
            if round % 1_000 == 0 {
                _ = scheduler.handle(.tick, at: now)
                #expect(scheduler.checkInvariants() == [])
            }
        }
        #expect(changes.isEmpty, "\(changes.prefix(3))")
        #expect(scheduler.progress.kinds.map(\.progress) == before)
        #expect(scheduler.checkInvariants() == [])
        #expect(decoded > count / 20, "the fuzzer only makes noise")
    }

    @Test("leave a worker's session able to work")
    func worker() {
        var bench = FuzzedWorker()
        var fuzzer = FrameFuzzer(
            real: SampleFrames.fromCoordinator(job: Self.key("a")), seed: 2)
        var decoded = 0
        for _ in 0..<count {
            bench.now = bench.now + 0.001
            if let messages = try? MessageCodec.decodeCoordinatorMessages(fuzzer.next()) {
                decoded += 1
                for message in messages {
                    // These two send a worker home, as they should.
                    if case .refused = message { continue }
                    if case .drain = message { continue }
                    bench.tell(.message(message))
                }
            }
            bench.finishOne()
        }
        #expect(decoded > count / 20, "the fuzzer only makes noise")
        // It still does what it is told.
        let lease = SampleFrames.lease(Self.key("real"), attempt: 9)
        let welcome = Welcome(term: 3, leaseMilliseconds: 15_000, heartbeatMilliseconds: 2_000)
        bench.tell(.message(.welcome(welcome)))
        bench.tell(.message(.assign(Assignment(lease: lease, spec: [], inputs: []))))
        for _ in 0..<100_000 where bench.session.heldCount > 0 { bench.finishOne() }
        #expect(bench.session.heldCount == 0)
        #expect(bench.finished.contains(lease))
        #expect(bench.ending == nil)
    }

    @Test("change no file at the coordinator's desk or in a worker's cache")
    func files() throws {
        var exchange = try Exchange(seed: 3)
        let theirs = try exchange.desk.folder.keep(content(5_000, seed: 1), name: "a")
        let ours = try exchange.cache.folder.keep(content(4_000, seed: 2), name: "b")
        exchange.cache.pin([ours.digest])
        let other = Digest(of: [7])
        var questions = FrameFuzzer(
            real: SampleFrames.questions(about: theirs.digest, content: content(5_000, seed: 1))
                + SampleFrames.questions(about: other, content: content(3_000, seed: 3)), seed: 4)
        var answers = FrameFuzzer(
            real: SampleFrames.answers(about: other, content: content(3_000, seed: 3))
                + SampleFrames.answers(about: ours.digest, content: content(4_000, seed: 2)),
            seed: 5)
        var now = exchange.now
        var decoded = 0
        let wanted = ArtifactReference(name: "a", digest: other, bytes: 3_000)
        for round in 0..<count / 4 {
            now = now + 0.01
            if round % 100 == 0 {
                exchange.send(.fetch(wanted, isDoubted: false))
                exchange.send(.bring(ours))
            }
            if let question = try? ArtifactCodec.decodeQuestion(questions.next()) {
                decoded += 1
                _ = exchange.desk.answer(question, at: now)
            }
            if let answer = try? ArtifactCodec.decodeAnswer(answers.next()) {
                decoded += 1
                exchange.send(.answer(answer))
            }
        }
        #expect(decoded > count / 40, "the fuzzer only makes noise")
        #expect(exchange.desk.folder.isSound(theirs.digest))
        #expect(exchange.cache.folder.isSound(ours.digest))
        let whole = exchange.desk.folder.contents().map(\.digest)
        #expect(whole == [theirs.digest])
        let allowed = ["desk/", "work/cache-0/"]
        #expect(exchange.place.files.allSatisfy { file in allowed.contains { file.hasPrefix($0) } })
    }
}

/// A session whose slots compute nothing and answer at once when they are asked to.
private struct FuzzedWorker {
    var now = Instant(nanoseconds: 0)
    private(set) var session: Session
    private(set) var finished: Set<Lease> = []
    private(set) var ending: SessionEffect.Ending?
    private var running: [[Assignment]] = [[], []]
    private var preparing: [Lease] = []

    init() {
        let facts = WorkerFacts(
            host: "h", processID: 1, slots: 2, build: "b", numericClass: "n")
        session = Session(
            settings: SessionSettings(worker: WorkerID("w"), facts: facts), at: now)
        tell(.connected)
    }

    mutating func tell(_ event: SessionEvent) {
        for effect in session.handle(event, at: now) {
            switch effect {
            case .start(let slot, let assignment): running[slot].append(assignment)
            case .replace(let slot): running[slot] = []
            case .end(let reason): ending = reason
            case .prepare(let assignment): preparing.append(assignment.lease)
            case .send, .spool, .unspool, .letGo: break
            }
        }
    }

    /// The files that a job waits for come, or the first job of a slot ends and is acknowledged.
    mutating func finishOne() {
        if !preparing.isEmpty { tell(.inputsReady(preparing.removeFirst())) }
        for slot in running.indices where !running[slot].isEmpty {
            let lease = running[slot].removeFirst().lease
            finished.insert(lease)
            tell(.finished(slot: slot, lease: lease, outcome: JobOutcome(seconds: 0.001)))
            tell(.message(.acknowledge([lease])))
        }
    }
}
