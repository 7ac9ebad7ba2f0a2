import Synchronization

/// What an I/O thread shares with the threads that send and receive through it.
final class Mailbox: Sendable {
    let limits: MessagingLimits
    let incoming: BoundedQueue<Incoming>
    let outgoing: BoundedQueue<Outgoing>
    let signal: WakeSignal
    /// Which keys may connect; only a listener asks.
    let allowList: Mutex<Set<CurvePublicKey>>
    /// How often the allow-list was replaced.
    let allowListEdition = Atomic(0)

    /// The I/O thread is about to wait and must be woken.
    private let isSleeping = Atomic(false)
    /// The I/O thread has left messages in the socket, as the incoming queue was full.
    private let isHeldBack = Atomic(false)
    private let closing = Atomic(false)
    private let record = Mutex(Record())

    private struct Record {
        var statistics = MessagingStatistics()
        var refusals: [Refusal] = []
        var revoked: [RoutingID] = []
    }

    /// How many refusals are kept for the log; older ones are counted only.
    private static let refusalsMax = 64

    init(limits: MessagingLimits, allowList: Set<CurvePublicKey> = []) throws(MessagingError) {
        limits.check()
        self.limits = limits
        self.allowList = Mutex(allowList)
        signal = try WakeSignal()
        incoming = BoundedQueue(
            capacity: limits.incomingMessagesMax, weightMax: limits.incomingBytesMax,
            weigh: { $0.payload.count })
        outgoing = BoundedQueue(
            capacity: limits.outgoingMessagesMax, weightMax: limits.outgoingBytesMax,
            weigh: { $0.payload.count })
    }

    // MARK: For the threads that send and receive

    func receive(atMost countMax: Int, within duration: Duration) -> [Incoming] {
        let messages = incoming.take(atMost: countMax, within: duration)
        if isHeldBack.load(ordering: .sequentiallyConsistent),
            isHeldBack.exchange(false, ordering: .sequentiallyConsistent)
        {
            signal.raise()
        }
        return messages
    }

    func send(_ message: Outgoing) -> Bool {
        guard message.payload.count <= limits.payloadBytesMax, outgoing.offer(message) else {
            count { $0.messagesOverflowed += 1 }
            return false
        }
        wakeIfSleeping()
        return true
    }

    var isClosing: Bool { closing.load(ordering: .sequentiallyConsistent) }

    /// Asks the I/O thread to end.
    func close() {
        closing.store(true, ordering: .sequentiallyConsistent)
        outgoing.close()
        incoming.close()
        signal.raise()
    }

    var statistics: MessagingStatistics { record.withLock { $0.statistics } }

    func takeRefusals() -> [Refusal] {
        record.withLock { record in
            defer { record.refusals = [] }
            return record.refusals
        }
    }

    func takeRevoked() -> [RoutingID] {
        record.withLock { record in
            defer { record.revoked = [] }
            return record.revoked
        }
    }

    /// Replaces the keys that may connect and be heard from now on.
    func allow(_ keys: Set<CurvePublicKey>) {
        allowList.withLock { $0 = keys }
        allowListEdition.add(1, ordering: .sequentiallyConsistent)
        signal.raise()
    }

    private func wakeIfSleeping() {
        // The plain look first spares a busy thread the exchange, which is dearer.
        if isSleeping.load(ordering: .sequentiallyConsistent),
            isSleeping.exchange(false, ordering: .sequentiallyConsistent)
        {
            signal.raise()
        }
    }

    // MARK: For the I/O thread

    /// Announces that the I/O thread is about to wait. It must look for work once more after this
    /// and before waiting: whoever adds work from now on raises the signal, those before did not.
    func prepareToSleep(heldBack: Bool) {
        isHeldBack.store(heldBack, ordering: .sequentiallyConsistent)
        isSleeping.store(true, ordering: .sequentiallyConsistent)
    }

    func wakeUp() {
        isSleeping.store(false, ordering: .sequentiallyConsistent)
        isHeldBack.store(false, ordering: .sequentiallyConsistent)
        signal.clear()
    }

    func count(_ update: (inout MessagingStatistics) -> Void) {
        record.withLock { update(&$0.statistics) }
    }

    func note(revoked peers: [RoutingID]) {
        record.withLock { $0.revoked += peers }
    }

    func note(_ refusal: Refusal) {
        record.withLock { record in
            if record.refusals.count == Self.refusalsMax { record.refusals.removeFirst() }
            record.refusals.append(refusal)
        }
    }
}
