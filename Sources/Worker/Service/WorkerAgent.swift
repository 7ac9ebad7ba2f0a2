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

    public init(
        session: SessionSettings, program: String, slotArguments: [String], spoolFolder: String
    ) {
        self.session = session
        self.program = program
        self.slotArguments = slotArguments
        self.spoolFolder = spoolFolder
    }
}

/// The thin shell around a `Session`: a connection to the coordinator and pipes to the slots.
///
/// It runs on the thread that calls `run`; slots are read by threads of their own and computed in
/// processes of their own, so that heartbeats never wait for a computation.
public final class WorkerAgent {
    private let settings: AgentSettings
    private let connection: Connection
    private let logger: Logger
    private let reports = BoundedQueue<SlotReport>(capacity: 1 << 16)
    private let termination = Termination()
    private let spool: ResultSpool
    private var session: Session
    private var slots: [Slot] = []
    private var generations: [Int]
    private var outgoing: [WorkerMessage] = []
    private var statistics = MessagingStatistics()
    private var ending: SessionEffect.Ending?

    /// - Throws: When results cannot be kept in the spool's folder.
    public init(
        settings: AgentSettings, connection: Connection, logger: Logger
    ) throws(SpoolError) {
        self.settings = settings
        self.connection = connection
        self.logger = logger
        spool = try ResultSpool(folder: settings.spoolFolder, worker: settings.session.worker)
        session = Session(settings: settings.session, spooled: spool.inherited, at: .now())
        if !spool.inherited.isEmpty {
            logger.notice(
                "results of earlier workers are here",
                metadata: ["count": "\(spool.inherited.count)"])
        }
        generations = Array(repeating: 0, count: settings.session.facts.slots)
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
        return ending ?? .drained
    }

    private func step() throws {
        let incoming = connection.receive(atMost: 1_024, within: .milliseconds(200))
        let now = Instant.now()
        try noteConnection(at: now)
        for item in incoming { try take(item.payload, at: now) }
        for report in reports.take(atMost: 1 << 14, within: .zero) { try take(report, at: now) }
        if termination.isAsked.exchange(false, ordering: .acquiring) {
            try perform(session.handle(.terminate, at: now))
        }
        try perform(session.handle(.tick, at: now))
        flush()
    }

    private func noteConnection(at now: Instant) throws {
        let latest = connection.statistics
        defer { statistics = latest }
        if latest.handshakesAccepted > statistics.handshakesAccepted {
            logger.info("connected", metadata: ["endpoint": "\(connection.endpoint)"])
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
            logger.warning("message refused", metadata: ["reason": "\(error)"])
            return
        }
        for message in messages { try perform(session.handle(.message(message), at: now)) }
    }

    private func take(_ report: SlotReport, at now: Instant) throws {
        guard report.generation == generations[report.slot] else { return }
        switch report.content {
        case .said(let messages):
            for message in messages {
                if let event = event(of: message, slot: report.slot) {
                    log(event)
                    try perform(session.handle(event, at: now))
                }
            }
        case .died(let cause, let logTail):
            logger.warning(
                "slot died", metadata: ["slot": "\(report.slot)", "cause": "\(cause)"])
            try replace(report.slot)
            let event = SessionEvent.slotDied(slot: report.slot, cause: cause, logTail: logTail)
            try perform(session.handle(event, at: now))
        }
    }

    private func event(of message: WorkerMessage, slot: Int) -> SessionEvent? {
        switch message {
        case .result(let lease, let outcome):
            .finished(slot: slot, lease: lease, outcome: outcome)
        case .failure(let failure):
            .failed(
                slot: slot, lease: failure.lease, error: failure.error, logTail: failure.logTail)
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
                outgoing.append(message)
            case .spool(let message): keep(message)
            case .unspool(let leases): spool.drop(leases)
            case .start(let slot, let assignment): _ = slots[slot].start(assignment)
            case .replace(let slot): try replace(slot)
            case .end(let reason):
                // Before the goodbye is sent: who hears it may end us at once.
                spool.removeIfEmpty()
                ending = reason
            }
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

    private func flush() {
        var rest = outgoing[...]
        while !rest.isEmpty {
            let part = Array(rest.prefix(512))
            rest = rest.dropFirst(512)
            let frame = WorkerFrame(worker: settings.session.worker, messages: part)
            connection.send(MessageCodec.encode(frame))
        }
        outgoing.removeAll(keepingCapacity: true)
    }

    private func makeSlot(_ slot: Int) throws -> Slot {
        try Slot(
            slot: slot, generation: generations[slot], program: settings.program,
            arguments: settings.slotArguments
        ) { [reports, connection] report in
            _ = reports.put(report, within: .seconds(3_600))
            connection.wake()
        }
    }

    private func replace(_ slot: Int) throws {
        slots[slot].stop()
        generations[slot] += 1
        slots[slot] = try makeSlot(slot)
    }
}

/// Whether somebody asked the agent to end.
private final class Termination: Sendable {
    let isAsked = Atomic(false)
}
