import Foundation
import Synchronization
import TestSupport
import Testing

/// Dashboards beside coordinators that run, asked by many at once.
@Suite("A dashboard beside a sweep", .serialized)
struct DashboardRunTests {
    private let folder: TemporaryFolder
    private let program: FathomProgram

    init() throws {
        folder = try TemporaryFolder()
        program = try FathomProgram()
    }

    /// Starts a command with a dashboard on any free port.
    private func start(
        _ arguments: [String]
    ) throws -> (process: Process, client: LoopbackClient, token: String) {
        let log = folder.path + "/" + UUID().uuidString + ".log"
        let process = try program.start(
            arguments + ["--dashboard", "127.0.0.1:0"], in: folder.path, log: log)
        var found: (Int, String)?
        _ = try eventually(within: 30) {
            let text = try String(contentsOfFile: log, encoding: .utf8)
            let port = text.firstMatch(of: /dashboard: http:[^ ]+:([0-9]+)\/\n/)
            let token = text.firstMatch(of: /dashboard token[^:]*: ([0-9a-f]{48})\n/)
            if let port, let number = Int(port.1), let token { found = (number, String(token.1)) }
            return found != nil
        }
        let said = try String(contentsOfFile: log, encoding: .utf8)
        let (port, token) = try #require(found, "\(said)")
        return (process, LoopbackClient(port: port), token)
    }

    /// Asks on four connections at a time until the process ends, at most so often.
    private func hammer(_ client: LoopbackClient, while process: Process, atMost most: Int) -> Int {
        let paths = [
            "/", "/api/latest", "/api/cells?search=l&order=problems", "/api/explain?job=000000",
        ]
        let answered = Atomic(0)
        DispatchQueue.concurrentPerform(iterations: 4) { worker in
            for number in 0..<most / 4 where process.isRunning {
                if client.get(paths[(worker + number) % paths.count]) != nil {
                    answered.wrappingAdd(1, ordering: .relaxed)
                }
            }
        }
        process.waitUntilExit()
        return answered.load(ordering: .relaxed)
    }

    private func rows(_ store: String, _ query: String) throws -> String {
        try program.run(["query", store, query, "--format", "csv"], in: folder.path).output
    }

    @Test("that is asked without pause comes to the same tables as one without")
    func sameTables() throws {
        try TinyDataSet.write(to: folder.path + "/data/mnist", trainCount: 200, testCount: 100)
        let text = """
            version: 1
            name: watched
            data: { set: mnist, train: 100, test: 100 }
            methods: [clean, rand-c, lsp]
            models: [lenet5]
            seeds: 2
            training: { epochs: 2, batch: 20, learningRate: 0.05 }
            sal: { every: 1, from: 1, images: 40, batch: 20, steps: 2 }
            compare: { threshold: released, controls: [] }
            """
        try Data(text.utf8).write(to: URL(fileURLWithPath: folder.path + "/watched.yaml"))
        let sweep = ["run", "watched.yaml", "--data", "data", "--slots", "2", "--db"]
        let (process, client, _) = try start(sweep + ["watched.sqlite"])
        let answered = hammer(client, while: process, atMost: 4_000)
        #expect(process.terminationStatus == 0)
        #expect(answered > 0)
        #expect(try program.run(sweep + ["alone.sqlite"], in: folder.path).status == 0)
        for query in [
            "SELECT * FROM salMatrix ORDER BY cell, seed, epoch, layerIndex",
            "SELECT * FROM udScore ORDER BY cell, rule, countKind, baseline, seed",
            "SELECT * FROM leaderboard ORDER BY cell",
        ] {
            let expected = try rows("alone.sqlite", query)
            #expect(expected.split(separator: "\n").count > 3, "\(query): \(expected)")
            #expect(try rows("watched.sqlite", query) == expected, "\(query)")
        }
        #expect(
            try rows("watched.sqlite", "SELECT count(*) FROM attempt WHERE state <> 'accepted'")
                .contains("\n0"))
    }

    @Test("cancels for those who have the token, and shows that the sweep ended")
    func cancel() throws {
        let probes = ["probes", "--count", "5", "--db", "p.sqlite", "--slots", "1"]
        #expect(try program.run(probes, in: folder.path).status == 0)
        let (process, client, token) = try start(probes + ["--hang", "1"])
        defer { process.terminate() }
        expect("\"isRunning\":true", "\"done\":5", "\"open\":1", from: client)
        let body = #"{"action":"cancel","target":"probes"}"#
        let plain = ["Content-Type": "application/json"]
        #expect(client.ask("POST", "/api/steer", headers: plain, body: body)?.status == 401)
        #expect(process.isRunning)
        let known = plain.merging(["Authorization": "Bearer " + token]) { first, _ in first }
        let answer = try #require(client.ask("POST", "/api/steer", headers: known, body: body))
        #expect(answer.status == 200 && answer.body == "1 job given up\n", "\(answer)")
        process.waitUntilExit()
        #expect(process.terminationStatus == 1)
    }

    /// What a dashboard tells, once it holds all of these.
    private func expect(_ parts: String..., from client: LoopbackClient) {
        var text = ""
        let isTold = eventually(within: 30) {
            text = client.get("/api/latest")?.body ?? "nothing"
            return parts.allSatisfy { text.contains($0) }
        }
        #expect(isTold, "\(parts): \(text.prefix(400))")
    }

    @Test("of a store outlives its coordinators, and sees them come and go")
    func alone() throws {
        let probes = ["probes", "--count", "5", "--db", "p.sqlite", "--slots", "1"]
        #expect(try program.run(probes, in: folder.path).status == 0)
        let log = folder.path + "/alone.log"
        let process = try program.start(
            ["dashboard", "p.sqlite", "--listen", "127.0.0.1:0"], in: folder.path, log: log)
        defer { kill(process.processIdentifier, SIGKILL) }
        var port = 0
        #expect(
            try eventually(within: 30) {
                let text = try String(contentsOfFile: log, encoding: .utf8)
                port = text.firstMatch(of: /:([0-9]+)\/\n/).flatMap { Int($0.1) } ?? 0
                return port > 0
            })
        let client = LoopbackClient(port: port)
        expect("\"done\":5", "\"isRunning\":false", "\"term\":1,", from: client)
        for term in 2...3 {
            let run = try program.start(probes + ["--hang", "1"], in: folder.path)
            expect("\"isRunning\":true", "\"term\":\(term),", "\"total\":6", from: client)
            kill(run.processIdentifier, SIGKILL)
            run.waitUntilExit()
            expect("\"isRunning\":false", "\"open\":1", from: client)
        }
        process.terminate()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
    }

    @Test(
        "hardly slows the dispatch of jobs, however often it is asked",
        .enabled(if: ProcessInfo.processInfo.environment["FATHOM_SLOW"] == "1"))
    func rate() throws {
        func seconds(_ store: String) throws -> Double {
            let text = try rows(
                store, "SELECT (max(endedAt) - min(endedAt)) / 1e6 FROM attempt")
            return try #require(Double(text.split(separator: "\n").last ?? ""))
        }
        let command = ["probes", "--count", "100000", "--slots", "1", "--db"]
        #expect(try program.run(command + ["alone.sqlite"], in: folder.path).status == 0)
        let (process, client, _) = try start(command + ["watched.sqlite"])
        let answered = hammer(client, while: process, atMost: 20_000)
        #expect(process.terminationStatus == 0)
        let (alone, watched) = (try seconds("alone.sqlite"), try seconds("watched.sqlite"))
        print("100000 probes: \(alone) s alone, \(watched) s beside \(answered) requests")
        // The clients take their share of two cores too, so that this bounds harm, not cost.
        #expect(watched < 4 * alone + 1)
    }
}
