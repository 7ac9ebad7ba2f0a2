/// What a socket has done since it was opened. All counts only rise.
public struct MessagingStatistics: Hashable, Sendable {
    /// Messages handed to `receive`.
    public var messagesReceived = 0
    /// Payload bytes of those.
    public var bytesReceived = 0
    /// Messages handed to ZeroMQ for sending.
    public var messagesSent = 0
    /// Payload bytes of those.
    public var bytesSent = 0
    /// Handshakes that ended in an encrypted connection.
    public var handshakesAccepted = 0
    /// Handshakes that ended otherwise: key not allowed, no CURVE, garbage, or given up half way.
    public var handshakesRefused = 0
    /// Of the refused ones, those whose key is not on the allow-list.
    public var keysRefused = 0
    /// How often the listener began to take in no connections for a while, from everywhere or from
    /// one address more, as too many came that proved nothing.
    public var admissionPauses = 0
    /// Connections that ended, for whatever reason, after or during the handshake.
    public var disconnections = 0
    /// Received messages that were dropped because they are not one payload frame.
    public var messagesMalformed = 0
    /// Received messages that were dropped because their sender's key was revoked, or because they
    /// use a name that belongs to another key.
    public var messagesRefused = 0
    /// Messages that were dropped because their peer is not connected, or its key was revoked.
    public var messagesUnreachable = 0
    /// Messages that were dropped because too much was waiting to be sent, or they are too large.
    public var messagesOverflowed = 0

    /// Nothing has happened.
    public init() {}

    /// All messages that went no further, either way.
    public var messagesDropped: Int {
        messagesMalformed + messagesRefused + messagesUnreachable + messagesOverflowed
    }
}

/// One refused handshake, for the log.
public struct Refusal: Hashable, Sendable {
    /// Where it came from, as far as known: an address, or the endpoint it was made to.
    public let address: String
    /// The key that is not on the allow-list; nil when no key was proved.
    public let publicKey: CurvePublicKey?
    /// What was wrong.
    public let reason: String
}
