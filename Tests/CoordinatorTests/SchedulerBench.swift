import FathomCore
import FathomCoordinator
import FathomProtocol
import Testing

extension JobKey {
    static func named(_ name: String) -> JobKey { JobKey(Digest(of: Array(name.utf8))) }
}

extension SchedulerJob {
    static func job(
        _ name: String, kind: JobSpec.Kind = .probe, after: [String] = [], entries: Int = 1,
        dataSet: String? = nil
    ) -> SchedulerJob {
        SchedulerJob(
            key: .named(name), kind: kind, costClass: kind.rawValue,
            dependencies: after.map(JobKey.named), entryCount: entries, dataSet: dataSet)
    }
}

/// A scheduler under test: feeds it, keeps what it answers, and checks it after every event.
struct SchedulerBench {
    private(set) var scheduler: Scheduler
    /// What the last event was answered with.
    private(set) var effects: [SchedulerEffect] = []
    private(set) var allChanges: [StoreChange] = []
    private(set) var refusals: [String] = []
    private(set) var lastLease: Lease?
    private var assigned: [WorkerID: [Lease]] = [:]
    private var now = Instant(nanoseconds: 0)
    private let checks: Bool

    init(
        jobs: [SchedulerJob], term: Int = 1, shardEntries: Int? = nil, awaited: [String] = [],
        auditShare: Double = 0, checks: Bool = true,
        runnerNeeds: [RunnerReference: [String]] = [:]
    ) {
        var settings = SchedulerSettings(term: term, build: "test")
        settings.shardEntries = shardEntries
        settings.awaited = Set(awaited.map { WorkerID($0) })
        settings.auditShare = auditShare
        settings.runnerNeeds = runnerNeeds
        scheduler = Scheduler(settings: settings, jobs: jobs)
        self.checks = checks
    }

    mutating func tell(_ event: SchedulerEvent) {
        effects = scheduler.handle(event, at: now)
        while scheduler.hasMore { effects += scheduler.handle(.proceed, at: now) }
        for effect in effects {
            switch effect {
            case .store(let change): allChanges.append(change)
            case .assign(let worker, let lease):
                assigned[worker, default: []].append(lease)
                lastLease = lease
            case .send(_, .refused(let reason)): refusals.append(reason)
            default: break
            }
        }
        if checks { #expect(scheduler.checkInvariants() == []) }
    }

    mutating func beat(_ worker: String, _ leases: [Lease]) {
        let progress = leases.map { LeaseProgress(lease: $0, share: 0) }
        tell(.message(WorkerID(worker), .heartbeat(progress)))
    }

    mutating func wait(_ seconds: Double) { now = now + seconds }

    mutating func register(
        _ worker: String, slots: Int, held: [Lease] = [], build: String = "test",
        numericClass: String = "n", secondsLeft: Double? = nil, runners: [RunnerOffer] = [],
        tags: [String] = []
    ) {
        let facts = WorkerFacts(
            host: "h", processID: 1, slots: slots, build: build, numericClass: numericClass,
            runners: runners, tags: tags)
        let hello = Hello(
            facts: facts, held: held, unacknowledged: [], secondsLeft: secondsLeft)
        tell(.message(WorkerID(worker), .hello(hello)))
    }

    /// What the worker was assigned since the last call.
    mutating func takeAssigned(_ worker: String) -> [Lease] {
        assigned.removeValue(forKey: WorkerID(worker)) ?? []
    }

    mutating func finish(
        _ job: JobKey, on worker: String, lease: Lease? = nil, seconds: Double = 1
    ) {
        guard let lease = lease ?? lastLease else { return }
        #expect(lease.job == job)
        tell(.message(WorkerID(worker), .result(lease, JobOutcome(seconds: seconds))))
    }

    mutating func fail(
        _ lease: Lease, on worker: String, reason: AttemptFailure.Reason = .error
    ) {
        let failure = AttemptFailure(lease: lease, reason: reason, error: "no", logTail: "")
        tell(.message(WorkerID(worker), .failure(failure)))
    }
}
