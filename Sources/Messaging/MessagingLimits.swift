/// What a socket may hold and how long it waits.
public struct MessagingLimits: Hashable, Sendable {
    /// The largest payload that is taken in; a peer that sends a larger one is disconnected.
    public var payloadBytesMax = 64 << 20
    /// How many received messages wait for `receive` before the socket is no longer read.
    public var incomingMessagesMax = 65_536
    /// How many received bytes wait for `receive` before the socket is no longer read.
    public var incomingBytesMax = 256 << 20
    /// How many messages wait to be sent before `send` refuses more.
    public var outgoingMessagesMax = 262_144
    /// How many bytes wait to be sent before `send` refuses more.
    public var outgoingBytesMax = 512 << 20
    /// How many messages ZeroMQ buffers each way for each peer (its high-water mark).
    public var peerMessagesMax = 4_096
    /// How long `close()` keeps trying to send what is left.
    public var linger = Duration.seconds(1)
    /// How often ZeroMQ pings a silent peer.
    public var heartbeatInterval = Duration.seconds(2)
    /// How long a peer may stay silent after a ping before ZeroMQ drops the connection.
    public var heartbeatTimeout = Duration.seconds(10)
    /// How long a connection may take to prove who it is.
    public var handshakeTimeout = Duration.seconds(10)
    /// How long a call may take to be answered before it is made anew: one that is kept out is not
    /// answered, and the system's own repetitions grow apart.
    public var connectTimeout = Duration.seconds(4)
    /// How many connections may be proving who they are at the same time before a listener takes
    /// in no more but from where somebody has come in before.
    public var handshakesPendingMax = 2_048
    /// How many refused handshakes a second a listener puts up with, a quarter of it from one
    /// address, before it takes in no more from there; ten seconds' worth may come at once.
    public var refusalsPerSecond = 20.0
    /// How often it looks meanwhile whether they may come again.
    public var admissionPause = Duration.milliseconds(200)
    /// The wait before the first attempt to connect again; a random part of it is added.
    public var reconnectInterval = Duration.milliseconds(50)
    /// The longest wait between attempts to connect again.
    public var reconnectIntervalMax = Duration.seconds(5)

    /// The defaults above.
    public init() {}

    /// Stops the program if the limits contradict ZeroMQ or themselves.
    func check() {
        // A handshake command of CURVE needs about 600 bytes, and frames are limited from the
        // first one on.
        precondition(payloadBytesMax >= 1_024, "payloadBytesMax is \(payloadBytesMax), below 1024")
        precondition(peerMessagesMax >= 1, "peerMessagesMax is \(peerMessagesMax), below 1")
        precondition(
            handshakesPendingMax >= 1 && refusalsPerSecond > 0,
            "\(handshakesPendingMax) handshakes, \(refusalsPerSecond) refusals a second")
        precondition(linger >= .zero, "linger is \(linger), negative")
        precondition(
            connectTimeout >= .milliseconds(1), "connectTimeout is \(connectTimeout)")
        precondition(
            reconnectInterval >= .milliseconds(1) && reconnectIntervalMax >= reconnectInterval,
            "reconnectInterval is \(reconnectInterval), up to \(reconnectIntervalMax)")
    }
}

extension Duration {
    /// Milliseconds, rounded up, as ZeroMQ wants them.
    var milliseconds: Int32 {
        let whole = components.seconds.multipliedReportingOverflow(by: 1_000)
        let part = (components.attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000
        guard !whole.overflow else { return components.seconds < 0 ? 0 : Int32.max }
        return Int32(clamping: max(0, whole.partialValue + part))
    }
}
