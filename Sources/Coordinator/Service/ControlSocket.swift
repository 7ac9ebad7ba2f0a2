import FathomMessaging
import Glibc
public import Logging
import Synchronization

/// The socket `STORE.control` beside a store, by which its owner, and nobody else, reaches the
/// running coordinator: lines of commands in, one line of result out.
public final class ControlSocket: Sendable {
    private static let requestBytesMax = 4 << 20
    private static let patience = timeval(tv_sec: 5, tv_usec: 0)
    private let path: String
    private let descriptor: Int32
    private let isClosed = Atomic(false)
    private let steer: @Sendable ([SteeringCommand]) -> SteeringResult?
    private let metrics: @Sendable () -> String?
    private let thread = Mutex<NamedThread?>(nil)

    /// Where the control socket of a store lies.
    public static func path(ofStore store: String) -> String { store + ".control" }

    /// Listens; `nil`, with a line in the log, where that cannot be, because a sweep can do
    /// without.
    ///
    /// The store's lock must be held: a socket left behind by a killed coordinator is removed.
    public init?(
        store: String, logger: Logger,
        steer: @escaping @Sendable ([SteeringCommand]) -> SteeringResult?,
        metrics: @escaping @Sendable () -> String? = { nil }
    ) {
        path = Self.path(ofStore: store)
        self.steer = steer
        self.metrics = metrics
        unlink(path)
        let opened = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        // Nobody can connect before `listen`, so nobody gets in before the permissions are set.
        let isBound = UnixAddress.with(path) { bind(opened, $0, $1) == 0 } ?? false
        guard opened >= 0, isBound, chmod(path, 0o600) == 0, listen(opened, 8) == 0 else {
            let reason = "\(String(cString: strerror(errno))); a path has at most 107 bytes"
            logger.warning(
                "no control socket", metadata: ["path": "\(path)", "reason": "\(reason)"])
            Glibc.close(opened)
            return nil
        }
        descriptor = opened
        let thread = try? NamedThread(name: "fathom-control", stackBytes: 1 << 20) { [self] in
            serve()
        }
        self.thread.withLock { $0 = thread }
    }

    /// Stops listening and removes the socket.
    public func close() {
        guard !isClosed.exchange(true, ordering: .acquiringAndReleasing) else { return }
        shutdown(descriptor, Int32(SHUT_RDWR))
        thread.withLock { $0?.join() }
        Glibc.close(descriptor)
        unlink(path)
    }

    private func serve() {
        while !isClosed.load(ordering: .acquiring) {
            let client = accept(descriptor, nil, nil)
            guard client >= 0 else {
                if errno == EINTR || errno == ECONNABORTED { continue }
                return
            }
            answer(client)
            Glibc.close(client)
        }
    }

    private func answer(_ client: Int32) {
        var patience = Self.patience
        let size = socklen_t(MemoryLayout<timeval>.size)
        setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &patience, size)
        setsockopt(client, SOL_SOCKET, SO_SNDTIMEO, &patience, size)
        let text = DescriptorText.read(client, atMost: Self.requestBytesMax) ?? ""
        let lines = text.split(separator: "\n")
        if lines == ["metrics"] {
            return DescriptorText.write(
                metrics() ?? "refused: the coordinator is ending\n", to: client)
        }
        let commands = lines.compactMap { SteeringCommand(line: $0) }
        var reply =
            "refused: a line is a command (retry, cancel, pause, resume, forget) and a key, or metrics\n"
        if !lines.isEmpty && commands.count == lines.count {
            reply = steer(commands).map { $0.line + "\n" } ?? "refused: the coordinator is ending\n"
        }
        DescriptorText.write(reply, to: client)
    }
}

/// The other end of a control socket.
public enum ControlClient {
    /// Why a running coordinator did not do what it was asked.
    public struct Refusal: Error, Sendable, CustomStringConvertible {
        public let description: String
    }

    /// Commands of one request; more are sent in several.
    private static let commandsMax = 20_000

    /// Asks the coordinator of a store.
    ///
    /// - Returns: `nil` when none runs.
    public static func send(
        _ commands: [SteeringCommand], toStore store: String
    ) throws(Refusal) -> SteeringResult? {
        var sum = SteeringResult()
        var rest = commands[...]
        repeat {
            let some = rest.prefix(commandsMax)
            rest = rest.dropFirst(commandsMax)
            let text = some.map { $0.line + "\n" }.joined()
            guard let reply = try ask(text, ofStore: store) else { return nil }
            let line = reply.split(separator: "\n").first ?? "it ended without an answer"
            guard let result = SteeringResult(line: line) else {
                throw Refusal(description: "the coordinator of \(store): \(line)")
            }
            sum.add(result)
        } while !rest.isEmpty
        return sum
    }

    /// The figures of a store's coordinator, as Prometheus reads them.
    ///
    /// - Returns: `nil` when none runs.
    public static func metrics(ofStore store: String) throws(Refusal) -> String? {
        guard let reply = try ask("metrics\n", ofStore: store, seconds: 5) else { return nil }
        guard reply.hasPrefix("#") else {
            throw Refusal(description: "the coordinator of \(store): \(reply)")
        }
        return reply
    }

    private static func ask(
        _ text: String, ofStore store: String, seconds: Int = 60
    ) throws(Refusal) -> String? {
        let path = ControlSocket.path(ofStore: store)
        let opened = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        defer { close(opened) }
        guard opened >= 0, UnixAddress.with(path, { connect(opened, $0, $1) == 0 }) == true else {
            guard errno == EACCES else { return nil }
            throw Refusal(description: "\(path) belongs to somebody else")
        }
        var patience = timeval(tv_sec: seconds, tv_usec: 0)
        let size = socklen_t(MemoryLayout<timeval>.size)
        setsockopt(opened, SOL_SOCKET, SO_RCVTIMEO, &patience, size)
        setsockopt(opened, SOL_SOCKET, SO_SNDTIMEO, &patience, size)
        DescriptorText.write(text, to: opened)
        shutdown(opened, Int32(SHUT_WR))
        return DescriptorText.read(opened, atMost: 1 << 20) ?? "it does not answer"
    }
}

private enum UnixAddress {
    /// Calls with the address of a path; `nil` for a path too long to be one.
    static func with<Result>(
        _ path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result
    ) -> Result? {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8)
        guard bytes.count < MemoryLayout.size(ofValue: address.sun_path) else {
            errno = ENAMETOOLONG
            return nil
        }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        return withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
    }
}

private enum DescriptorText {
    /// Everything to the end of file; `nil` when it is too much, too late or no text.
    static func read(_ descriptor: Int32, atMost bytesMax: Int) -> String? {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = Glibc.read(descriptor, &chunk, chunk.count)
            if count < 0 && errno == EINTR { continue }
            guard count >= 0, bytes.count + count <= bytesMax else { return nil }
            if count == 0 { return String(validating: bytes, as: UTF8.self) }
            bytes += chunk[..<count]
        }
    }

    static func write(_ text: String, to descriptor: Int32) {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes {
                send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
    }
}
