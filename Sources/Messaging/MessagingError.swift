/// Why a socket or a thread could not be set up.
public enum MessagingError: Error, Equatable {
    /// Another program listens where we were to listen.
    case addressInUse(endpoint: String)
    /// This machine has no such address or interface.
    case addressUnavailable(endpoint: String)
    /// The system does not let this user listen there.
    case addressForbidden(endpoint: String)
    /// The text is not an endpoint.
    case endpointInvalid(endpoint: String)
    /// A routing id has to be 1 to 255 bytes and must not begin with a zero byte.
    case routingIDInvalid(bytes: Int, startsWithZero: Bool)
    /// The installed libzmq was built without encryption.
    case curveMissing
    /// The system refused to start a thread.
    case threadRefused(name: String, reason: String)
    /// Anything else that the system or ZeroMQ refused.
    case system(operation: String, reason: String)

    /// Whether the same call may succeed later without anyone changing the settings.
    public var isTransient: Bool {
        switch self {
        case .addressInUse, .threadRefused, .system: true
        case .addressUnavailable, .addressForbidden, .endpointInvalid, .routingIDInvalid,
            .curveMissing:
            false
        }
    }
}

extension MessagingError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .addressInUse(let endpoint):
            "\(endpoint) is in use by another program; choose another port or stop it"
        case .addressUnavailable(let endpoint):
            "\(endpoint) is not an address of this machine; name one of its own or use tcp://*:PORT"
        case .addressForbidden(let endpoint):
            "listening on \(endpoint) is not permitted; choose a port from 1024 to 65535"
        case .endpointInvalid(let endpoint):
            "the endpoint is \"\(endpoint)\"; write it like tcp://127.0.0.1:5555"
        case .routingIDInvalid(let bytes, let startsWithZero):
            startsWithZero
                ? "the routing id begins with a zero byte, which ZeroMQ keeps for itself"
                : "the routing id has \(bytes) bytes; it takes 1 to 255"
        case .curveMissing:
            "this libzmq was built without CURVE; install one with libsodium (Debian: libzmq5)"
        case .threadRefused(let name, let reason):
            "thread \"\(name)\" could not start: \(reason); raise the limit on threads (ulimit -u)"
        case .system(let operation, let reason):
            "\(operation) failed: \(reason)"
        }
    }
}
