/// The end of many connections: a ROUTER socket that lets in whose key is on its allow-list.
///
/// One thread owns the socket and its ZAP handler. All methods may be called from any thread, and
/// none but `receive` and `close` waits.
public final class Listener: Sendable {
    /// Where it listens, with the port that the system chose if it was asked to.
    public var endpoint: String { host.endpoint }

    private let host: any SocketHost

    /// Starts to listen.
    ///
    /// - Parameters:
    ///   - endpoint: Such as `tcp://0.0.0.0:5555`; port `*` or `0` lets the system choose.
    ///   - keyPair: Who we are. Peers must know the public half beforehand.
    ///   - allowList: Whose connections are accepted.
    ///   - limits: What to hold at most, and for how long.
    ///   - threadName: What process listings show.
    ///   - isDriven: Has no thread of its own: the socket rests while nobody is in `receive`, which
    ///     one thread calls again and again. That thread closes it, too; others may send.
    public init(
        endpoint: String, keyPair: CurveKeyPair, allowList: Set<CurvePublicKey>,
        limits: MessagingLimits = MessagingLimits(), threadName: String = "fathom-listen",
        isDriven: Bool = false
    ) throws(MessagingError) {
        let role = SocketRole.listener(endpoint: endpoint, keyPair: keyPair)
        let mailbox = try Mailbox(limits: limits, allowList: allowList)
        if isDriven {
            host = try DrivenSocket(role: role, mailbox: mailbox)
        } else {
            host = try SocketThread(name: threadName, role: role, mailbox: mailbox)
        }
    }

    /// Replaces the keys that may connect and be heard from now on. Connections of keys that are no
    /// longer among them are neither read nor written any more.
    public func allow(_ keys: Set<CurvePublicKey>) {
        host.mailbox.allow(keys)
    }

    /// Peers whose keys were taken off the allow-list since the last call.
    public func takeRevoked() -> [RoutingID] {
        host.mailbox.takeRevoked()
    }

    /// Takes received messages, waiting until there is at least one.
    ///
    /// - Returns: Up to `countMax` messages, oldest first; none when the time was over, `wake()`
    ///   was called, or the listener is closed and drained.
    public func receive(atMost countMax: Int, within duration: Duration) -> [Incoming] {
        host.receive(atMost: countMax, within: duration)
    }

    /// Queues a message to a peer. One whose peer is not connected is dropped and counted.
    ///
    /// - Returns: False when it is larger than the limit, too much is waiting already, or the
    ///   listener is closed; the message was then dropped and counted.
    @discardableResult
    public func send(_ payload: [UInt8], to peer: RoutingID) -> Bool {
        host.mailbox.send(Outgoing(peer: peer, payload: payload))
    }

    /// Whether a `receive` would answer at once.
    public var hasIncoming: Bool { host.hasIncoming }

    /// Makes a `receive` that waits, or else the next one, return at once.
    public func wake() {
        host.wake()
    }

    /// What has happened so far.
    public var statistics: MessagingStatistics { host.mailbox.statistics }

    /// The refused handshakes since the last call, oldest first; the latest 64 at most.
    public func takeRefusals() -> [Refusal] {
        host.mailbox.takeRefusals()
    }

    /// Stops listening, sends what is queued for as long as the linger allows, and ends the thread.
    ///
    /// What was received can still be taken. Closing again does nothing.
    public func close() {
        host.close()
    }
}
