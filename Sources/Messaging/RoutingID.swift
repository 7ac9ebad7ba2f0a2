/// The name under which a listener reaches one peer, chosen by that peer.
public struct RoutingID: Hashable, Sendable {
    /// The name's 1 to 255 bytes; none for the one peer of a `Connection`.
    public let bytes: [UInt8]

    /// The listener at the other end of a connection, which needs no name.
    public static let listener = RoutingID(received: [])

    /// Takes a name.
    ///
    /// - Throws: `MessagingError.routingIDInvalid` unless it has 1 to 255 bytes, not zero first.
    public init(_ bytes: [UInt8]) throws(MessagingError) {
        guard (1...255).contains(bytes.count), bytes[0] != 0 else {
            throw MessagingError.routingIDInvalid(
                bytes: bytes.count, startsWithZero: bytes.first == 0)
        }
        self.bytes = bytes
    }

    /// Takes a name in UTF-8.
    public init(_ name: String) throws(MessagingError) {
        try self.init(Array(name.utf8))
    }

    /// Takes what ZeroMQ delivered, which includes names it made up for peers without one.
    init(received bytes: [UInt8]) {
        self.bytes = bytes
    }
}

extension RoutingID: CustomStringConvertible {
    /// The name as text when it is printable ASCII, otherwise in hexadecimal digits.
    public var description: String {
        if bytes.allSatisfy({ (0x21...0x7e).contains($0) }) {
            return String(decoding: bytes, as: UTF8.self)
        }
        let hex = bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }
        return "0x" + hex.joined()
    }
}

/// One message that arrived.
public struct Incoming: Hashable, Sendable {
    /// Who sent it; `RoutingID.listener` when it came over a `Connection`.
    public let peer: RoutingID
    /// Its bytes, undecoded.
    public let payload: [UInt8]
    /// When the I/O thread took it from the socket, to within the batch it came with.
    public let arrival: ContinuousClock.Instant
}

/// One message on its way out.
struct Outgoing: Sendable {
    let peer: RoutingID
    let payload: [UInt8]
}
