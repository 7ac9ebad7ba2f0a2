/// The end of one connection: a DEALER socket that knows its listener's key and proves its own.
///
/// It connects, and connects again whenever the connection is lost or was refused, with growing
/// and jittered waits. One thread owns the socket. All methods may be called from any thread, and
/// none but `receive` and `close` waits.
public final class Connection: Sendable {
    /// Where it connects to.
    public let endpoint: String

    private let host: any SocketHost

    /// Starts to connect. That nobody listens there yet is not an error.
    ///
    /// - Parameters:
    ///   - endpoint: Such as `tcp://coordinator.example.org:5555`.
    ///   - serverKey: Whom to expect there; anyone else is not talked to.
    ///   - keyPair: Who we are.
    ///   - routingID: What the listener is to call us. One that takes up the name of another
    ///     replaces it.
    ///   - limits: What to hold at most, and for how long.
    ///   - threadName: What process listings show.
    ///   - isDriven: Has no thread of its own: the socket rests while nobody is in `receive`, which
    ///     one thread calls again and again, and which also sends. That thread closes it, too.
    public init(
        endpoint: String, serverKey: CurvePublicKey, keyPair: CurveKeyPair, routingID: RoutingID,
        limits: MessagingLimits = MessagingLimits(), threadName: String = "fathom-connect",
        isDriven: Bool = false
    ) throws(MessagingError) {
        self.endpoint = endpoint
        let role = SocketRole.connection(
            endpoint: endpoint, serverKey: serverKey, keyPair: keyPair, routingID: routingID)
        let mailbox = try Mailbox(limits: limits)
        if isDriven {
            host = try DrivenSocket(role: role, mailbox: mailbox)
        } else {
            host = try SocketThread(name: threadName, role: role, mailbox: mailbox)
        }
    }

    /// Takes received messages, waiting until there is at least one.
    ///
    /// - Returns: Up to `countMax` messages, oldest first; none when the time was over, `wake()`
    ///   was called, or the connection is closed and drained.
    public func receive(atMost countMax: Int, within duration: Duration) -> [Incoming] {
        host.receive(atMost: countMax, within: duration)
    }

    /// The same for a driven connection whose thread waits for something else too.
    ///
    /// - Parameter watching: Descriptors that end the wait; on return they say which are ready.
    public func receive(
        atMost countMax: Int, within duration: Duration, watching: inout [WatchedDescriptor]
    ) -> [Incoming] {
        host.receive(atMost: countMax, within: duration, watching: &watching)
    }

    /// Queues a message. It is kept while there is no connection, as far as the limits allow, but
    /// may be lost with a connection that breaks: whoever needs an answer asks again.
    ///
    /// - Returns: False when it is larger than the limit, too much is waiting already, or the
    ///   connection is closed; the message was then dropped and counted.
    @discardableResult
    public func send(_ payload: [UInt8]) -> Bool {
        host.mailbox.send(Outgoing(peer: .listener, payload: payload))
    }

    /// Makes a `receive` that waits, or else the next one, return at once.
    public func wake() {
        host.wake()
    }

    /// What has happened so far. `handshakesAccepted` rises with every new connection, which tells
    /// a session that it has to introduce itself again.
    public var statistics: MessagingStatistics { host.mailbox.statistics }

    /// The refused handshakes since the last call, oldest first; the latest 64 at most.
    public func takeRefusals() -> [Refusal] {
        host.mailbox.takeRefusals()
    }

    /// Sends what is queued for as long as the linger allows, disconnects and ends the thread.
    ///
    /// What was received can still be taken. Closing again does nothing.
    public func close() {
        host.close()
    }
}
