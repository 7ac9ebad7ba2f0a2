import FathomCore
import FathomMessaging
import FathomProtocol
import Foundation
import TestSupport
import Testing

/// Damaged frames at real processes, over real sockets. With `FATHOM_SLOW=1` a million at each
/// (`make test-fuzz`).
@Suite("Damaged frames at a running", .serialized)
struct FuzzRunTests {
    private static let isSlow = ProcessInfo.processInfo.environment["FATHOM_SLOW"] == "1"
    private let count = isSlow ? 1_000_000 : 5_000
    private let folder: TemporaryFolder
    private let program: FathomProgram

    init() throws {
        folder = try TemporaryFolder()
        program = try FathomProgram()
    }

    @Test("coordinator change no table and do not stop it")
    func coordinator() throws {
        try ClusterSweep.write(to: folder, seeds: 2)
        let expected = try ClusterSweep.calm(in: folder, by: program)
        let cluster = try ClusterHarness(
            program, in: folder, leaseSeconds: 15, sharesFolder: false)
        try cluster.startWorker()
        try cluster.startCoordinator("cluster.yaml")
        try #require(cluster.reach(10))
        // From here on nothing changes by itself.
        _ = try program.run(["pause", "a.sqlite", "cluster"], in: folder.path)
        let leaving = cluster.workers[0]
        kill(leaving.processIdentifier, SIGTERM)
        try #require(eventually(within: 60) { !leaving.isRunning })
        let before = try tables()
        try attack(cluster)
        #expect(cluster.coordinator?.isRunning == true)
        #expect(try tables() == before)
        try cluster.startWorker()
        _ = try program.run(["resume", "a.sqlite", "cluster"], in: folder.path)
        try cluster.finish(within: 300, allGoHome: false)
        let found = try Exports.results(of: "a.sqlite", in: folder, by: program)
        #expect(found == expected)
        #expect(!cluster.coordinatorLines(with: "message refused").isEmpty)
    }

    /// The rows that results are made of, and the states of jobs.
    private func tables() throws -> [String] {
        try [
            "SELECT * FROM job ORDER BY id", "SELECT * FROM metric ORDER BY job, epoch, name",
            "SELECT * FROM sal ORDER BY job, entry", "SELECT * FROM artifact ORDER BY job, name",
            "SELECT * FROM poisonReport ORDER BY job, name",
            "SELECT * FROM attempt WHERE state = 'accepted' ORDER BY job, attempt",
        ].map {
            try program.run(["query", "a.sqlite", $0, "--format", "json"], in: folder.path).output
        }
    }

    private func attack(_ cluster: ClusterHarness) throws {
        let jobs = try program.run(
            [
                "query", "a.sqlite", "SELECT key FROM job WHERE state = 'finished'", "--format",
                "csv",
            ],
            in: folder.path
        ).output.split(separator: "\n").compactMap { Digest(hex: String($0)) }
        try #require(!jobs.isEmpty)
        let name = "0123456789abcdef0123456789abcdef"
        let real = jobs.prefix(4).flatMap {
            SampleFrames.fromWorker(WorkerID(name), job: JobKey($0))
        }
        let files = jobs.prefix(2).flatMap {
            SampleFrames.questions(about: $0, content: [1, 2, 3])
        }
        let worker = try cluster.connect(as: name, files: false)
        let bearer = try cluster.connect(as: name, files: true)
        var messages = FrameFuzzer(real: real, seed: 11)
        var questions = FrameFuzzer(real: files, seed: 12)
        for number in 0..<count {
            send(messages.next(), over: worker)
            if number % 10 == 0 { send(questions.next(), over: bearer) }
            if number % 1_000 == 0 {
                _ = worker.receive(atMost: 100_000, within: .zero)
                _ = bearer.receive(atMost: 100_000, within: .zero)
            }
        }
        // Each is read once the last is answered.
        let facts = WorkerFacts(
            host: "h", processID: 1, slots: 1, build: "the last one", numericClass: "n")
        let hello = WorkerMessage.hello(Hello(facts: facts, held: [], unacknowledged: []))
        send(
            MessageCodec.encode(WorkerFrame(worker: WorkerID(name), messages: [hello])),
            over: worker)
        let isRefused = eventually(within: 300) {
            worker.receive(atMost: 1_000, within: .milliseconds(10)).contains {
                guard let all = try? MessageCodec.decodeCoordinatorMessages($0.payload) else {
                    return false
                }
                return all.contains {
                    if case .refused(let reason) = $0 {
                        reason.contains("the last one")
                    } else {
                        false
                    }
                }
            }
        }
        #expect(isRefused)
        worker.close()
        bearer.close()
    }

    /// Sends, waiting for room.
    private func send(_ frame: [UInt8], over connection: Connection) {
        _ = eventually(within: 60) {
            frame.count > ArtifactLimits.frameBytes || connection.send(frame)
        }
    }

    @Test("worker do not stop it from working")
    func worker() throws {
        let server = try CurveKeyPair.generate()
        let key = try ClusterHarness.makeKey("worker.key", program, folder)
        let listener = try Listener(
            endpoint: "tcp://127.0.0.1:*", keyPair: server,
            allowList: [CurvePublicKey(z85: key)])
        let process = try program.start(
            [
                "worker", "--connect", listener.endpoint, "--server-key", server.publicKey.z85,
                "--key", "worker.key", "--slots", "1", "--work", "work", "--verbose",
            ], in: folder.path, log: folder.path + "/worker.log")
        defer { kill(process.processIdentifier, SIGKILL) }
        var peer: RoutingID?
        // Beside all other tests its first word takes a while.
        _ = eventually(within: 180) {
            peer = listener.receive(atMost: 1, within: .milliseconds(50)).first?.peer ?? peer
            return peer != nil
        }
        let worker = try #require(peer)
        let before = try files()
        let job = JobKey(Digest(of: [1]))
        var fuzzer = FrameFuzzer(real: SampleFrames.fromCoordinator(job: job), seed: 13)
        for _ in 0..<count {
            let frame = fuzzer.next()
            // Two messages send a worker home, and a welcome may point it elsewhere.
            let messages = (try? MessageCodec.decodeCoordinatorMessages(frame)) ?? []
            let isFatal = messages.contains {
                switch $0 {
                case .drain, .refused: true
                default: false
                }
            }
            if isFatal { continue }
            _ = eventually(within: 60) {
                // What comes of frames that make sense is acknowledged, as by a coordinator.
                acknowledge(said(to: listener, within: .zero), to: worker, listener)
                return listener.send(frame, to: worker)
            }
        }
        #expect(try works(worker, listener))
        #expect(process.isRunning)
        #expect(try files().subtracting(before).allSatisfy { $0.hasPrefix("work/") })
    }

    /// Whether a worker computes a probe and tells of it.
    private func works(_ worker: RoutingID, _ listener: Listener) throws -> Bool {
        let welcome = Welcome(term: 99, leaseMilliseconds: 15_000, heartbeatMilliseconds: 2_000)
        let spec = JobSpec(.probe(ProbeSpec(number: 7)), revision: 1)
        let lease = Lease(job: spec.key, attempt: 77, term: 99, entries: 0..<1)
        let work = Assignment(lease: lease, spec: JobSpecCodec.encode(spec), inputs: [])
        // What it runs of damaged assignments is called off first.
        return eventually(within: 240) {
            listener.send(MessageCodec.encode([.welcome(welcome), .assign(work)]), to: worker)
            let said = said(to: listener, within: .milliseconds(200))
            for message in said {
                if case .result(lease, _) = message { return true }
                guard case .heartbeat(let leases) = message else { continue }
                let others = leases.map(\.lease).filter { $0 != lease }
                listener.send(MessageCodec.encode([.cancel(others)]), to: worker)
            }
            acknowledge(said, to: worker, listener)
            return false
        }
    }

    private func said(to listener: Listener, within duration: Duration) -> [WorkerMessage] {
        listener.receive(atMost: 10_000, within: duration).compactMap {
            try? MessageCodec.decodeWorkerFrame($0.payload)
        }.flatMap(\.messages)
    }

    private func acknowledge(
        _ said: [WorkerMessage], to worker: RoutingID, _ listener: Listener
    ) {
        let leases = said.compactMap { message -> Lease? in
            switch message {
            case .result(let lease, _): lease
            case .failure(let failure): failure.lease
            default: nil
            }
        }
        var rest = leases[...]
        while !rest.isEmpty {
            let part = Array(rest.prefix(MessageLimits.leasesPerList))
            listener.send(MessageCodec.encode([.acknowledge(part)]), to: worker)
            rest = rest.dropFirst(part.count)
        }
    }

    private func files() throws -> Set<String> {
        Set(
            (FileManager.default.enumerator(atPath: folder.path)?.allObjects ?? [])
                .compactMap { $0 as? String }.filter { $0 != "work" })
    }
}
