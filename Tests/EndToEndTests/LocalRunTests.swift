import FathomCore
import Foundation
import Testing

/// Real processes, sockets, keys and store, on jobs that compute nothing.
@Suite("A local run", .serialized)
struct LocalRunTests {
    private static let query =
        "SELECT j.key, j.state, m.value FROM job j "
        + "LEFT JOIN metric m ON m.job = j.id ORDER BY j.key"
    private let folder: TemporaryFolder
    private let program: FathomProgram

    init() throws {
        folder = try TemporaryFolder()
        program = try FathomProgram()
    }

    private func rows(_ store: String) throws -> String {
        try program.run(["query", store, Self.query, "--format", "csv"], in: folder.path).output
    }

    /// How many probes are finished in `a.sqlite`.
    private var finished: Int { StoredWork.finished(in: folder.path + "/a.sqlite") }

    private func probes(_ count: Int, _ store: String) -> [String] {
        ["probes", "--count", "\(count)", "--db", store, "--slots", "2"]
    }

    @Test("finishes, says so, and has nothing to do the second time")
    func finishes() throws {
        for _ in 0..<2 {
            let (status, output) = try program.run(probes(500, "a.sqlite"), in: folder.path)
            #expect(status == 0)
            #expect(output == "500 of 500 probes finished\n")
        }
    }

    @Test("finishes the rest when jobs fail or take their slot along, and leaves with status 1")
    func failures() throws {
        let (status, output) = try program.run(
            probes(50, "a.sqlite") + ["--fail", "2", "--crash", "1"], in: folder.path)
        #expect(status == 1)
        #expect(output == "50 of 53 probes finished\n")
    }

    @Test("comes to the same rows when the worker is killed", arguments: 0..<3)
    func killedWorker(seed: Int) throws {
        var random = RandomStream(seed: UInt64(seed))
        let run = try program.start(probes(60_000, "a.sqlite"), in: folder.path)
        for kills in 0..<2 {
            try #require(
                eventually(within: 60) {
                    !Processes.children(of: run.processIdentifier).isEmpty
                        && finished > 20_000 * kills + random.integer(below: 9_000)
                })
            if let agent = Processes.children(of: run.processIdentifier).first {
                kill(agent, SIGKILL)
            }
        }
        run.waitUntilExit()
        #expect(run.terminationStatus == 0)
        _ = try program.run(probes(60_000, "b.sqlite"), in: folder.path)
        #expect(try rows("a.sqlite") == rows("b.sqlite"))
    }

    @Test("goes on after the coordinator is killed, which leaves no process", arguments: 0..<3)
    func killedCoordinator(seed: Int) throws {
        var random = RandomStream(seed: UInt64(seed + 100))
        let run = try program.start(probes(60_000, "a.sqlite"), in: folder.path)
        let target = 1 + random.integer(below: 30_000)
        try #require(eventually(within: 60) { finished >= target })
        let agents = Processes.children(of: run.processIdentifier)
        let slots = agents.flatMap(Processes.children)
        kill(run.processIdentifier, SIGKILL)
        run.waitUntilExit()
        #expect(
            eventually(within: 10) { !(agents + slots).contains(where: Processes.isAlive) })
        let (status, _) = try program.run(probes(60_000, "a.sqlite"), in: folder.path)
        #expect(status == 0)
        _ = try program.run(probes(60_000, "b.sqlite"), in: folder.path)
        #expect(try rows("a.sqlite") == rows("b.sqlite"))
    }

    @Test("stops on SIGINT with status 130 and leaves no process, though a job hangs")
    func interrupted() throws {
        let run = try program.start(
            probes(100, "a.sqlite") + ["--hang", "2"], in: folder.path)
        _ = eventually(within: 20) {
            Processes.children(of: run.processIdentifier).flatMap(Processes.children).count == 2
        }
        let agents = Processes.children(of: run.processIdentifier)
        let slots = agents.flatMap(Processes.children)
        kill(run.processIdentifier, SIGINT)
        run.waitUntilExit()
        #expect(run.terminationStatus == 130)
        #expect(
            eventually(within: 10) { !(agents + slots).contains(where: Processes.isAlive) })
    }

    @Test("says in one line what is wrong with its input")
    func wrongInput() throws {
        #expect(try program.run(["run", "missing.yaml"], in: folder.path).status == 2)
        #expect(try program.run(["run"], in: folder.path).status == 2)
        try Data("not a database, but long enough to be looked at".utf8)
            .write(to: URL(fileURLWithPath: folder.path + "/foreign.sqlite"))
        #expect(try program.run(probes(1, "foreign.sqlite"), in: folder.path).status == 3)
        #expect(try program.run(["--version"], in: folder.path).status == 0)
    }
}
