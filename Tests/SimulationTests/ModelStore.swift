import FathomCore
import FathomCoordinator
import FathomProtocol

/// A store that survives its coordinator and counts what must not happen.
struct ModelStore {
    private(set) var jobs: [SchedulerJob]
    private(set) var problems: [String] = []
    private(set) var accepted: [JobKey: [Int: Double]] = [:]
    private(set) var term = 0
    /// Finished jobs whose files are here whole.
    var files: Set<JobKey> = []
    /// Workers that were not said to be gone.
    private(set) var present: Set<WorkerID> = []
    private var indices: [JobKey: Int] = [:]

    /// The jobs that may be charged.
    private let guilty: Set<JobKey>

    init(jobs: [SchedulerJob], guilty: Set<JobKey>) {
        self.jobs = jobs
        self.guilty = guilty
        for (index, job) in jobs.enumerated() { indices[job.key] = index }
    }

    mutating func nextTerm() -> Int {
        term += 1
        return term
    }

    func job(_ key: JobKey) -> SchedulerJob? { indices[key].map { jobs[$0] } }

    /// Which of these acknowledged results are neither stored nor of a job given up.
    func missing(_ leases: [Lease]) -> [String] {
        leases.filter { lease in
            let isHeld = lease.entries.allSatisfy { accepted[lease.job]?[$0] != nil }
            let state = job(lease.job)?.state
            return !isHeld && state != .quarantined && state != .blocked
        }.map { "acknowledged and not stored: \($0)" }
    }

    mutating func apply(_ change: StoreChange) {
        switch change {
        case .accepted(let lease, _, let outcome): accept(lease, outcome)
        case .jobFinished(let key):
            update(key) { $0.state = .finished }
            if let job = job(key), accepted[key]?.count != job.entryCount {
                problems.append("job \(key.digest.short) finished without all entries")
            }
        case .attemptFailed(let lease, _, let reason, _, _):
            update(lease.job) {
                $0.attemptsUsed = max($0.attemptsUsed, lease.attempt)
                if reason == .error || reason == .slotDeath { $0.attemptsCharged += 1 }
                if reason == .workerLost { $0.attemptsLost += 1 }
            }
            if reason == .error || reason == .slotDeath, !guilty.contains(lease.job) {
                problems.append("job \(lease.job.digest.short) is charged and innocent")
            }
        case .jobQuarantined(let key, _): update(key) { $0.state = .quarantined }
        case .jobBlocked(let key, _): update(key) { $0.state = .blocked }
        case .jobReopened(let key):
            // A finished one makes its file again, and is computed anew.
            if job(key)?.state == .finished {
                accepted[key] = nil
                update(key) { $0.entriesFinished = [] }
            }
            update(key) { $0.state = .open }
        case .jobPaused(let key): update(key) { $0.isPaused = true }
        case .jobResumed(let key): update(key) { $0.isPaused = false }
        case .jobForgotten(let key): forget(key)
        case .agreed(let lease, _): update(lease.job) { $0.isAudited = true }
        case .disagreement(let lease, _, let detail):
            problems.append("lease \(lease) disagrees: \(detail)")
        case .workerSeen(let id, _): present.insert(id)
        case .workerGone(let id): present.remove(id)
        case .event: break
        }
    }

    private mutating func forget(_ key: JobKey) {
        accepted[key] = nil
        update(key) {
            $0.state = .open
            $0.entriesFinished = []
            $0.attemptsCharged = 0
            $0.attemptsLost = 0
            $0.isAudited = false
        }
    }

    private mutating func accept(_ lease: Lease, _ outcome: JobOutcome) {
        update(lease.job) {
            $0.attemptsUsed = max($0.attemptsUsed, lease.attempt)
            $0.entriesFinished.formUnion(lease.entries)
        }
        files.insert(lease.job)
        for entry in lease.entries {
            if accepted[lease.job]?[entry] != nil {
                problems.append("entry \(entry) of \(lease.job.digest.short) accepted twice")
            }
            let row = outcome.sal.first { $0.entry == entry }
            accepted[lease.job, default: [:]][entry] = row?.measurement.sal ?? 0
        }
    }

    mutating func compare(_ lease: Lease, _ outcome: JobOutcome) {
        apply(.agreed(lease, worker: WorkerID("late")))
        for row in outcome.sal
        where accepted[lease.job]?[row.entry] != row.measurement.sal {
            problems.append("entry \(row.entry) of \(lease.job.digest.short) differs")
        }
    }

    private mutating func update(_ key: JobKey, _ change: (inout SchedulerJob) -> Void) {
        guard let index = indices[key] else {
            problems.append("no job \(key)")
            return
        }
        change(&jobs[index])
    }
}
