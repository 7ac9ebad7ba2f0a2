import CZeroMQ
import Glibc

/// Owns one socket and everything about it, on the one thread that runs `run()`.
///
/// A turn answers ZAP, reads the monitor, sends what is waiting and takes in what has come, each
/// up to a batch; only when there is nothing to do does it wait.
final class SocketDriver {
    let role: SocketRole
    let mailbox: Mailbox
    let context: ZeroMQContext
    var socket: ZeroMQSocket
    var monitor: ZeroMQSocket
    /// The socket that answers ZeroMQ's questions about keys; a listener's only.
    let zap: ZeroMQSocket?
    var backlog: OutgoingBacklog
    /// When to replace the socket because ZeroMQ has given up on its connection.
    var redialAt: ContinuousClock.Instant?
    /// Whose key stands behind each name; a listener's only.
    var peers = PeerBook()
    var gate: AdmissionGate
    /// Which edition of the allow-list `peers` goes by.
    var allowListEdition = 0
    /// The socket on which ZeroMQ listens; a listener's only.
    var portDescriptor: Int32?
    /// How many sockets were opened, for the names of their monitors.
    private var socketCount = 1
    /// The name received last: messages come in runs from one peer, which then share its bytes.
    private var peerLast = RoutingID.listener
    private let clock = ContinuousClock()

    /// How many messages a turn sends or takes in at most, so that none waits for the other long.
    private static let batchMessagesMax = 512

    /// Opens the socket: binds or starts to connect.
    init(role: SocketRole, mailbox: Mailbox) throws(MessagingError) {
        self.role = role
        self.mailbox = mailbox
        let context = try ZeroMQContext()
        self.context = context
        gate = AdmissionGate(limits: mailbox.limits)
        backlog = OutgoingBacklog(
            messagesMax: mailbox.limits.outgoingMessagesMax,
            bytesMax: mailbox.limits.outgoingBytesMax)
        // The handler is there before the first peer can knock and closes after the socket:
        // without one, ZeroMQ would let in everybody.
        var handler: ZeroMQSocket?
        do {
            if role.isListener { handler = try Self.openZAP(in: context) }
            (socket, monitor) = try Self.open(role, in: context, mailbox.limits, number: 1)
        } catch {
            // A context ends only when all its sockets are closed.
            handler?.close()
            context.terminate()
            throw error
        }
        zap = handler
    }

    /// Works until the mailbox is closed, then sends what is left, within the linger.
    func run() {
        while !mailbox.isClosing {
            if !turn() { sleep() }
        }
        finish()
    }

    /// Does everything that can be done now; false when that was nothing.
    func turn() -> Bool {
        var tally = MessagingStatistics()
        let hasTended = role.isListener && tendListener(&tally)
        let hasAnswered = answerZAP(&tally)
        let hasNews = readMonitor(&tally)
        let hasSent = sendWaiting(&tally)
        let hasReceived = takeIn(&tally)
        redialIfDue()
        guard hasTended || hasAnswered || hasNews || hasSent || hasReceived else { return false }
        mailbox.count { $0.add(tally) }
        return true
    }

    // MARK: Waiting

    /// Waits for something to do, at most so many milliseconds; negative: for as long as it takes.
    ///
    /// - Parameter watching: What ends the wait too.
    func sleep(atMost milliseconds: Int = -1, watching: [WatchedDescriptor] = []) {
        let isFull = mailbox.incoming.room.elements == 0
        mailbox.prepareToSleep(heldBack: isFull)
        defer { mailbox.wakeUp() }
        // Work that was added before the announcement has raised no signal.
        guard !mailbox.isClosing, !canTakeOutgoing || mailbox.outgoing.count == 0 else { return }
        if isFull && mailbox.incoming.room.elements > 0 { return }
        var events = isFull ? 0 : ZMQ_POLLIN
        // A full connection says when it has room again; a listener's socket cannot tell for one
        // peer and is asked again by time.
        if !backlog.isEmpty && !role.isListener { events |= ZMQ_POLLOUT }
        let own = timeout
        let wait = own < 0 || (milliseconds >= 0 && milliseconds < own) ? milliseconds : own
        poll(socketEvents: Int16(events), timeout: wait, watching: watching)
    }

    private var timeout: Int {
        if role.isListener && !backlog.isEmpty { return 1 }
        if let due = gate.looksAgainAt { return max(1, Int((due - clock.now).milliseconds)) }
        guard let redialAt else { return -1 }
        return Int((redialAt - clock.now).milliseconds)
    }

    private func poll(
        socketEvents: Int16, timeout: Int, watching: [WatchedDescriptor] = []
    ) {
        let reading = Int16(ZMQ_POLLIN)
        var items = [
            zmq_pollitem_t(socket: nil, fd: mailbox.signal.descriptor, events: reading, revents: 0),
            zmq_pollitem_t(socket: monitor.handle, fd: 0, events: reading, revents: 0),
            zmq_pollitem_t(socket: socket.handle, fd: 0, events: socketEvents, revents: 0),
        ]
        if let zap {
            items.append(zmq_pollitem_t(socket: zap.handle, fd: 0, events: reading, revents: 0))
        }
        for watched in watching where watched.descriptor >= 0 {
            let events = Int16(watched.awaitsRoom ? ZMQ_POLLOUT : ZMQ_POLLIN)
            items.append(
                zmq_pollitem_t(socket: nil, fd: watched.descriptor, events: events, revents: 0))
        }
        // An interrupted wait is a short one; the next turn finds nothing and waits again.
        zmq_poll(&items, Int32(items.count), timeout)
    }

    // MARK: Taking in

    private enum Arrival {
        case none
        case malformed
        case refused
        case message(Incoming)
    }

    private func takeIn(_ tally: inout MessagingStatistics) -> Bool {
        var room = mailbox.incoming.room
        room.elements = min(room.elements, Self.batchMessagesMax)
        let now = clock.now
        var batch: [Incoming] = []
        var malformed = 0
        var refused = 0
        var bytes = 0
        reading: while batch.count + malformed + refused < room.elements && bytes < room.weight {
            switch nextArrival(at: now) {
            case .none: break reading
            case .malformed: malformed += 1
            case .refused: refused += 1
            case .message(let message):
                bytes += message.payload.count
                batch.append(message)
            }
        }
        tally.messagesMalformed += malformed
        tally.messagesRefused += refused
        guard !batch.isEmpty else { return malformed + refused > 0 }
        // Only this thread adds, so the room can only have grown, unless the queue was closed.
        let taken = mailbox.incoming.offer(contentsOf: batch)
        tally.messagesReceived += taken
        tally.bytesReceived += bytes
        return true
    }

    private func nextArrival(at instant: ContinuousClock.Instant) -> Arrival {
        guard socket.nextFrame() else { return .none }
        var peer = RoutingID.listener
        if role.isListener {
            peer = peerOfFrame()
            guard socket.isFollowed, socket.nextFrame() else { return .malformed }
            guard isHeard(peer) else {
                socket.skipMessage()
                return .refused
            }
        }
        guard !socket.isFollowed else {
            socket.skipMessage()
            return .malformed
        }
        let payload = [UInt8](socket.frame)
        return .message(Incoming(peer: peer, payload: payload, arrival: instant))
    }

    private func peerOfFrame() -> RoutingID {
        if !peerLast.bytes.elementsEqual(socket.frame) {
            peerLast = RoutingID(received: [UInt8](socket.frame))
        }
        return peerLast
    }

    // MARK: Sending

    /// Whether a message from the outgoing queue would not have to wait behind an older one.
    private var canTakeOutgoing: Bool { role.isListener || backlog.isEmpty }

    private func sendWaiting(_ tally: inout MessagingStatistics) -> Bool {
        let sentBefore = tally.messagesSent + tally.messagesUnreachable
        for peer in backlog.peers { sendBacklog(of: peer, &tally) }
        let hasMoved = tally.messagesSent + tally.messagesUnreachable > sentBefore
        guard canTakeOutgoing else { return hasMoved }
        let batch = mailbox.outgoing.take(atMost: Self.batchMessagesMax, within: .zero)
        for message in batch { sendOrKeep(message, &tally) }
        return hasMoved || !batch.isEmpty
    }

    private func sendBacklog(of peer: RoutingID, _ tally: inout MessagingStatistics) {
        while let payload = backlog.first(for: peer) {
            switch send(Outgoing(peer: peer, payload: payload)) {
            case .wouldBlock:
                return
            case .sent:
                backlog.removeFirst(for: peer)
                tally.messagesSent += 1
                tally.bytesSent += payload.count
            case .unreachable:
                tally.messagesUnreachable += backlog.removeAll(for: peer)
            }
        }
    }

    private func sendOrKeep(_ message: Outgoing, _ tally: inout MessagingStatistics) {
        let outcome =
            !backlog.isEmpty && backlog.hasLine(for: message.peer)
            ? ZeroMQSocket.SendOutcome.wouldBlock : send(message)
        switch outcome {
        case .sent:
            tally.messagesSent += 1
            tally.bytesSent += message.payload.count
        case .unreachable:
            tally.messagesUnreachable += 1
        case .wouldBlock:
            if !backlog.append(message) { tally.messagesOverflowed += 1 }
        }
    }

    private func send(_ message: Outgoing) -> ZeroMQSocket.SendOutcome {
        guard role.isListener else { return socket.send(message.payload) }
        guard !peers.isRevoked(message.peer) else { return .unreachable }
        let outcome = socket.send(message.peer.bytes, isFollowed: true)
        // Once the name is taken, the payload follows without waiting.
        return outcome == .sent ? socket.send(message.payload) : outcome
    }

    // MARK: Ending

    /// Sends what is left, within the linger, and closes everything.
    func finish() {
        let deadline = clock.now + mailbox.limits.linger
        var tally = MessagingStatistics()
        while clock.now < deadline && (mailbox.outgoing.count > 0 || !backlog.isEmpty) {
            if !sendWaiting(&tally) {
                poll(socketEvents: 0, timeout: 1)
                _ = answerZAP(&tally)
                _ = readMonitor(&tally)
            }
        }
        mailbox.count { $0.add(tally) }
        try? socket.set(ZMQ_LINGER, (deadline - clock.now).milliseconds)
        closeSocket()
        zap?.close()
        context.terminate()
    }

    private func closeSocket() {
        zmq_socket_monitor(socket.handle, nil, 0)
        monitor.close()
        socket.close()
    }

    // MARK: Opening

    /// Gives up on a socket whose connection ZeroMQ will not try again, and starts afresh.
    private func redialIfDue() {
        guard let due = redialAt, clock.now >= due else { return }
        redialAt = nil
        // What is still in the old socket has nobody left to go to.
        try? socket.set(ZMQ_LINGER, 0)
        socketCount += 1
        let limits = mailbox.limits
        guard let pair = try? Self.open(role, in: context, limits, number: socketCount) else {
            // Out of descriptors, say. The old socket stays until the next attempt.
            redialAt = clock.now + limits.reconnectIntervalMax
            return
        }
        closeSocket()
        (socket, monitor) = pair
    }

    private static func open(
        _ role: SocketRole, in context: ZeroMQContext, _ limits: MessagingLimits, number: Int
    ) throws(MessagingError) -> (socket: ZeroMQSocket, monitor: ZeroMQSocket) {
        let socket = try role.makeSocket(in: context, limits: limits)
        let monitor = try context.socket(ZMQ_PAIR)
        // ZeroMQ's own thread would wait for room here, so there is no bound; every turn reads it.
        try monitor.set(ZMQ_RCVHWM, 0)
        try monitor.set(ZMQ_LINGER, 0)
        let name = "inproc://monitor-\(number)"
        guard zmq_socket_monitor(socket.handle, name, MonitorEvent.mask) == 0 else {
            throw .lastZeroMQ("zmq_socket_monitor")
        }
        try monitor.connect(name)
        if role.isListener {
            try socket.bind(role.endpoint)
        } else {
            try socket.connect(role.endpoint)
        }
        return (socket, monitor)
    }

    private static func openZAP(in context: ZeroMQContext) throws(MessagingError) -> ZeroMQSocket {
        let zap = try context.socket(ZMQ_REP)
        try zap.set(ZMQ_LINGER, 0)
        try zap.bind("inproc://zeromq.zap.01")
        return zap
    }
}
