import FathomCore
import FathomProtocol

/// Times the scheduler's steps with many workers and jobs, on a simulated clock: registration, work
/// flowing, heartbeats, ticks, and half of the workers falling silent at once.
public struct SchedulerTrial {
    /// What came out. A step is one call of `handle`.
    public struct Figures: Sendable {
        public var jobs = 0
        public var workers = 0
        public var steps = 0
        /// How long it took to make the scheduler from its jobs, in seconds.
        public var acceptedSeconds = 0.0
        public var stepSecondsMax = 0.0
        /// The longest step of each kind of event, in seconds.
        public var stepSecondsMaxByKind: [String: Double] = [:]
        public var stepSecondsMean = 0.0
        public var finished = 0
    }

    private var scheduler: Scheduler
    private var figures: Figures
    private var now = Instant(nanoseconds: 0)
    private var leases: [WorkerID: [Lease]] = [:]
    private let workers: [WorkerID]
    private var total = 0.0

    /// Every tenth job reads the one before it, so that there are dependencies to release.
    public init(jobs: Int, workers: Int) {
        self.workers = (0..<workers).map { WorkerID("worker-\($0)") }
        let keys = (0..<jobs).map { JobKey(Digest(of: Array("job \($0)".utf8))) }
        let list = keys.indices.map { index in
            SchedulerJob(
                key: keys[index], kind: .probe, costClass: "probe \(index % 7)",
                dependencies: index % 10 == 9 ? [keys[index - 1]] : [], entryCount: 1)
        }
        let start = Instant.now()
        scheduler = Scheduler(settings: SchedulerSettings(term: 1, build: "trial"), jobs: list)
        figures = Figures(jobs: jobs, workers: workers)
        figures.acceptedSeconds = Instant.now().seconds(since: start)
    }

    /// Plays the whole course once.
    public mutating func run() -> Figures {
        let facts = WorkerFacts(
            host: "h", processID: 1, slots: 2, build: "trial", numericClass: "n")
        for worker in workers {
            let hello = Hello(facts: facts, held: [], unacknowledged: [])
            step("hello", .message(worker, .hello(hello)))
        }
        for round in 0..<8 {
            work(round)
            step("tick", .tick)
        }
        // A switch fails: half of the workers are not heard of again.
        let silent = workers.count / 2
        for _ in 0..<60 {
            now = now + 1
            for worker in workers[silent...] { beat(worker) }
            step("tick", .tick)
        }
        figures.stepSecondsMean = total / Double(max(1, figures.steps))
        figures.finished = scheduler.progress.kinds.first?.progress.jobsFinished ?? 0
        return figures
    }

    /// Every worker tells of half of what it holds, and says that it lives.
    private mutating func work(_ round: Int) {
        now = now + 0.5
        for worker in workers {
            let held = leases[worker] ?? []
            let done = held.prefix((held.count + 1) / 2)
            leases[worker] = Array(held.dropFirst(done.count))
            for lease in done {
                let outcome = JobOutcome(seconds: round == 0 ? 0.02 : 0.2)
                step("result", .message(worker, .result(lease, outcome)))
            }
            beat(worker)
        }
    }

    private mutating func beat(_ worker: WorkerID) {
        let listed = (leases[worker] ?? []).map { LeaseProgress(lease: $0, share: 0) }
        step("heartbeat", .message(worker, .heartbeat(listed)))
    }

    private mutating func step(_ name: String, _ event: SchedulerEvent) {
        let start = Instant.now()
        let effects = scheduler.handle(event, at: now)
        let seconds = Instant.now().seconds(since: start)
        figures.steps += 1
        total += seconds
        figures.stepSecondsMax = max(figures.stepSecondsMax, seconds)
        figures.stepSecondsMaxByKind[name] = max(
            figures.stepSecondsMaxByKind[name] ?? 0, seconds)
        for case .assign(let worker, let lease) in effects {
            leases[worker, default: []].append(lease)
        }
        if scheduler.hasMore { step("proceed", .proceed) }
    }
}
