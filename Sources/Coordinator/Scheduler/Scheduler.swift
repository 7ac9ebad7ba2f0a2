public import FathomProtocol

/// Decides which worker does what, identically for identical events and instants.
///
/// It knows no socket, database or clock. Jobs have dense indices inside; every event costs
/// O(log jobs) and what it names, `tick` O(workers).
public struct Scheduler: Sendable {
    let settings: SchedulerSettings
    var table: JobTable
    var ready: ReadyLines
    var leases: LeaseBook
    var workers: [Worker] = []
    var workerIndices: [WorkerID: Int] = [:]
    /// Living workers, in no order that means anything.
    var living: [Int] = []
    var hungry = IndexQueue()
    /// Workers that are gone and whose leases are still to be ended, and why they went.
    var departing: [(worker: Int, reason: FailureReason)] = []
    /// Workers on which attempts of a job were charged.
    var avoided: [Int: [Int]] = [:]
    var numericClass: String?
    var isDraining = false
    var lastEvent: Instant?
    var counts: [KindProgress]
    /// The first job of each kind.
    private var firstOfKind: [Int?]
    /// Slots of all living workers.
    var slotsLiving = 0
    var openJobs = 0
    /// Open jobs that are paused.
    var pausedJobs = 0
    var finishedIsTold = false
    var reunion: Reunion
    var audits = AuditBook()
    var holders = HolderBook()
    /// Jobs in the ready heap, by cost class.
    var readyOfClass: [Int] = []
    /// The longest stay of a living worker; `nil`: not worked out since one came or went.
    var longestStay: Double?
    /// Jobs of which was told that no worker stays for as long as they take.
    var outlasting: Set<Int> = []
    var effects: [SchedulerEffect] = []
    /// What the worker that is listened to is to be told is durable.
    var acknowledged: [Lease] = []

    /// - Parameter jobs: All jobs of the sweep as the store knows them, each once.
    public init(settings: SchedulerSettings, jobs: some Collection<SchedulerJob>) {
        self.settings = settings
        table = JobTable(jobs)
        ready = ReadyLines(count: table.runners.count + 1)
        leases = LeaseBook(jobCount: jobs.count)
        let awaited = settings.sabotage == .skipsReunion ? [] : settings.awaited
        reunion = Reunion(awaiting: awaited, seconds: settings.reunionSeconds)
        readyOfClass = Array(repeating: 0, count: table.costs.count)
        counts = Array(repeating: KindProgress(), count: JobSpec.Kind.allCases.count)
        firstOfKind = Array(repeating: nil, count: counts.count)
        for index in table.jobs.indices { count(index) }
        for index in table.jobs.indices where table.jobs[index].isReady { makeReady(index) }
        for index in table.jobs.indices where table.jobs[index].state == .finished {
            considerAudit(of: index, computedBy: nil)
        }
    }

    /// The position of a job among those the scheduler was made with.
    public func number(of key: JobKey) -> Int? { table.index(of: key) }

    /// Whether no job is open, all are finished, given up or blocked, and those to be audited are.
    public var isComplete: Bool { openJobs == 0 && audits.isEmpty }

    /// Whether workers of the last coordinator are still waited for.
    public var isAwaitingWorkers: Bool { !reunion.isOver }

    /// Whether a step stopped short to keep its length bounded: `proceed` goes on with it.
    public internal(set) var hasMore = false

    /// Takes in one thing that happened and answers what the shell must now do, in order.
    public mutating func handle(
        _ event: SchedulerEvent, at now: Instant
    ) -> [SchedulerEffect] {
        effects.removeAll(keepingCapacity: true)
        noteStandstill(at: now)
        switch event {
        case .message(let worker, let message):
            handle(message, from: worker, at: now)
            acknowledge(worker)
        case .messages(let worker, let messages):
            for message in messages { handle(message, from: worker, at: now) }
            acknowledge(worker)
        case .workerLost(let worker): lose(worker, reason: .workerLost, at: now)
        case .tick:
            tick(at: now)
            for missing in reunion.look(at: now) { effects.append(.store(.workerGone(missing))) }
        case .retry(let key): retry(key)
        case .cancel(let key): cancel(key)
        case .pause(let key): pause(key)
        case .resume(let key): resume(key)
        case .forget(let key): forget(key)
        case .artifactLost(let key): makeAgain(key)
        case .drain: drain()
        case .proceed: break
        }
        endDeparted()
        dispatch(at: now)
        if case .tick = event { helpStragglers(at: now) }
        if isComplete && !finishedIsTold {
            finishedIsTold = true
            effects.append(.finished)
        }
        return effects
    }

    private mutating func handle(
        _ message: WorkerMessage, from worker: WorkerID, at now: Instant
    ) {
        switch message {
        case .hello(let hello): register(worker, hello, at: now)
        case .heartbeat(let leases): renew(worker, leases, at: now)
        case .result(let lease, let outcome): accept(outcome, of: lease, from: worker, at: now)
        case .failure(let failure): fail(failure, from: worker, at: now)
        case .handBack(let leases): takeBack(leases, from: worker, at: now)
        case .goodbye: lose(worker, reason: .handedBack, at: now)
        }
    }

    /// One acknowledgement for all that a step has taken in, behind what makes it last.
    private mutating func acknowledge(_ worker: WorkerID) {
        guard !acknowledged.isEmpty else { return }
        effects.append(.send(worker, .acknowledge(acknowledged)))
        acknowledged.removeAll()
    }

    /// How far the sweep has come.
    public var progress: SweepProgress {
        var kinds: [(kind: JobSpec.Kind, progress: KindProgress)] = []
        var (secondsLeft, secondsGuessed) = (0.0, 0.0)
        for (index, kind) in JobSpec.Kind.allCases.enumerated() where counts[index].jobs > 0 {
            kinds.append((kind, counts[index]))
        }
        for (kind, progress) in kinds {
            // The first job of a kind stands for all: sweeps rarely mix networks of different cost,
            // and an estimate of the time left may be rough.
            guard let job = firstOfKind[Self.position(of: kind)] else { continue }
            let costClass = table.jobs[job].costClass
            let seconds = progress.entriesLeft * table.costs.estimate(costClass)
            secondsLeft += seconds
            if !table.costs.isMeasured(costClass) { secondsGuessed += seconds }
        }
        return SweepProgress(
            kinds: kinds, workers: living.count,
            slots: slotsLiving, leases: leases.count,
            paused: pausedJobs, audits: audits.count, secondsLeft: secondsLeft,
            secondsGuessed: secondsGuessed)
    }

    private mutating func count(_ index: Int) {
        let source = table.jobs[index]
        let kind = Self.position(of: source.kind)
        firstOfKind[kind] = firstOfKind[kind] ?? index
        counts[kind].jobs += 1
        counts[kind].entries += source.entryCount
        switch source.state {
        case .open:
            openJobs += 1
            if source.isPaused { pausedJobs += 1 }
            counts[kind].entriesFinished += source.finished.count
        case .finished:
            counts[kind].jobsFinished += 1
            counts[kind].entriesFinished += source.entryCount
        case .quarantined: counts[kind].jobsQuarantined += 1
        case .blocked: counts[kind].jobsBlocked += 1
        }
    }

    static func position(of kind: JobSpec.Kind) -> Int {
        switch kind {
        case .poison: 0
        case .train: 1
        case .sal: 2
        case .landscape: 3
        case .probe: 4
        }
    }
}

/// Names an active lease inside the scheduler.
struct LeaseID: Hashable, Sendable, Comparable {
    var job: Int
    var attempt: Int
    var term: Int

    static func < (left: LeaseID, right: LeaseID) -> Bool {
        (left.job, left.attempt, left.term) < (right.job, right.attempt, right.term)
    }

    func hash(into hasher: inout Hasher) {
        // A job has few leases at a time.
        hasher.combine(job)
    }
}

/// A lease that a worker holds, as far as we know.
struct ActiveLease: Sendable {
    var entries: Range<Int>
    var worker: Int
    var purpose = Purpose.work
    let granted: Instant
    /// When it was granted or last named in a heartbeat.
    var renewed: Instant
    /// What it was thought to cost when granted.
    var seconds: Double
    /// The share done, as the last heartbeat said.
    var share = 0.0

    enum Purpose: Sendable {
        /// Entries that nobody else works on.
        case work
        /// Entries that another works on too, and takes long over.
        case spare
        /// Entries that are finished, computed again to be compared.
        case audit
    }
}

/// A worker, living or gone.
struct Worker: Sendable {
    let id: WorkerID
    var slots: Int
    var lastHeard: Instant
    var isLiving = true
    /// Where it stands among the living.
    var livingIndex = 0
    var isHungry = false
    /// Estimated seconds of all its leases together.
    var outstandingSeconds = 0.0
    var failuresInARow = 0
    /// Indices of the data sets that it said it does not have.
    var lacking: Set<Int> = []
    /// When work that it has must be done; `nil`: it stays.
    var end: Instant?
    /// How long it had when it came.
    var staySeconds = Double.infinity
    /// The lines of ready jobs that it may take from.
    var lines: [Int] = [0]
}

/// A first-in-first-out queue of indices.
struct IndexQueue: Sendable {
    private var elements: [Int] = []
    private var head = 0

    var count: Int { elements.count - head }
    var isEmpty: Bool { count == 0 }

    mutating func append(_ element: Int) { elements.append(element) }

    /// Those that come first.
    func prefix(_ length: Int) -> [Int] { Array(elements[head...].prefix(length)) }

    mutating func popFirst() -> Int? {
        guard head < elements.count else { return nil }
        let element = elements[head]
        head += 1
        if head > 64 && head * 2 > elements.count {
            elements.removeFirst(head)
            head = 0
        }
        return element
    }
}
