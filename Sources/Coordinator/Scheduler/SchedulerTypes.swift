public import FathomCore
public import FathomProtocol

/// A job as the scheduler sees it.
public struct SchedulerJob: Sendable {
    public var key: JobKey
    public var kind: JobSpec.Kind
    /// Jobs that cost about the same per entry, such as `train resnet18/8`.
    public var costClass: String
    /// The data set it needs, by name and content.
    public var dataSet: String?
    /// The program that must compute it; `nil`: the built-in engine.
    public var runner: RunnerReference?
    public var dependencies: [JobKey]
    public var entryCount: Int
    public var state: StoredJob.State
    public var entriesFinished: Set<Int>
    public var attemptsUsed: Int
    public var attemptsCharged: Int
    public var attemptsLost: Int
    /// Whether it must not be started for now.
    public var isPaused: Bool
    /// Whether it was computed a second time and compared.
    public var isAudited: Bool

    public init(
        key: JobKey, kind: JobSpec.Kind, costClass: String, dependencies: [JobKey],
        entryCount: Int, state: StoredJob.State = .open, entriesFinished: Set<Int> = [],
        attemptsUsed: Int = 0, attemptsCharged: Int = 0, attemptsLost: Int = 0,
        isPaused: Bool = false, isAudited: Bool = false, dataSet: String? = nil,
        runner: RunnerReference? = nil
    ) {
        self.key = key
        self.runner = runner
        self.dataSet = dataSet
        self.kind = kind
        self.costClass = costClass
        self.dependencies = dependencies
        self.entryCount = entryCount
        self.state = state
        self.entriesFinished = entriesFinished
        self.attemptsUsed = attemptsUsed
        self.attemptsCharged = attemptsCharged
        self.attemptsLost = attemptsLost
        self.isPaused = isPaused
        self.isAudited = isAudited
    }

    public init(_ stored: StoredJob) {
        self.init(
            key: stored.key, kind: stored.spec.kind, costClass: stored.spec.costClass,
            dependencies: stored.spec.dependencies, entryCount: stored.entryCount,
            state: stored.state, entriesFinished: stored.entriesFinished,
            attemptsUsed: stored.attemptsUsed, attemptsCharged: stored.attemptsCharged,
            attemptsLost: stored.attemptsLost, isPaused: stored.isPaused,
            isAudited: stored.isAudited, dataSet: stored.spec.dataSet, runner: stored.spec.runner)
    }
}

extension JobSpec {
    /// The data set it needs, by name and content, such as `svhn 0123456789ab`.
    public var dataSet: String? {
        data.map { "\($0.settings.set) \($0.digest.short)" }
    }

    /// What its cost is learned with: the kind, and the network where there is one.
    public var costClass: String {
        switch body {
        case .probe: "probe"
        case .poison(let spec): "poison \(spec.method.name)"
        case .train(let spec): "train \(spec.model.costName)"
        case .sal(let spec): "sal \(spec.model.costName)"
        case .landscape(let spec): "landscape \(spec.model.costName)"
        }
    }
}

extension ModelSettings {
    /// What costs are learned by, such as `resnet18/8`, or `resnet18/64 torch@cuda` on a runner.
    fileprivate var costName: String {
        "\(name)/\(width ?? 0)" + (runner.map { " \($0.name)@\($0.device)" } ?? "")
    }
}

/// How the scheduler decides. Results never depend on any of it.
public struct SchedulerSettings: Sendable {
    public var term: Int
    /// The build a worker must have to get work, so that code revisions agree.
    public var build: String
    /// Whether workers of different numeric classes may share a sweep.
    public var mixedHosts = false
    public var leaseSeconds = 15.0
    public var heartbeatSeconds = 2.0
    /// Where workers fetch and bring files; 0: they share a folder.
    public var artifactPort = 0
    /// How many leases one step gives out at most, so that no step takes long.
    public var leasesPerStepMax = 512
    /// How much measured work a slot has queued ahead.
    public var prefetchSeconds = 2.0
    /// How many leases a worker holds at most.
    public var leasesPerWorkerMax = 4_096
    /// How long a SAL shard should take.
    public var shardSeconds = 30.0
    /// A fixed number of entries a shard; `nil` goes by measured cost.
    public var shardEntries: Int?
    /// Charged attempts after which a job is given up.
    public var attemptsChargedMax = 3
    /// Attempts lost with workers after which a job is given up.
    public var attemptsLostMax = 20
    /// Failures in a row after which a worker gets one job at a time, and its failures are
    /// charged to no job while another worker could have tried it.
    public var probationFailures = 5
    /// Workers that were there when the last coordinator ended and may hold leases still.
    public var awaited: Set<WorkerID> = []
    /// How long they are waited for before what they may hold is given to others.
    public var reunionSeconds = 1.2
    /// The share of finished jobs, 0...1, that are computed a second time and compared.
    public var auditShare = 0.0
    /// A lease that has lasted so many times its estimate is given a second time to an idle slot.
    public var stragglerFactor = 2.0
    /// How long a lease must last at least before that.
    public var stragglerSeconds = 5.0
    /// The tags that workers must have beside a runner, as the manifest says.
    public var runnerNeeds: [RunnerReference: [String]] = [:]
    /// A fault planted on purpose. Only simulations set it, to show that they would notice.
    package var sabotage: SchedulerSabotage?

    public init(term: Int, build: String) {
        self.term = term
        self.build = build
    }
}

/// Faults that simulations plant in the scheduler to show that they would notice such a mistake.
package enum SchedulerSabotage: String, Sendable, CaseIterable {
    /// Tells a worker that its result is durable before it is stored.
    case acknowledgesBeforeStoring
    /// Takes a late result of a finished job as though it were the first.
    case acceptsTwice
    /// Takes a job for finished with the first of its entries.
    case finishesEarly
    /// Does not queue again what a lost worker held.
    case forgetsToRequeue
    /// Leaves leased entries free for the next lease.
    case leasesTwice
    /// Frees a job when one of those it reads is finished.
    case releasesEarly
    /// Charges jobs for workers that were lost.
    case chargesBystanders
    /// Waits for silent workers for ever.
    case neverExpires
    /// Forgets what a worker says it holds when it comes back.
    case dropsInventory
    /// Blocks the jobs that read a given-up one, and not those after them.
    case blocksNeighboursOnly
    /// Never gives a job up.
    case triesForever
    /// Starts paused jobs.
    case dispatchesPaused
    /// Throws results away and does not compute them again.
    case takesForgotten
    /// Gives work out before workers of the last coordinator said what they hold.
    case skipsReunion
    /// Computes nothing a second time.
    case skipsAudits
    /// Gives work to workers that will be gone before it is done.
    case ignoresEnds
    /// Has lost files made again and leaves leases that read them as they are.
    case keepsReaders
}

/// One thing that happened.
public enum SchedulerEvent: Sendable {
    case message(WorkerID, WorkerMessage)
    /// Several messages of one worker, in order, in one step: a few hundred at most, so that the
    /// step stays short.
    case messages(WorkerID, [WorkerMessage])
    /// Somebody who must know says that the worker is gone.
    case workerLost(WorkerID)
    case tick
    /// Puts a given-up job back, and what waited for it.
    case retry(JobKey)
    /// Gives a job up.
    case cancel(JobKey)
    /// Starts a job no more until it is resumed; what runs of it goes on.
    case pause(JobKey)
    case resume(JobKey)
    /// Throws a job's results away, so that it is computed again.
    case forget(JobKey)
    /// A file that a finished job made is gone or damaged, and somebody needs it.
    case artifactLost(JobKey)
    /// Assigns nothing from now on and asks all workers to end.
    case drain
    /// Nothing happened, but the last step was not all (`hasMore`).
    case proceed
}

/// One thing the shell must do, in order; what the store must make last comes before the
/// acknowledgement that tells of it.
public enum SchedulerEffect: Sendable, Hashable {
    case store(StoreChange)
    /// Compare a late outcome with the accepted one; store a disagreement if bits differ.
    case compare(Lease, worker: WorkerID, outcome: JobOutcome)
    /// Send the job of this lease to the worker.
    case assign(WorkerID, Lease)
    case send(WorkerID, CoordinatorMessage)
    /// No job is open any more.
    case finished
}

/// How far a kind of job has come.
public struct KindProgress: Sendable, Hashable {
    public var jobs = 0
    public var jobsFinished = 0
    public var jobsQuarantined = 0
    public var jobsBlocked = 0
    /// Entries: measured layers of SAL jobs, points of landscapes, 1 a job for other kinds.
    public var entries = 0
    public var entriesFinished = 0

    public init() {}

    /// Entries that are still to be computed, as many a job: those of jobs that were given up or
    /// wait for such a job are not.
    var entriesLeft: Double {
        let jobsLeft = jobs - jobsFinished
        let open = jobsLeft - jobsQuarantined - jobsBlocked
        return Double(entries - entriesFinished) * Double(open) / Double(max(1, jobsLeft))
    }
}

/// How far the sweep has come.
public struct SweepProgress: Sendable {
    /// In the order of `JobSpec.Kind.allCases`; kinds without jobs are left out.
    public var kinds: [(kind: JobSpec.Kind, progress: KindProgress)]
    public var workers: Int
    public var slots: Int
    public var leases: Int
    /// Open jobs that a user has paused.
    public var paused: Int
    /// Finished jobs that are still to be computed a second time.
    public var audits: Int
    /// Estimated seconds of computing left, over all slots together.
    public var secondsLeft: Double
    /// What of that is a guess, because no job of its kind was timed yet.
    public var secondsGuessed: Double

    public init(
        kinds: [(kind: JobSpec.Kind, progress: KindProgress)], workers: Int, slots: Int,
        leases: Int, paused: Int = 0, audits: Int = 0, secondsLeft: Double,
        secondsGuessed: Double = 0
    ) {
        self.kinds = kinds
        self.workers = workers
        self.slots = slots
        self.leases = leases
        self.paused = paused
        self.audits = audits
        self.secondsLeft = secondsLeft
        self.secondsGuessed = secondsGuessed
    }
}
