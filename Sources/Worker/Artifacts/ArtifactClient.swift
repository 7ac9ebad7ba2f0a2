public import FathomMessaging
import FathomProtocol
import FathomCore
import Synchronization

/// The shell around `ArtifactTransfers`: a connection of its own and a thread that reads and writes
/// files, so that heartbeats never wait for them.
public final class ArtifactClient: Sendable {
    private let commands = BoundedQueue<TransferEvent>(capacity: 1 << 16)
    private let reports = BoundedQueue<TransferEffect>(capacity: 1 << 16)
    private let shared = Shared()
    private let thread: NamedThread

    private final class Shared: Sendable {
        let isClosing = Atomic(false)
        let endpoint = Mutex<String?>(nil)
        let connection = Mutex<Connection?>(nil)
        let tally = Mutex(ArtifactTransfers.Tally())
    }

    /// What a connection for pieces holds at most.
    public static var limits: MessagingLimits {
        var limits = MessagingLimits()
        limits.payloadBytesMax = ArtifactLimits.frameBytes
        limits.incomingMessagesMax = 1_024
        limits.incomingBytesMax = 64 << 20
        limits.outgoingMessagesMax = 1_024
        limits.outgoingBytesMax = 64 << 20
        limits.peerMessagesMax = 64
        return limits
    }

    /// - Parameters:
    ///   - connect: Makes a connection to an endpoint, with `limits`.
    ///   - notify: Called when there is something to take from `takeReports`.
    public init(
        access: ArtifactAccess, connect: @escaping @Sendable (String) throws -> Connection,
        notify: @escaping @Sendable () -> Void
    ) throws(MessagingError) {
        thread = try NamedThread(name: "fathom-files", stackBytes: 1 << 20) {
            [commands, reports, shared] in
            var driver = Driver(
                transfers: ArtifactTransfers(access: access), commands: commands,
                reports: reports, shared: shared, connect: connect, notify: notify)
            while !shared.isClosing.load(ordering: .acquiring) { driver.turn() }
            driver.close()
        }
    }

    deinit { close() }

    /// Where the coordinator has its files from now on.
    public func use(endpoint: String) {
        shared.endpoint.withLock { $0 = endpoint }
        wake()
    }

    /// Asks for a file, or to bring one.
    public func handle(_ event: TransferEvent) {
        commands.offer(event)
        wake()
    }

    /// What has come of it since the last call.
    public func takeReports() -> [TransferEffect] {
        reports.take(atMost: 1 << 14, within: .zero)
    }

    public var tally: ArtifactTransfers.Tally { shared.tally.withLock { $0 } }

    public func close() {
        shared.isClosing.store(true, ordering: .releasing)
        commands.close()
        wake()
        thread.join()
    }

    private func wake() {
        shared.connection.withLock { $0 }?.wake()
    }

    /// What the thread owns.
    private struct Driver {
        var transfers: ArtifactTransfers
        let commands: BoundedQueue<TransferEvent>
        let reports: BoundedQueue<TransferEffect>
        let shared: Shared
        let connect: @Sendable (String) throws -> Connection
        let notify: @Sendable () -> Void
        private var connection: Connection?
        private var connectedTo: String?
        private var isUp = false
        private var statistics = MessagingStatistics()

        init(
            transfers: ArtifactTransfers, commands: BoundedQueue<TransferEvent>,
            reports: BoundedQueue<TransferEffect>, shared: Shared,
            connect: @escaping @Sendable (String) throws -> Connection,
            notify: @escaping @Sendable () -> Void
        ) {
            self.transfers = transfers
            self.commands = commands
            self.reports = reports
            self.shared = shared
            self.connect = connect
            self.notify = notify
        }

        mutating func turn() {
            var events: [TransferEvent] = []
            if let connection {
                let incoming = connection.receive(atMost: 64, within: .milliseconds(200))
                if noteHandshakes(of: connection) { events.append(.connected) }
                for item in incoming {
                    // What cannot be read was not said; the question is asked again.
                    if let answer = try? ArtifactCodec.decodeAnswer(item.payload) {
                        events.append(.answer(answer))
                    }
                }
                events += commands.take(atMost: 1_024, within: .zero)
            } else {
                events += commands.take(atMost: 1_024, within: .milliseconds(200))
            }
            for event in events + [.tick] {
                // In two steps: a call reads `self` before its arguments change it.
                let effects = transfers.handle(event, at: .now())
                perform(effects)
            }
            follow()
        }

        /// Whether the connection is new; what was asked over the one before is asked again then.
        private mutating func noteHandshakes(of connection: Connection) -> Bool {
            let latest = connection.statistics
            defer { statistics = latest }
            if latest.handshakesAccepted > statistics.handshakesAccepted {
                isUp = true
                return true
            }
            if latest.disconnections > statistics.disconnections { isUp = false }
            return false
        }

        /// Leaves a coordinator that has moved, and connects to where it is once there is a reason.
        private mutating func follow() {
            let endpoint = shared.endpoint.withLock { $0 }
            if connectedTo != nil, endpoint != connectedTo { close() }
            guard connection == nil, let endpoint, !transfers.isIdle,
                let made = try? connect(endpoint)
            else { return }
            connection = made
            connectedTo = endpoint
            statistics = MessagingStatistics()
            shared.connection.withLock { $0 = made }
        }

        private func perform(_ effects: [TransferEffect]) {
            guard !effects.isEmpty else { return }
            // Who hears of a file finds it counted.
            let tally = transfers.tally
            shared.tally.withLock { $0 = tally }
            var hasNews = false
            for effect in effects {
                guard case .ask(let question) = effect else {
                    hasNews = true
                    _ = reports.put(effect, within: .seconds(3_600))
                    continue
                }
                // What would wait for a connection is asked again once there is one.
                if isUp { connection?.send(ArtifactCodec.encode(question)) }
            }
            if hasNews { notify() }
        }

        mutating func close() {
            connection?.close()
            connection = nil
            connectedTo = nil
            isUp = false
            shared.connection.withLock { $0 = nil }
        }
    }
}
