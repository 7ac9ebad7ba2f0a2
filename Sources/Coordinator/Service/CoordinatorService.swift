import FathomCore
public import FathomMessaging
public import FathomProtocol
public import Logging
import Synchronization

/// The shell that feeds the scheduler and carries out its effects.
///
/// It runs on the thread that calls `run`; the listener's sockets have a thread of their own. What
/// must last is committed in one transaction for many messages, and only then acknowledged.
public final class CoordinatorService {
    /// How a run of the coordinator ended.
    public enum Ending: Sendable, Hashable {
        /// No job is open any more.
        case complete
        /// Somebody asked it to stop; it goes on from here when started again.
        case stopped
    }

    private let store: any ResultStore
    private let listener: Listener
    let logger: Logger
    let requests: Requests
    private let committer: Committer
    /// By the scheduler's number of the job.
    let specs: [JobSpec]
    var artifacts: [JobKey: [ArtifactReference]] = [:]
    /// Where files lie, and which of them stay.
    let files: CoordinatorFiles?
    /// When files were last looked through for those that may go, and whether there are new ones.
    var collection = CollectionState()
    var scheduler: Scheduler
    private var delivery = Delivery()
    /// What it has measured of its own work.
    public private(set) var meter: ServiceMeter
    private var refused = RefusalTally()
    private var changes: [StoreChange] = []
    private var isFinished = false
    private var hasDispatched = false
    private var lastTick = Instant.now()
    /// How long workers get to hand back and say goodbye at the end.
    private let farewellSeconds: Double
    private let tickSeconds: Double
    private let term: Int

    /// - Parameters:
    ///   - jobs: All jobs of the sweep, as the store knows them.
    ///   - files: Where what jobs make lies; `nil` where they make nothing.
    public init(
        jobs: [StoredJob], store: any ResultStore, listener: Listener,
        settings: SchedulerSettings, files: CoordinatorFiles? = nil, farewellSeconds: Double = 3,
        meter: ServiceMeter = ServiceMeter(), logger: Logger
    ) {
        self.files = files
        let requests = Requests()
        self.requests = requests
        committer = Committer(
            store: store, listener: listener, requests: requests, logger: logger)
        self.store = store
        self.meter = meter
        self.listener = listener
        self.logger = logger
        self.farewellSeconds = farewellSeconds
        term = settings.term
        tickSeconds = min(0.5, settings.leaseSeconds / 10)
        specs = jobs.map(\.spec)
        for job in jobs where !job.artifacts.isEmpty { artifacts[job.key] = job.artifacts }
        scheduler = Scheduler(settings: settings, jobs: jobs.lazy.map { SchedulerJob($0) })
    }

    /// Ends a wait for messages, from any thread.
    var wake: @Sendable () -> Void {
        { [listener] in listener.wake() }
    }

    /// Asks it to stop, from any thread.
    public var stop: @Sendable () -> Void {
        { [requests, listener] in
            requests.isStopAsked.store(true, ordering: .releasing)
            listener.wake()
        }
    }

    /// Tells it, from any thread, that a worker's process has ended.
    public var workerEnded: @Sendable (WorkerID) -> Void {
        { [requests, listener] worker in
            requests.lostWorkers.withLock { $0.append(worker) }
            listener.wake()
        }
    }

    /// Carries out what a user asks, from any thread, and waits until it lasts.
    public var steer: @Sendable ([SteeringCommand]) -> SteeringResult? {
        { [requests, listener] commands in
            let request = SteeringRequest(commands)
            requests.steering.withLock { $0.append(request) }
            listener.wake()
            return request.wait(seconds: 10)
        }
    }

    /// The coordinator's figures as Prometheus reads them, from any thread; `nil` when it does not
    /// get to it.
    public var metrics: @Sendable () -> String? {
        { [requests, listener] in
            let request = MetricsRequest()
            requests.metrics.withLock { $0.append(request) }
            listener.wake()
            return request.wait(seconds: 10)
        }
    }

    /// How far the sweep has come.
    public var progress: SweepProgress { scheduler.progress }

    /// Works until no job is open or somebody asks to stop.
    ///
    /// - Parameter report: Called about five times a second.
    /// - Throws: What the store says when it cannot go on; a full disk is waited out.
    public func run(report: (SweepProgress) -> Void) throws -> Ending {
        defer { committer.close() }
        var reported = Instant(nanoseconds: 0)
        isFinished = scheduler.isComplete
        while !isFinished && !requests.isStopAsked.load(ordering: .acquiring) {
            try step()
            let now = Instant.now()
            if now.seconds(since: reported) > 0.2 {
                reported = now
                report(scheduler.progress)
            }
        }
        report(scheduler.progress)
        if isFinished { collectFiles(at: .now(), isLast: true) }
        try sayFarewell()
        return isFinished ? .complete : .stopped
    }

    private func sayFarewell() throws {
        let start = Instant.now()
        try perform(scheduler.handle(.drain, at: start))
        try settle()
        // Workers that have not come back yet hear of the end too.
        while scheduler.progress.workers > 0 || scheduler.isAwaitingWorkers,
            Instant.now().seconds(since: start) < farewellSeconds
        {
            try step()
        }
        try committer.drain(meanwhile: answerMetrics)
        collect()
        listener.close()
    }

    private func step() throws {
        let incoming = listener.receive(atMost: 1_024, within: .milliseconds(100))
        let now = Instant.now()
        for item in incoming { try take(item, at: now) }
        for worker in requests.lostWorkers.withLock({ $0.takeAll() }) {
            try perform(scheduler.handle(.workerLost(worker), at: now))
        }
        try noteLostFiles(at: now)
        for peer in listener.takeRevoked() {
            let worker = WorkerID(String(decoding: peer.bytes, as: UTF8.self))
            try perform(scheduler.handle(.workerLost(worker), at: now))
        }
        try carryOut(requests.steering.withLock { $0.takeAll() }, at: now)
        while scheduler.hasMore { try perform(scheduler.handle(.proceed, at: now)) }
        if now.seconds(since: lastTick) >= tickSeconds {
            lastTick = now
            meter.noteTick(at: now)
            try perform(scheduler.handle(.tick, at: now))
            collectFiles(at: now, isLast: false)
            let untold = refused.takeUntold()
            if untold > 0 {
                logger.warning("more messages refused", metadata: ["count": "\(untold)"])
            }
            for refusal in listener.takeRefusals() {
                logger.warning(
                    "connection refused",
                    metadata: ["from": "\(refusal.address)", "reason": "\(refusal.reason)"])
            }
        }
        try settle()
        answerMetrics()
    }

    private func answerMetrics() {
        let asked = requests.metrics.withLock { $0.takeAll() }
        guard !asked.isEmpty else { return }
        let figures = ServiceMetrics(
            progress: scheduler.progress, meter: meter, messaging: listener.statistics,
            term: term, isStoreWaiting: committer.isStoreWaiting, now: .now())
        for request in asked { request.finish(figures.text) }
    }

    private func carryOut(_ steering: [SteeringRequest], at now: Instant) throws {
        for request in steering {
            var result = SteeringResult()
            for command in request.commands {
                let effects = scheduler.handle(command.event, at: now)
                result.add(effects)
                try perform(effects)
            }
            try commitAll()
            request.finish(result)
        }
    }

    private func take(_ item: Incoming, at now: Instant) throws {
        let frame: WorkerFrame
        do throws(MessageError) {
            frame = try MessageCodec.decodeWorkerFrame(item.payload)
        } catch {
            meter.noteRefusedFrame()
            if refused.note() {
                logger.warning(
                    "message refused", metadata: ["from": "\(item.peer)", "reason": "\(error)"])
            }
            return
        }
        guard Array(frame.worker.text.utf8) == item.peer.bytes else {
            if refused.note() {
                logger.warning(
                    "message refused: not its name", metadata: ["from": "\(item.peer)"])
            }
            return
        }
        var rest = frame.messages[...]
        while !rest.isEmpty {
            let part = rest.prefix(Self.messagesPerStep).map { withFilesChecked($0) }
            rest = rest.dropFirst(Self.messagesPerStep)
            try perform(scheduler.handle(.messages(frame.worker, part), at: now))
        }
    }

    /// Bounds how long a step of the scheduler takes.
    private static let messagesPerStep = 512

    func perform(_ effects: [SchedulerEffect]) throws {
        for effect in effects {
            switch effect {
            case .store(let change):
                note(change)
                changes.append(change)
            case .compare(let lease, let worker, let outcome):
                try compare(lease, worker, outcome)
            case .assign(let worker, let lease):
                noteFirstLease()
                if let assignment = assignment(for: lease) {
                    meter.noteAssigned(lease)
                    delivery.add(.assign(assignment), to: worker)
                }
            case .send(let worker, let message):
                if case .refused(let reason) = message {
                    logger.warning(
                        "worker refused", metadata: ["worker": "\(worker)", "reason": "\(reason)"])
                }
                delivery.add(message, to: worker)
            case .finished: isFinished = true
            }
        }
    }

    private func noteFirstLease() {
        guard !hasDispatched else { return }
        hasDispatched = true
        logger.debug("first lease given", metadata: ["workers": "\(scheduler.progress.workers)"])
    }

    private func note(_ change: StoreChange) {
        switch change {
        case .accepted(let lease, _, let outcome) where !outcome.artifacts.isEmpty:
            artifacts[lease.job] = outcome.artifacts
        case .jobFinished: collection.hasNews = true
        case .attemptFailed(let lease, let worker, let reason, let error, _):
            // What a worker hands back when it goes is nobody's failure.
            logger.log(
                level: reason == .handedBack ? .info : .warning, "attempt ended",
                metadata: [
                    "job": "\(lease.job.digest.short)", "attempt": "\(lease.attempt)",
                    "worker": "\(worker.text.prefix(8))", "reason": "\(reason.rawValue)",
                    "error": "\(error)",
                ])
        case .jobQuarantined(let key, let reason):
            logger.error(
                "job given up", metadata: ["job": "\(key.digest.short)", "reason": "\(reason)"])
        default: break
        }
    }

    private func assignment(for lease: Lease) -> Assignment? {
        guard let spec = scheduler.number(of: lease.job).map({ specs[$0] }) else { return nil }
        let inputs = spec.dependencies.flatMap { job in
            (artifacts[job] ?? []).map { InputArtifact(job: job, artifact: $0) }
        }
        return Assignment(
            lease: lease, spec: JobSpecCodec.encode(spec),
            inputs: inputs + importedInput(of: spec, job: lease.job))
    }

    /// Compares a late outcome with the accepted one, bit by bit, computing time apart.
    private func compare(_ lease: Lease, _ worker: WorkerID, _ outcome: JobOutcome) throws {
        try commitAll()
        guard let accepted = try store.acceptedOutcome(of: lease.job, entries: lease.entries)
        else { return }
        guard let detail = OutcomeComparison.difference(accepted: accepted, late: outcome) else {
            changes.append(.agreed(lease, worker: worker))
            return
        }
        logger.error(
            "results disagree",
            metadata: [
                "job": "\(lease.job.digest.short)", "worker": "\(worker)", "in": "\(detail)",
            ])
        changes.append(.disagreement(lease, worker: worker, detail: detail))
    }

    /// Has what was decided made to last, and then told.
    private func settle() throws {
        collect()
        guard !changes.isEmpty || !delivery.isEmpty else { return }
        let decided = changes
        changes = []
        // On an idle system nobody gains by a change of threads, and what is to be told is put into
        // frames only when it may be told: results last the sooner.
        let isIdle = committer.isIdle && !listener.hasIncoming
        if try isIdle && committer.persist(decided) {
            committer.send(delivery.takeFrames())
        } else {
            try committer.submit(
                CommitBatch(changes: decided, frames: delivery.takeFrames()),
                meanwhile: answerMetrics)
        }
        meter.noteSent(at: .now())
        collect()
    }

    /// Makes everything decided so far last before it returns.
    private func commitAll() throws {
        try committer.submit(
            CommitBatch(changes: changes, frames: []), meanwhile: answerMetrics)
        changes = []
        try committer.drain(meanwhile: answerMetrics)
        collect()
    }

    private func collect() {
        for done in committer.takeCompleted() {
            meter.noteCommit(done.changes, from: done.start, to: done.end)
        }
    }
}
