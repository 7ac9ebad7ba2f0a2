public import FathomProtocol

/// One thing the store must make last. The scheduler decides them; the store applies a list of
/// them in one transaction.
public enum StoreChange: Sendable, Hashable {
    /// A lease's outcome was accepted. Its rows go in; the entries count as finished.
    case accepted(Lease, worker: WorkerID, outcome: JobOutcome)
    /// All entries of the job are finished.
    case jobFinished(JobKey)
    /// An attempt ended without an outcome.
    case attemptFailed(
        Lease, worker: WorkerID, reason: FailureReason, error: String, logTail: String)
    /// The job is given up after its charged failures, or put back.
    case jobQuarantined(JobKey, reason: String)
    case jobBlocked(JobKey, by: JobKey)
    case jobReopened(JobKey)
    /// The job is held back by a user, or let go on.
    case jobPaused(JobKey)
    case jobResumed(JobKey)
    /// The job's rows are thrown away, and it is open again.
    case jobForgotten(JobKey)
    /// A later outcome for finished entries had the same bits.
    case agreed(Lease, worker: WorkerID)
    /// A later outcome for a finished entry differed from the one accepted.
    case disagreement(Lease, worker: WorkerID, detail: String)
    case workerSeen(WorkerID, WorkerFacts)
    /// The worker left or was lost.
    case workerGone(WorkerID)
    /// Something worth a row in `event`.
    case event(kind: String, subject: String, detail: String)
}

/// Why an attempt ended without an outcome.
public enum FailureReason: String, Sendable, Hashable, Codable, CaseIterable {
    /// The job's own error. Charged to the job.
    case error
    /// The slot died (a signal, out of memory), as its living agent says. Charged to the job.
    case slotDeath
    /// The lease ran out with its worker. Not charged.
    case workerLost
    /// The coordinator ended. Not charged.
    case coordinatorLost
    /// Handed back by a draining worker. Not charged.
    case handedBack
    /// The worker fails everything. Not charged.
    case probation
}

/// How many jobs are in which state.
public struct JobTally: Sendable, Hashable {
    public var open = 0
    public var finished = 0
    public var quarantined = 0
    public var blocked = 0

    public init() {}

    public var jobs: Int { open + finished + quarantined + blocked }
}

/// A job as the store knows it when a coordinator starts.
public struct StoredJob: Sendable, Hashable {
    public enum State: String, Sendable, Hashable, CaseIterable {
        case open, finished, quarantined, blocked
    }
    public var key: JobKey
    public var spec: JobSpec
    public var entryCount: Int
    public var state: State
    /// The entries of an open SAL job that have rows already.
    public var entriesFinished: Set<Int>
    public var attemptsUsed: Int
    /// Attempts charged to the job, and attempts lost with a worker or coordinator.
    public var attemptsCharged: Int
    public var attemptsLost: Int
    public var isPaused: Bool
    /// Whether a second outcome was compared with the first.
    public var isAudited: Bool
    /// The artifacts of a finished job.
    public var artifacts: [ArtifactReference]

    public init(
        key: JobKey, spec: JobSpec, entryCount: Int, state: State, entriesFinished: Set<Int>,
        attemptsUsed: Int, attemptsCharged: Int, attemptsLost: Int, isPaused: Bool = false,
        isAudited: Bool = false, artifacts: [ArtifactReference]
    ) {
        self.key = key
        self.spec = spec
        self.entryCount = entryCount
        self.state = state
        self.entriesFinished = entriesFinished
        self.attemptsUsed = attemptsUsed
        self.attemptsCharged = attemptsCharged
        self.attemptsLost = attemptsLost
        self.isPaused = isPaused
        self.isAudited = isAudited
        self.artifacts = artifacts
    }
}
