import CZeroMQ

/// What ZeroMQ reports about the connections of a socket, as far as we act on it.
enum MonitorEvent: Equatable {
    case connected
    /// The listener has opened its port, on this descriptor.
    case listening(descriptor: Int32)
    /// Somebody has connected and has not proved anything yet.
    case accepted
    case retrying
    case handshakeAccepted
    /// The peer or we refused for good: ZeroMQ will not try this connection again by itself.
    case handshakeRefused(endpoint: String, reason: String)
    /// The peer was refused by the ZAP handler, here or over there.
    case keyRefused(endpoint: String)
    case handshakeAbandoned(endpoint: String)
    case disconnected

    /// What to subscribe to.
    static let mask =
        ZMQ_EVENT_CONNECTED | ZMQ_EVENT_LISTENING | ZMQ_EVENT_ACCEPTED
        | ZMQ_EVENT_CONNECT_RETRIED | ZMQ_EVENT_DISCONNECTED
        | ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL
        | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH | ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL

    /// The most frames an event has.
    static let framesMax = 2

    /// Reads an event; nil for those that nobody waits for.
    init?(frames: [[UInt8]]) {
        guard frames.count == 2, frames[0].count == 6 else { return nil }
        let number = frames[0].withUnsafeBytes { $0.loadUnaligned(as: UInt16.self) }
        let value = frames[0].withUnsafeBytes {
            $0.loadUnaligned(fromByteOffset: 2, as: Int32.self)
        }
        let endpoint = String(decoding: frames[1], as: UTF8.self)
        switch Int32(number) {
        case ZMQ_EVENT_CONNECTED: self = .connected
        case ZMQ_EVENT_LISTENING: self = .listening(descriptor: value)
        case ZMQ_EVENT_ACCEPTED: self = .accepted
        case ZMQ_EVENT_CONNECT_RETRIED: self = .retrying
        case ZMQ_EVENT_DISCONNECTED: self = .disconnected
        case ZMQ_EVENT_HANDSHAKE_SUCCEEDED: self = .handshakeAccepted
        case ZMQ_EVENT_HANDSHAKE_FAILED_AUTH: self = .keyRefused(endpoint: endpoint)
        case ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL:
            self = .handshakeAbandoned(endpoint: endpoint)
        case ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL:
            self = .handshakeRefused(endpoint: endpoint, reason: Self.reason(value))
        default: return nil
        }
    }

    private static func reason(_ code: Int32) -> String {
        switch code {
        case ZMQ_PROTOCOL_ERROR_ZMTP_MECHANISM_MISMATCH:
            "no CURVE encryption"
        case ZMQ_PROTOCOL_ERROR_ZMTP_CRYPTOGRAPHIC,
            ZMQ_PROTOCOL_ERROR_ZMTP_MALFORMED_COMMAND_HELLO,
            ZMQ_PROTOCOL_ERROR_ZMTP_KEY_EXCHANGE:
            "encrypted for another server key"
        default:
            "protocol error 0x\(String(code, radix: 16))"
        }
    }
}
