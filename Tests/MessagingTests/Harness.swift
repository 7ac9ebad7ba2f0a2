import CZeroMQ
import FathomMessaging
import Glibc

/// A listener with one allowed client, on a port of its own.
struct Harness {
    let serverKeys: CurveKeyPair
    let clientKeys: CurveKeyPair
    let listener: Listener

    init(limits: MessagingLimits = .quick) throws {
        serverKeys = try CurveKeyPair.generate()
        clientKeys = try CurveKeyPair.generate()
        listener = try Listener(
            endpoint: "tcp://127.0.0.1:*", keyPair: serverKeys,
            allowList: [clientKeys.publicKey], limits: limits)
    }

    func connect(
        as name: String = "worker-1", keys: CurveKeyPair? = nil, server: CurvePublicKey? = nil,
        limits: MessagingLimits = .quick
    ) throws -> Connection {
        try Connection(
            endpoint: listener.endpoint, serverKey: server ?? serverKeys.publicKey,
            keyPair: keys ?? clientKeys, routingID: RoutingID(name), limits: limits)
    }
}

extension MessagingLimits {
    /// Short waits, so that a test that needs a second attempt does not take seconds.
    static var quick: MessagingLimits {
        var limits = MessagingLimits()
        limits.reconnectInterval = .milliseconds(10)
        limits.reconnectIntervalMax = .milliseconds(100)
        limits.linger = .milliseconds(500)
        return limits
    }
}

/// Receives until `count` messages are there or half a minute is over, for other tests compute
/// meanwhile.
func collect(_ count: Int, from receive: (Int, Duration) -> [Incoming]) -> [Incoming] {
    var messages: [Incoming] = []
    let deadline = ContinuousClock.now + .seconds(30)
    while messages.count < count && ContinuousClock.now < deadline {
        messages += receive(count - messages.count, deadline - ContinuousClock.now)
    }
    return messages
}

/// Waits, looking again every few milliseconds, until a condition holds; false after half a minute,
/// for other tests compute meanwhile.
func eventually(_ condition: () -> Bool) -> Bool {
    let pause = BoundedQueue<Int>(capacity: 1)
    let deadline = ContinuousClock.now + .seconds(30)
    while ContinuousClock.now < deadline {
        if condition() { return true }
        _ = pause.take(atMost: 1, within: .milliseconds(5))
    }
    return condition()
}

/// A DEALER socket without our code around it, for what our code never sends.
final class RawClient {
    private let context = zmq_ctx_new()
    private let socket: UnsafeMutableRawPointer?

    /// Connects, in plain text when `keys` is nil.
    init(endpoint: String, server: CurvePublicKey, keys: CurveKeyPair?) {
        socket = zmq_socket(context, ZMQ_DEALER)
        var linger: Int32 = 0
        zmq_setsockopt(socket, ZMQ_LINGER, &linger, 4)
        if let keys {
            zmq_setsockopt(socket, ZMQ_CURVE_SERVERKEY, server.z85, 41)
            zmq_setsockopt(socket, ZMQ_CURVE_PUBLICKEY, keys.publicKey.z85, 41)
            zmq_setsockopt(socket, ZMQ_CURVE_SECRETKEY, keys.secretKey, 41)
        }
        zmq_connect(socket, endpoint)
    }

    deinit {
        zmq_close(socket)
        zmq_ctx_term(context)
    }

    func send(_ frames: [[UInt8]]) {
        for (index, frame) in frames.enumerated() {
            zmq_send(socket, frame, frame.count, index + 1 < frames.count ? ZMQ_SNDMORE : 0)
        }
    }
}

/// A TCP connection that never says anything.
final class SilentClient {
    private let descriptor: Int32

    init(endpoint: String) {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = (UInt16(endpoint.split(separator: ":").last ?? "") ?? 0).bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        _ = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }

    deinit { close(descriptor) }
}
