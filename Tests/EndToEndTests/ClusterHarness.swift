import FathomMessaging
import Foundation
import Synchronization
import Testing

/// A coordinator and workers as separate processes, as on several machines: real keys, one port,
/// a shared artifact folder, or folders of their own between which files travel.
final class ClusterHarness {
    let program: FathomProgram
    let folder: TemporaryFolder
    /// Coordinators and workers are hosts' processes where a command puts them there.
    var coordinatorPrefix: [String] = []
    /// Whether all see one folder of artifacts.
    private let sharesFolder: Bool
    private(set) var coordinator: Process?
    private(set) var workers: [Process] = []
    let serverKey: String
    let endpoint: String
    private let leaseSeconds: Double
    private var workersStarted = 0
    private var coordinatorsStarted = 0

    /// - Parameter host: The address the coordinator listens on.
    init(
        _ program: FathomProgram, in folder: TemporaryFolder, host: String = "127.0.0.1",
        leaseSeconds: Double, sharesFolder: Bool = true
    ) throws {
        self.sharesFolder = sharesFolder
        self.program = program
        self.folder = folder
        self.leaseSeconds = leaseSeconds
        endpoint = "tcp://\(host):\(try FreePort.find())"
        serverKey = try Self.makeKey("server.key", program, folder)
        let worker = try Self.makeKey("worker.key", program, folder)
        try Data((worker + "\n").utf8).write(to: URL(fileURLWithPath: folder.path + "/allowed"))
    }

    deinit {
        for process in workers + [coordinator].compactMap({ $0 }) where process.isRunning {
            kill(process.processIdentifier, SIGKILL)
            process.waitUntilExit()
        }
    }

    static func makeKey(
        _ name: String, _ program: FathomProgram, _ folder: TemporaryFolder
    ) throws -> String {
        let (status, output) = try program.run(["keys", "new", name], in: folder.path)
        try #require(status == 0)
        return output.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    // MARK: Starting and ending

    /// Starts a coordinator and answers after how many seconds it gave out its first lease; `nil`
    /// where it had nothing to give.
    @discardableResult
    func startCoordinator(_ manifest: String, waits: Bool = false) throws -> Double? {
        coordinatorsStarted += 1
        let log = folder.path + "/coordinator-\(coordinatorsStarted).log"
        let start = Date()
        let process = try program.start(
            [
                "coordinator", manifest, "--listen", endpoint, "--key", "server.key", "--allow",
                "allowed", "--db", "a.sqlite", "--data", "data", "--lease", "\(leaseSeconds)",
                "--verbose",
            ] + (sharesFolder ? ["--shared", "artifacts"] : []), in: folder.path, log: log,
            prefix: coordinatorPrefix)
        coordinator = process
        guard waits else { return nil }
        let isSeen = eventually(within: 60) {
            !process.isRunning || Self.text(log).contains("first lease given")
        }
        guard isSeen, Self.text(log).contains("first lease given") else { return nil }
        return Date().timeIntervalSince(start)
    }

    /// - Parameters:
    ///   - work: Where it keeps what outlives it, where it shares no folder of artifacts.
    ///   - key: The file of its secret key.
    ///   - data: Where it looks for data sets.
    func startWorker(
        prefix: [String] = [], grace: Double = 20, work: String = "work",
        key: String = "worker.key", more: [String] = [], data: String = "data"
    ) throws {
        workersStarted += 1
        workers.append(
            try program.start(
                [
                    "worker", "--connect", endpoint, "--server-key", serverKey, "--key", key,
                    "--slots", "1", "--data", data, "--work", work, "--grace", "\(grace)",
                    "--verbose",
                ] + (sharesFolder ? ["--shared", "artifacts"] : []) + more, in: folder.path,
                log: folder.path + "/worker-\(workersStarted).log",
                prefix: prefix))
    }

    /// A connection with the worker's key, for what no worker would say.
    func connect(as name: String, files: Bool) throws -> Connection {
        let path = folder.path + "/worker.key"
        let secret = try String(contentsOfFile: path, encoding: .utf8)
        let port = try #require(Int(endpoint.split(separator: ":").last ?? ""))
        let host = endpoint.prefix(upTo: endpoint.lastIndex(of: ":") ?? endpoint.endIndex)
        return try Connection(
            endpoint: files ? "\(host):\(port + 1)" : endpoint,
            serverKey: CurvePublicKey(z85: serverKey),
            keyPair: CurveKeyPair(
                secretKey: secret.trimmingCharacters(in: .whitespacesAndNewlines)),
            routingID: RoutingID(name))
    }

    func killCoordinator() {
        guard let process = coordinator, process.isRunning else { return }
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
    }

    func killWorker(_ index: Int) {
        let process = workers.remove(at: index)
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
    }

    /// Waits for the coordinator's end, and for that of the workers it sends home.
    ///
    /// - Parameter allGoHome: Whether all workers can hear of the end.
    func finish(within seconds: Double, allGoHome: Bool = true) throws {
        let process = try #require(coordinator)
        _ = eventually(within: seconds) { !process.isRunning }
        try #require(!process.isRunning, "\(finished) of the jobs are done\n\(tailOfLogs)")
        #expect(process.terminationStatus == 0, "\(tailOfLogs)")
        guard allGoHome else { return }
        let areGone = eventually(within: 30) { workers.allSatisfy { !$0.isRunning } }
        #expect(areGone, "workers outlived the sweep\n\(tailOfLogs)")
    }

    // MARK: Looking

    /// How many attempts have been accepted.
    var finished: Int { StoredWork.finished(in: folder.path + "/a.sqlite") }

    func count(_ query: String) -> Int {
        StoredWork.count(query, in: folder.path + "/a.sqlite")
    }

    /// Waits until so many attempts are accepted; false when the coordinator ended before.
    func reach(_ target: Int) -> Bool {
        let process = coordinator
        let isReached = eventually(within: 120) {
            process?.isRunning != true || finished >= target
        }
        return isReached && process?.isRunning == true
    }

    /// The lines of the coordinators' logs that hold a text.
    func coordinatorLines(with text: String) -> [String] {
        (0..<coordinatorsStarted).flatMap { number in
            Self.text(folder.path + "/coordinator-\(number + 1).log").split(separator: "\n")
                .map(String.init).filter { $0.contains(text) }
        }
    }

    /// The lines of all workers' logs that hold a text.
    func workerLines(with text: String) -> [String] {
        (0..<workersStarted).flatMap { number in
            Self.text(folder.path + "/worker-\(number + 1).log").split(separator: "\n")
                .map(String.init).filter { $0.contains(text) }
        }
    }

    /// Results that wait on disk.
    var spooled: Int {
        let work = folder.path + "/work"
        return (FileManager.default.enumerator(atPath: work)?.allObjects ?? []).count {
            ($0 as? String)?.hasSuffix(".result") == true
        }
    }

    private var tailOfLogs: String {
        let names =
            (0..<coordinatorsStarted).map { "coordinator-\($0 + 1)" }.suffix(1)
            + (0..<workersStarted).map { "worker-\($0 + 1)" }
        return names.map { name in
            let text = Self.text(folder.path + "/\(name).log")
            return "\(name): ...\(text.suffix(600))"
        }.joined(separator: "\n")
    }

    private static func text(_ path: String) -> String {
        (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
    }
}

/// A port that nobody listens on, and the one after it, below those that systems give out to
/// connections, so that none takes them while a coordinator is away. No test gets another's.
enum FreePort {
    private static let given = Mutex(0)

    static func find() throws -> Int {
        let first = 20_000 + Int(getpid()) % 2_500 * 2
        return try given.withLock { given in
            let free = (given..<2_500).lazy.map { first + 2 * $0 }.first {
                isFree($0) && isFree($0 + 1)
            }
            let port = try #require(free)
            given = (port - first) / 2 + 1
            return port
        }
    }

    private static func isFree(_ port: Int) -> Bool {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        return withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
    }
}

/// The sweeps that clusters compute.
enum ClusterSweep {
    /// Writes a data set of tiny images and a sweep of about `26 * seeds` short jobs on it.
    ///
    /// - Parameter salSteps: More make the sweep longer: with 160 a seed takes a core four seconds.
    static func write(to folder: TemporaryFolder, seeds: Int, salSteps: Int = 2) throws {
        try TinyDataSet.write(to: folder.path + "/data/mnist", trainCount: 200, testCount: 100)
        let text = """
            version: 1
            name: cluster
            data: { set: mnist, train: 150, test: 40 }
            methods: [clean, rand-s, rand-c]
            tasks: [cls]
            models: [lenet5]
            seeds: \(seeds)
            training: { epochs: 4, batch: 20, learningRate: 0.05 }
            sal: { every: 1, from: 1, images: 40, batch: 20, steps: \(salSteps) }
            compare: { threshold: released }
            """
        try Data(text.utf8).write(to: URL(fileURLWithPath: folder.path + "/cluster.yaml"))
    }

    /// The exported bytes of the sweep computed by one undisturbed `run`.
    static func calm(
        in folder: TemporaryFolder, by program: FathomProgram
    ) throws -> [String: Data] {
        let (status, _, errors) = try program.runWithErrors(
            ["run", "cluster.yaml", "--db", "calm.sqlite", "--data", "data"], in: folder.path)
        try #require(status == 0, "\(errors)")
        return try Exports.results(of: "calm.sqlite", in: folder, by: program)
    }
}
