public import FathomMessaging
import FathomProtocol
public import Logging
import Synchronization

/// What a worker agent runs with.
public struct AgentSettings: Sendable {
    public var session: SessionSettings
    /// This program's file, and what makes it a slot.
    public var program: String
    public var slotArguments: [String]
    /// Where results wait on disk for their acknowledgement.
    public var spoolFolder: String
    /// Where files lie.
    public var access: ArtifactAccess

    public init(
        session: SessionSettings, program: String, slotArguments: [String], spoolFolder: String,
        access: ArtifactAccess
    ) {
        self.access = access
        self.session = session
        self.program = program
        self.slotArguments = slotArguments
        self.spoolFolder = spoolFolder
    }
}

/// The thin shell around a `Session`: a connection to the coordinator and pipes to the slots.
///
/// It runs on the thread that calls `run`, which waits for messages and slots alike; slots compute in
/// processes of their own, so that heartbeats never wait for a computation.
public final class WorkerAgent {
    private let settings: AgentSettings
    private let connection: Connection
    private let logger: Logger
    private let deaths = BoundedQueue<SlotDeath>(capacity: 1 << 16)
    private let termination = Termination()
    private let spool: ResultSpool
    private let files: AgentFiles
    private var session: Session
    private var slots: [Slot] = []
    private var generations: [Int]
    private var outgoing: [WorkerMessage] = []
    /// What each slot is to start, until the end of the step.
    private var starting: [[Assignment]]
    /// How many jobs each slot's process was given and has not answered.
    private var unanswered: [Int]
    /// Jobs whose files are all here.
    private var ready: [Lease] = []
    private var statistics = MessagingStatistics()
    private var ending: SessionEffect.Ending?
    private var refused = RefusalTally()
    private var lastTold = Instant.now()

    /// - Parameter connectForFiles: Makes a connection to where the coordinator has its files.
    /// - Throws: When results cannot be kept in the spool's folder.
    public init(
        settings: AgentSettings, connection: Connection,
        connectForFiles: @escaping @Sendable (String) throws -> Connection, logger: Logger
    ) throws {
        self.settings = settings
        self.connection = connection
        self.logger = logger
        spool = try ResultSpool(folder: settings.spoolFolder, worker: settings.session.worker)
        let client = try ArtifactClient(
            access: settings.access, connect: connectForFiles, notify: { connection.wake() })
        files = AgentFiles(access: settings.access, client: client)
        session = Session(settings: settings.session, spooled: spool.inherited, at: .now())
        for case .result(let lease, let outcome) in spool.inherited {
            files.keep(outcome.artifacts, of: lease)
        }
        if !spool.inherited.isEmpty {
            logger.notice(
                "results of earlier workers are here",
                metadata: ["count": "\(spool.inherited.count)"])
        }
        generations = Array(repeating: 0, count: settings.session.facts.slots)
        starting = Array(repeating: [], count: settings.session.facts.slots)
        unanswered = Array(repeating: 0, count: settings.session.facts.slots)
    }

    /// Asks the agent to end, from any thread or task: it drains first.
    public var terminate: @Sendable () -> Void {
        { [termination, connection] in
            termination.isAsked.store(true, ordering: .releasing)
            connection.wake()
        }
    }

    /// Works until there is a reason to end.
    public func run() throws -> SessionEffect.Ending {
        for slot in generations.indices { slots.append(try makeSlot(slot)) }
        while ending == nil { try step() }
        for slot in slots { slot.stop() }
        for slot in slots { slot.join() }
        connection.close()
        files.close()
        logFiles()
        return ending ?? .drained
    }

    private func step() throws {
        // The answers of all slots, in their order, and then room in the pipes of some.
        var watching = slots.map(\.answers) + slots.compactMap(\.room)
        let incoming = connection.receive(
            atMost: 1_024, within: .milliseconds(200), watching: &watching)
        let now = Instant.now()
        try noteConnection(at: now)
        for item in incoming { try take(item.payload, at: now) }
        try follow(files.takeOrders(at: now), at: now)
        for slot in slots.indices {
            if watching[slot].isReady { try hear(slot, at: now) }
            slots[slot].flush()
        }
        for death in deaths.take(atMost: 1 << 14, within: .zero) { try take(death, at: now) }
        if termination.isAsked.exchange(false, ordering: .acquiring) {
            try perform(session.handle(.terminate, at: now))
        }
        try perform(session.handle(.tick, at: now))
        flush()
        if now.seconds(since: lastTold) > 1 {
            lastTold = now
            let untold = refused.takeUntold()
            if untold > 0 {
                logger.warning("more messages refused", metadata: ["count": "\(untold)"])
            }
        }
    }

    private func noteConnection(at now: Instant) throws {
        let latest = connection.statistics
        defer { statistics = latest }
        if latest.handshakesAccepted > statistics.handshakesAccepted {
            logger.info("connected", metadata: ["endpoint": "\(connection.endpoint)"])
            files.reconnected()
            try perform(session.handle(.connected, at: now))
        } else if latest.disconnections > statistics.disconnections {
            try perform(session.handle(.disconnected, at: now))
        }
        for refusal in connection.takeRefusals() {
            logger.warning("not let in", metadata: ["reason": "\(refusal.reason)"])
        }
    }

    private func take(_ payload: [UInt8], at now: Instant) throws {
        let messages: [CoordinatorMessage]
        do throws(MessageError) {
            messages = try MessageCodec.decodeCoordinatorMessages(payload)
        } catch {
            if refused.note() {
                logger.warning("message refused", metadata: ["reason": "\(error)"])
            }
            return
        }
        for message in messages {
            note(message)
            try perform(session.handle(.message(message), at: now))
        }
    }

    /// Takes in what a slot has said; false when that was nothing.
    @discardableResult
    private func hear(_ slot: Int, at now: Instant) throws -> Bool {
        let generation = generations[slot]
        let messages = slots[slot].hear()
        for message in messages {
            noteAnswer(message, slot: slot)
            guard let event = event(of: message, slot: slot) else { continue }
            log(event)
            try perform(session.handle(event, at: now))
            // It was replaced; what else it said is out of date.
            guard generation == generations[slot] else { return true }
        }
        return !messages.isEmpty
    }

    private func take(_ death: SlotDeath, at now: Instant) throws {
        let slot = death.slot
        // What it said before it died comes first.
        while death.generation == generations[slot], try hear(slot, at: now) {}
        guard death.generation == generations[slot] else { return }
        logger.warning("slot died", metadata: ["slot": "\(slot)", "cause": "\(death.cause)"])
        // One that had nothing to do takes nothing along.
        let isBlameless = unanswered[slot] == 0
        try respawn(slot)
        guard !isBlameless else { return }
        starting[slot].removeAll()
        let event = SessionEvent.slotDied(
            slot: slot, cause: death.cause, logTail: death.logTail)
        try perform(session.handle(event, at: now))
    }

    private func event(of message: WorkerMessage, slot: Int) -> SessionEvent? {
        switch message {
        case .result(let lease, let outcome):
            .finished(slot: slot, lease: lease, outcome: outcome)
        case .failure(let failure) where isReadAgain(failure):
            .inputsUnreadable(slot: slot, lease: failure.lease)
        case .failure(let failure):
            .failed(
                slot: slot, lease: failure.lease, error: failure.error, logTail: failure.logTail,
                reason: failure.reason == .dataLacking ? .dataLacking : .error)
        case .heartbeat(let progress):
            progress.first.map { .progress(slot: slot, lease: $0.lease, share: $0.share) }
        case .hello, .handBack, .goodbye: nil
        }
    }

    private func perform(_ effects: [SessionEffect]) throws {
        for effect in effects {
            switch effect {
            case .send(let message):
                if case .hello(let hello) = message { log(hello) }
                if files.maySend(message) { outgoing.append(message) }
            case .spool(let message): keep(message)
            case .unspool(let leases): spool.drop(leases)
            case .prepare(let assignment):
                if files.prepare(assignment) { ready.append(assignment.lease) }
            case .letGo(let lease): files.letGo(lease)
            case .start(let slot, let assignment): starting[slot].append(assignment)
            case .replace(let slot):
                starting[slot].removeAll()
                if unanswered[slot] > 0 { try respawn(slot) }
            case .end(let reason):
                // Before the goodbye is sent: who hears it may end us at once.
                spool.removeIfEmpty()
                ending = reason
            }
        }
        // Only now, because what becomes possible by it comes after what was decided before.
        while !ready.isEmpty {
            try perform(session.handle(.inputsReady(ready.removeFirst()), at: .now()))
        }
    }

    /// A result that cannot be kept on disk is still in memory.
    private func keep(_ message: WorkerMessage) {
        do {
            try spool.keep(message)
        } catch {
            logger.warning("result not on disk", metadata: ["reason": "\(error)"])
        }
    }

    private func log(_ hello: Hello) {
        logger.debug(
            "said hello",
            metadata: [
                "held": "\(hello.held.count)", "unacknowledged": "\(hello.unacknowledged.count)",
            ])
    }

    private func log(_ event: SessionEvent) {
        guard case .finished(let slot, let lease, _) = event else { return }
        logger.debug(
            "job computed",
            metadata: [
                "slot": "\(slot)", "job": "\(lease.job)", "entries": "\(lease.entries)",
            ])
    }

    /// Work first: slots compute while the rest is put into frames.
    private func flush() {
        for slot in starting.indices where !starting[slot].isEmpty {
            var rest = starting[slot][...]
            while !rest.isEmpty {
                slots[slot].start(Array(rest.prefix(Self.assignmentsPerFrame)))
                rest = rest.dropFirst(Self.assignmentsPerFrame)
            }
            unanswered[slot] += starting[slot].count
            starting[slot].removeAll(keepingCapacity: true)
        }
        var rest = outgoing[...]
        while !rest.isEmpty {
            let part = Array(rest.prefix(Self.messagesPerFrame))
            rest = rest.dropFirst(Self.messagesPerFrame)
            let frame = WorkerFrame(worker: settings.session.worker, messages: part)
            connection.send(MessageCodec.encode(frame))
        }
        outgoing.removeAll(keepingCapacity: true)
    }

    private static let assignmentsPerFrame = 256
    private static let messagesPerFrame = 2_048

    private func makeSlot(_ slot: Int) throws -> Slot {
        try Slot(
            slot: slot, generation: generations[slot], program: settings.program,
            arguments: settings.slotArguments
        ) { [deaths, connection] death in
            _ = deaths.put(death, within: .seconds(3_600))
            connection.wake()
        }
    }

    private func respawn(_ slot: Int) throws {
        slots[slot].stop()
        unanswered[slot] = 0
        generations[slot] += 1
        slots[slot] = try makeSlot(slot)
    }

    // MARK: Files

    /// Carries out what has become possible, or impossible, with files.
    private func follow(_ orders: [AgentFiles.Order], at now: Instant) throws {
        for order in orders {
            switch order {
            case .ready(let lease): try perform(session.handle(.inputsReady(lease), at: now))
            case .tell(let message): outgoing.append(message)
            case .giveBack(let lease, let reason):
                logger.warning(
                    "result lost", metadata: ["job": "\(lease.job)", "reason": "\(reason)"])
                // As though it were acknowledged: nobody will ask for it again.
                files.acknowledged([lease])
                try perform(session.handle(.message(.acknowledge([lease])), at: now))
                outgoing.append(.handBack([lease]))
            case .fail(let lease, let error):
                let event = SessionEvent.inputsFailed(lease, error: error)
                try perform(session.handle(event, at: now))
            }
        }
    }

    private func note(_ message: CoordinatorMessage) {
        switch message {
        case .welcome(let welcome) where welcome.artifactPort > 0:
            let host = connection.endpoint.prefix(upTo: connection.endpoint.lastColon)
            files.use(endpoint: "\(host):\(welcome.artifactPort)")
        case .acknowledge(let leases): files.acknowledged(leases)
        default: break
        }
    }

    /// Whether a slot could not read a file that is fetched again now.
    private func isReadAgain(_ failure: AttemptFailure) -> Bool {
        guard case .inputLost(let digest) = failure.reason else { return false }
        logger.warning(
            "input missing or damaged",
            metadata: ["job": "\(failure.lease.job)", "reason": "\(failure.error)"])
        return files.readFailed(failure.lease, of: digest)
    }

    /// A slot's process has answered a job.
    private func noteAnswer(_ message: WorkerMessage, slot: Int) {
        switch message {
        case .result(let lease, let outcome):
            files.keep(outcome.artifacts, of: lease)
            unanswered[slot] -= 1
        case .failure: unanswered[slot] -= 1
        default: break
        }
    }

    private func logFiles() {
        let tally = files.tally
        logger.info(
            "files moved",
            metadata: [
                "fetched": "\(tally.filesFetched)", "bytesFetched": "\(tally.bytesFetched)",
                "brought": "\(tally.filesBrought)", "bytesBrought": "\(tally.bytesBrought)",
                "damaged": "\(tally.filesDamaged)",
            ])
    }
}

extension String {
    /// Where the last colon is, which divides a host from its port; the end where there is none.
    fileprivate var lastColon: Index { lastIndex(of: ":") ?? endIndex }
}

/// Whether somebody asked the agent to end.
private final class Termination: Sendable {
    let isAsked = Atomic(false)
}
