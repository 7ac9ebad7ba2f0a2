public import FathomProtocol

/// What a worker agent decides with.
public struct SessionSettings: Sendable {
    public var worker: WorkerID
    public var facts: WorkerFacts
    /// How long to go on without hearing from a coordinator.
    public var patienceSeconds = 3_600.0
    /// How long running jobs may take after the agent was asked to end.
    public var graceSeconds = 20.0
    /// After how long an unanswered hello, result or failure is sent again.
    public var resendSeconds = 3.0
    /// A result that took so long to compute is put on disk at once, others when they wait for
    /// their acknowledgement.
    public var spoolSeconds = 1.0
    /// How long the machine is ours; near its end the worker drains, so that its grace fits in.
    public var lifetimeSeconds: Double?
    /// After how long without work a registered worker goes; `nil` waits for ever.
    public var idleSeconds: Double?
    /// How much measured work a slot's pipe holds beyond the job it runs.
    public var slotAheadSeconds = 0.02
    public var slotAheadMax = 1_024
    /// A fault planted on purpose. Only simulations set it, to show that they would notice.
    package var sabotage: SessionSabotage?

    public init(worker: WorkerID, facts: WorkerFacts) {
        self.worker = worker
        self.facts = facts
    }
}

/// Faults that simulations plant in the session to show that they would notice such a mistake.
package enum SessionSabotage: String, Sendable, CaseIterable {
    /// Forgets unacknowledged results when the coordinator is gone.
    case losesResults
    /// Forgets running work when the coordinator is gone.
    case losesWork
    /// Blames a slot's death on every job in its pipe.
    case blamesBystanders
    /// Keeps silent about a slot's death.
    case hidesDeaths
    /// Keeps a result on disk only until it was sent.
    case forgetsSpool
    /// Forgets work whose files have come.
    case losesReady
}

/// One thing that happened to a worker.
public enum SessionEvent: Sendable {
    case connected
    case disconnected
    case message(CoordinatorMessage)
    /// All files that a job reads are here.
    case inputsReady(Lease)
    /// A file that a job reads will not come.
    case inputsFailed(Lease, error: String)
    /// A slot could not read a file, which is fetched anew.
    case inputsUnreadable(slot: Int, lease: Lease)
    case progress(slot: Int, lease: Lease, share: Double)
    case finished(slot: Int, lease: Lease, outcome: JobOutcome)
    case failed(
        slot: Int, lease: Lease, error: String, logTail: String,
        reason: AttemptFailure.Reason = .error)
    /// The slot's process ended; a new one has taken its place.
    case slotDied(slot: Int, cause: String, logTail: String)
    /// The agent was asked to end: finish or hand back within the grace.
    case terminate
    case tick
}

/// One thing the agent must do.
public enum SessionEffect: Sendable, Hashable {
    public enum Ending: Sendable, Hashable {
        /// The coordinator or a signal said so, and all is handed over.
        case drained
        case refused(String)
        /// Nobody answered for the length of the patience.
        case outOfPatience
    }
    case send(WorkerMessage)
    /// Keep this result on disk.
    case spool(WorkerMessage)
    /// These results were acknowledged and may leave the disk.
    case unspool([Lease])
    /// Fetch the files that this job reads, and say when they are here.
    case prepare(Assignment)
    /// The files that this job reads need not be kept for it any longer.
    case letGo(Lease)
    case start(slot: Int, Assignment)
    /// End the slot's process at once and put a new one in its place; `slotDied` is not expected.
    case replace(slot: Int)
    case end(Ending)
}

/// Decides what a worker says and which slot does what; as pure as the scheduler.
///
/// Results and failures are kept until the coordinator acknowledges them, whatever happens to it
/// meanwhile.
public struct Session: Sendable {
    let settings: SessionSettings
    var slots: [WorkLine]
    var queue: [Assignment] = []
    var queueHead = 0
    /// Work whose files are not all here: it keeps no slot from other work.
    var waiting: [Lease: Assignment] = [:]
    /// Leases waiting, queued or running here.
    var held: Set<Lease> = []
    /// Those of them that were in the pipe of a slot that died, with others.
    var suspects: Set<Lease> = []
    var outbox: [Lease: Unacknowledged] = [:]
    var sequence = 0
    var isConnected = false
    var isRegistered = false
    var term: Int?
    var heartbeatSeconds = 2.0
    var leaseSeconds = 15.0
    var lastHello: Instant?
    var lastHeartbeat: Instant
    var lastOutboxLook: Instant
    var lastHeard: Instant
    /// When the machine is no longer ours.
    let machineEnd: Instant?
    var idleSince: Instant?
    var deadline: Instant?
    var isDraining = false
    var hasEnded = false
    var meanSeconds: Double?
    var effects: [SessionEffect] = []

    struct Unacknowledged: Sendable {
        var message: WorkerMessage
        var sequence: Int
        var since: Instant
        var sent: Instant?
        /// Whether it is on disk.
        var isSpooled = false
    }

    /// - Parameter spooled: Results that earlier workers left on disk unacknowledged.
    public init(settings: SessionSettings, spooled: [WorkerMessage] = [], at now: Instant) {
        self.settings = settings
        slots = Array(repeating: WorkLine(), count: settings.facts.slots)
        lastHeartbeat = now
        lastOutboxLook = now
        lastHeard = now
        machineEnd = settings.lifetimeSeconds.map { now + $0 }
        for case .result(let lease, let outcome) in spooled {
            outbox[lease] = Unacknowledged(
                message: .result(lease, outcome), sequence: sequence, since: now, isSpooled: true)
            sequence += 1
        }
    }

    /// Leases waiting, queued or running.
    public var heldCount: Int { held.count }
    /// Results and failures without an acknowledgement.
    public var unacknowledgedCount: Int { outbox.count }

    /// Takes in one thing that happened and answers what the agent must now do, in order.
    public mutating func handle(_ event: SessionEvent, at now: Instant) -> [SessionEffect] {
        effects.removeAll(keepingCapacity: true)
        guard !hasEnded else { return [] }
        switch event {
        case .connected:
            isConnected = true
            isRegistered = false
            sayHello(at: now)
        case .disconnected:
            isConnected = false
            isRegistered = false
            sabotageOnDisconnection()
        case .message(let message):
            lastHeard = now
            handle(message, at: now)
        case .inputsReady(let lease): inputsReady(lease)
        case .inputsFailed(let lease, let error): inputsFailed(lease, error: error, at: now)
        case .inputsUnreadable(let slot, let lease): inputsUnreadable(lease, in: slot)
        case .progress(let slot, let lease, let share): note(share, of: lease, in: slot)
        case .finished(let slot, let lease, let outcome):
            finish(lease, in: slot, outcome: outcome, at: now)
        case .failed(let slot, let lease, let error, let logTail, let reason):
            let failure = AttemptFailure(
                lease: lease, reason: reason, error: error, logTail: logTail)
            conclude(lease, in: slot, with: .failure(failure), at: now)
        case .slotDied(let slot, let cause, let logTail):
            bury(slot, cause: cause, logTail: logTail, at: now)
        case .terminate:
            deadline = deadline ?? now + settings.graceSeconds
            leave(at: now)
        case .tick: tick(at: now)
        }
        fillSlots()
        endIfDone()
        return effects
    }

    private mutating func handle(_ message: CoordinatorMessage, at now: Instant) {
        switch message {
        case .welcome(let welcome): settle(welcome, at: now)
        case .refused(let reason): end(.refused(reason))
        case .registerAgain:
            isRegistered = false
            if lastHello.map({ now.seconds(since: $0) > 0.2 }) ?? true { sayHello(at: now) }
        case .assign(let assignment): take(assignment)
        case .acknowledge(let leases): forget(leases)
        case .cancel(let leases): for lease in leases { cancel(lease) }
        case .drain: drain()
        case .alive(let term):
            if term != self.term { sayHello(at: now) }
        }
    }

    // MARK: Registering

    private mutating func sayHello(at now: Instant) {
        lastHello = now
        let unacknowledged = sortedOutbox().map(\.key)
        let hello = Hello(
            facts: settings.facts, held: inventory().map(\.lease), unacknowledged: unacknowledged,
            secondsLeft: secondsLeft(at: now))
        effects.append(.send(.hello(hello)))
    }

    /// How long what is assigned now may take: until the time for the grace begins.
    private func secondsLeft(at now: Instant) -> Double? {
        guard !isDraining else { return 0 }
        return machineEnd.map { max(0, $0.seconds(since: now) - settings.graceSeconds) }
    }

    private mutating func sabotageOnDisconnection() {
        if settings.sabotage == .losesResults { outbox = [:] }
        guard settings.sabotage == .losesWork else { return }
        for slot in slots.indices where !slots[slot].isEmpty {
            slots[slot] = WorkLine()
            effects.append(.replace(slot: slot))
        }
        queue = []
        queueHead = 0
        waiting = [:]
        held = []
    }

    private mutating func settle(_ welcome: Welcome, at now: Instant) {
        isRegistered = true
        term = welcome.term
        heartbeatSeconds = Double(welcome.heartbeatMilliseconds) / 1_000
        leaseSeconds = Double(welcome.leaseMilliseconds) / 1_000
        for (lease, _) in sortedOutbox() { send(lease, at: now) }
    }

    private mutating func forget(_ leases: [Lease]) {
        let spooled = leases.filter { outbox.removeValue(forKey: $0)?.isSpooled == true }
        if !spooled.isEmpty { effects.append(.unspool(spooled)) }
    }

    /// Puts a result on disk, unless it is there.
    mutating func spool(_ lease: Lease) {
        guard let item = outbox[lease], !item.isSpooled, case .result = item.message else { return }
        outbox[lease]?.isSpooled = true
        effects.append(.spool(item.message))
    }

    private mutating func tick(at now: Instant) {
        if now.seconds(since: lastHeard) > settings.patienceSeconds {
            end(.outOfPatience)
            return
        }
        if let deadline, now >= deadline {
            giveUpAll()
            end(.drained)
            return
        }
        if isRegistered && now.seconds(since: lastHeard) > leaseSeconds { isRegistered = false }
        leaveInTime(at: now)
        if now.seconds(since: lastOutboxLook) >= settings.resendSeconds / 10 {
            lastOutboxLook = now
            lookThroughOutbox(at: now)
        }
        guard isConnected else { return }
        guard isRegistered else {
            let waited = lastHello.map { now.seconds(since: $0) } ?? .infinity
            if waited >= settings.resendSeconds { sayHello(at: now) }
            return
        }
        if now.seconds(since: lastHeartbeat) >= heartbeatSeconds {
            lastHeartbeat = now
            effects.append(.send(.heartbeat(inventory())))
        }
    }

    /// Drains when the machine's time is nearly over, or when there has been nothing to do for long.
    private mutating func leaveInTime(at now: Instant) {
        guard !isDraining else { return }
        if let machineEnd, now + settings.graceSeconds >= machineEnd {
            deadline = deadline ?? machineEnd
            leave(at: now)
        }
        guard let patience = settings.idleSeconds, isRegistered, held.isEmpty, outbox.isEmpty else {
            idleSince = nil
            return
        }
        let since = idleSince ?? now
        idleSince = since
        if now.seconds(since: since) >= patience { leave(at: now) }
    }

    /// Drains by a decision of this machine's: the coordinator hears of it before it takes back
    /// what was queued here, so that it gives that to others.
    private mutating func leave(at now: Instant) {
        guard !isDraining else { return }
        isDraining = true
        if isRegistered { sayHello(at: now) }
        handBackNotStarted()
    }

    /// What waits long for its acknowledgement is put on disk and sent again.
    private mutating func lookThroughOutbox(at now: Instant) {
        let waiting = outbox.filter { _, item in
            item.sent == nil || now.seconds(since: item.since) >= settings.resendSeconds
        }
        for (lease, item) in waiting.sorted(by: { $0.value.sequence < $1.value.sequence }) {
            if now.seconds(since: item.since) >= settings.resendSeconds { spool(lease) }
            if let sent = item.sent, now.seconds(since: sent) < settings.resendSeconds { continue }
            send(lease, at: now)
        }
    }

    /// Everything held, running first, in a fixed order.
    private func inventory() -> [LeaseProgress] {
        let running = slots.flatMap { slot in
            slot.all.filter { !$0.isCancelled }.map {
                LeaseProgress(lease: $0.assignment.lease, share: $0.share)
            }
        }
        let queued = queue[queueHead...].map { LeaseProgress(lease: $0.lease, share: 0) }
        return running + queued + waitingLeases.map { LeaseProgress(lease: $0, share: 0) }
    }

    private func sortedOutbox() -> [(key: Lease, value: Unacknowledged)] {
        outbox.sorted { $0.value.sequence < $1.value.sequence }
    }

    mutating func send(_ lease: Lease, at now: Instant) {
        guard isRegistered, let item = outbox[lease] else { return }
        outbox[lease]?.sent = now
        effects.append(.send(item.message))
        if settings.sabotage == .forgetsSpool, item.isSpooled {
            effects.append(.unspool([lease]))
        }
    }

    // MARK: Ending

    mutating func end(_ ending: SessionEffect.Ending) {
        guard !hasEnded else { return }
        for (lease, _) in sortedOutbox() { spool(lease) }
        hasEnded = true
        effects.append(.end(ending))
    }

    private mutating func endIfDone() {
        guard isDraining, held.isEmpty, outbox.isEmpty, !hasEnded else { return }
        effects.append(.send(.goodbye))
        end(.drained)
    }
}
