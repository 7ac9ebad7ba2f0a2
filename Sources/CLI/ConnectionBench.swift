import ArgumentParser
import FathomCoordinator
import FathomMessaging
import FathomProtocol
import FathomWorker
import Foundation
import Logging
import Synchronization

/// Many workers that come at the same moment: encrypted connections, each with its own threads
/// and descriptors, that say hello to a real coordinator until it welcomes them.
struct ConnectionBench {
    /// Descriptors that a connection's two ends take together, its threads' own included.
    private static let descriptorsEach = 14

    var count: Int
    var folder: String
    var logger: Logger

    /// - Returns: Seconds from the first connection's start until the last is welcome.
    func run() throws -> Double {
        let limit = FileLimit.raise()
        guard limit >= count * Self.descriptorsEach else {
            throw RunError(
                description: "\(limit) open files are allowed, \(count) connections with both ends "
                    + "in one process take \(count * Self.descriptorsEach); raise the hard limit "
                    + "(ulimit -Hn)")
        }
        let place = "\(folder)/fathom-bench-\(WorkerName.draw().prefix(8))"
        try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: place) }
        let server = try CurveKeyPair.generate()
        let client = try CurveKeyPair.generate()
        let listener = try Listener(
            endpoint: "tcp://127.0.0.1:*", keyPair: server, allowList: [client.publicKey])
        let store = try Store(path: place + "/bench.sqlite")
        let plan = ProbePlan.plan([(.succeed, 1)])
        let sweep = try store.register(plan)
        var settings = SchedulerSettings(term: try store.nextTerm(), build: Product.version)
        // The one job is given to nobody, so that the coordinator has a reason to stay.
        settings.awaited = [WorkerID("nobody")]
        settings.reunionSeconds = 3_600
        let jobs = try store.jobs(of: sweep)
        let stop = StopBox()
        let thread = try NamedThread(name: "fathom-bench") { [logger, settings] in
            let service = CoordinatorService(
                jobs: jobs, store: store, listener: listener, settings: settings,
                farewellSeconds: 0, logger: logger)
            stop.call.withLock { $0 = service.stop }
            _ = try? service.run { _ in }
        }
        defer {
            while stop.call.withLock({ $0 == nil }) { usleep(1_000) }
            stop.call.withLock { $0?() }
            thread.join()
        }
        return try connect(to: listener.endpoint, server.publicKey, as: client)
    }

    private func connect(
        to endpoint: String, _ server: CurvePublicKey, as client: CurveKeyPair
    ) throws -> Double {
        let start = Instant.now()
        var waiting: [(worker: String, connection: Connection, hasSaidHello: Bool)] = []
        for _ in 0..<count {
            let worker = WorkerName.draw()
            let connection = try Connection(
                endpoint: endpoint, serverKey: server, keyPair: client,
                routingID: try RoutingID(worker))
            waiting.append((worker, connection, false))
        }
        var welcome: [Connection] = []
        while !waiting.isEmpty {
            guard Instant.now().seconds(since: start) < 120 else {
                throw RunError(
                    description: "\(welcome.count) of \(count) workers were welcome after 120 s")
            }
            for place in waiting.indices.reversed() {
                if !waiting[place].hasSaidHello {
                    waiting[place].hasSaidHello = sayHello(
                        waiting[place].worker, over: waiting[place].connection)
                } else if isWelcome(waiting[place].connection) {
                    welcome.append(waiting.remove(at: place).connection)
                }
            }
            usleep(1_000)
        }
        let seconds = Instant.now().seconds(since: start)
        for connection in welcome { connection.close() }
        return seconds
    }

    private func sayHello(_ worker: String, over connection: Connection) -> Bool {
        guard connection.statistics.handshakesAccepted > 0 else { return false }
        let facts = WorkerFacts(
            host: "bench", processID: 1, slots: 1, build: Product.version,
            numericClass: Engine.numericClass)
        let hello = Hello(facts: facts, held: [], unacknowledged: [])
        let frame = WorkerFrame(worker: WorkerID(worker), messages: [.hello(hello)])
        return connection.send(MessageCodec.encode(frame))
    }

    private func isWelcome(_ connection: Connection) -> Bool {
        connection.receive(atMost: 16, within: .zero).contains { item in
            let messages = (try? MessageCodec.decodeCoordinatorMessages(item.payload)) ?? []
            return messages.contains { if case .welcome = $0 { true } else { false } }
        }
    }
}

/// What stops a service that another thread has made.
private final class StopBox: Sendable {
    let call = Mutex<(@Sendable () -> Void)?>(nil)
}

/// How long it takes until so many workers are welcome.
struct BenchConnectionsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "connections", abstract: "Time how fast many workers register: seconds.")

    @Option(help: "How many workers come at the same moment.")
    var count = 1_000

    @OptionGroup var bench: ServiceBenchOptions

    func validate() throws {
        guard (1...20_000).contains(count) else {
            throw ValidationError("--count is \(count); it takes 1 to 20000")
        }
    }

    func run() throws {
        let seconds = try ConnectionBench(
            count: count, folder: bench.place, logger: bench.logger
        ).run()
        switch bench.format {
        case .json: try printJSON(["connections": Double(count), "seconds": seconds])
        case .table: print(String(format: "%d workers welcome after %.2f s", count, seconds))
        }
    }
}
