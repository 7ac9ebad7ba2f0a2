import CZeroMQ
import FathomMessaging
import Glibc

/// A listener with one allowed client, on a port of its own.
struct Harness {
    let serverKeys: CurveKeyPair
    let clientKeys: CurveKeyPair
    let listener: Listener

    init(limits: MessagingLimits = .quick, endpoint: String = "tcp://127.0.0.1:*") throws {
        serverKeys = try CurveKeyPair.generate()
        clientKeys = try CurveKeyPair.generate()
        listener = try Listener(
            endpoint: endpoint, keyPair: serverKeys,
            allowList: [clientKeys.publicKey], limits: limits)
    }

    func connect(
        as name: String = "worker-1", keys: CurveKeyPair? = nil, server: CurvePublicKey? = nil,
        at endpoint: String? = nil, limits: MessagingLimits = .quick
    ) throws -> Connection {
        try Connection(
            endpoint: endpoint ?? listener.endpoint, serverKey: server ?? serverKeys.publicKey,
            keyPair: keys ?? clientKeys, routingID: RoutingID(name), limits: limits)
    }
}

extension MessagingLimits {
    /// Short waits, so that a test that needs a second attempt does not take seconds.
    static var quick: MessagingLimits {
        var limits = MessagingLimits()
        limits.reconnectInterval = .milliseconds(10)
        limits.reconnectIntervalMax = .milliseconds(100)
        limits.connectTimeout = .milliseconds(300)
        limits.admissionPause = .milliseconds(50)
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
        var isVersion6: Int32 = endpoint.contains("[") ? 1 : 0
        zmq_setsockopt(socket, ZMQ_IPV6, &isVersion6, 4)
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

/// Strangers who call again and again, from an address of loopback's own, until it is stopped.
final class Flood {
    private let stopped = BoundedQueue<Bool>(capacity: 1)
    private let thread: NamedThread

    /// - Parameter address: Where they come from, such as `127.0.0.2`.
    init(from address: String, at endpoint: String, server: CurvePublicKey) throws {
        let keys = try CurveKeyPair.generate()
        let target = endpoint.replacing("tcp://", with: "tcp://\(address):0;")
        thread = try NamedThread(name: "flood", stackBytes: 256 << 10) { [stopped] in
            var callers: [RawClient] = []
            while stopped.take(atMost: 1, within: .milliseconds(10)).isEmpty {
                if callers.count == Self.callersMax { callers.removeFirst() }
                callers.append(RawClient(endpoint: target, server: server, keys: keys))
            }
        }
    }

    private static let callersMax = 40

    deinit {
        stopped.offer(true)
        thread.join()
    }
}

/// A TCP connection that never says anything.
final class SilentClient {
    private let descriptor: Int32

    /// Calls, and does not wait for an answer.
    init(endpoint: String) {
        let type = SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue
        descriptor = socket(AF_INET, Int32(type), 0)
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

/// Whether this machine has a loopback of IP version 6.
let hasIPv6: Bool = {
    let descriptor = socket(AF_INET6, Int32(SOCK_STREAM.rawValue), 0)
    guard descriptor >= 0 else { return false }
    defer { close(descriptor) }
    var address = sockaddr_in6()
    address.sin6_family = sa_family_t(AF_INET6)
    address.sin6_addr = in6addr_loopback
    return withUnsafePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in6>.size)) == 0
        }
    }
}()
