import CZeroMQ
import Glibc

/// One ZeroMQ context: its own background thread and its own `inproc` names.
///
/// Each socket of ours gets one, so that each has its own ZAP handler.
struct ZeroMQContext {
    private let handle: UnsafeMutableRawPointer

    init() throws(MessagingError) {
        guard zmq_has("curve") == 1 else { throw MessagingError.curveMissing }
        guard let handle = zmq_ctx_new() else { throw .lastZeroMQ("zmq_ctx_new") }
        self.handle = handle
    }

    func socket(_ type: Int32) throws(MessagingError) -> ZeroMQSocket {
        guard let socket = zmq_socket(handle, type) else { throw .lastZeroMQ("zmq_socket") }
        return ZeroMQSocket(handle: socket)
    }

    /// Ends the context once all its sockets are closed and have used up their linger.
    func terminate() {
        while zmq_ctx_term(handle) != 0 && zmq_errno() == EINTR {}
    }
}

extension MessagingError {
    /// What ZeroMQ says about the call that has just failed on this thread.
    static func lastZeroMQ(_ operation: String) -> MessagingError {
        .system(operation: operation, reason: String(cString: zmq_strerror(zmq_errno())))
    }

    /// The same for a call about an endpoint, where the usual mistakes have a cure.
    static func lastZeroMQ(_ operation: String, endpoint: String) -> MessagingError {
        switch zmq_errno() {
        case EADDRINUSE: .addressInUse(endpoint: endpoint)
        case EADDRNOTAVAIL, ENODEV: .addressUnavailable(endpoint: endpoint)
        case EACCES: .addressForbidden(endpoint: endpoint)
        case EINVAL, EPROTONOSUPPORT, ENOCOMPATPROTO: .endpointInvalid(endpoint: endpoint)
        default: .lastZeroMQ("\(operation) \(endpoint)")
        }
    }
}
