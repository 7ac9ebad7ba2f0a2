import Foundation
import Testing

/// `retry` and `cancel`, beside a running coordinator and without one.
@Suite("Steering", .serialized)
struct SteeringTests {
    private let folder: TemporaryFolder
    private let program: FathomProgram

    init() throws {
        folder = try TemporaryFolder()
        program = try FathomProgram()
    }

    private func states() throws -> String {
        try program.run(
            [
                "query", "a.sqlite", "SELECT state, count(*) AS n FROM job GROUP BY 1 ORDER BY 1",
                "--format", "csv",
            ], in: folder.path
        ).output
    }

    @Test("puts jobs back and gives them up where no coordinator runs")
    func offline() throws {
        let probes = ["probes", "--count", "5", "--fail", "2", "--db", "a.sqlite"]
        #expect(try program.run(probes, in: folder.path).status == 1)
        #expect(try states() == "state,n\nfinished,5\nquarantined,2\n")
        let retried = try program.run(["retry", "a.sqlite", "probes"], in: folder.path)
        #expect(retried.status == 0)
        #expect(retried.output == "2 jobs put back\n")
        #expect(try states() == "state,n\nfinished,5\nopen,2\n")
        let cancelled = try program.run(["cancel", "a.sqlite", "probes"], in: folder.path)
        #expect(cancelled.output == "2 jobs given up\n")
        #expect(try states() == "state,n\nfinished,5\nquarantined,2\n")
        #expect(try program.run(["retry", "a.sqlite", "nothing"], in: folder.path).status == 2)
    }

    @Test("a paused job waits, in a running sweep too, until it is resumed")
    func paused() throws {
        let probes = ["probes", "--count", "5", "--fail", "1", "--db", "a.sqlite"]
        #expect(try program.run(probes, in: folder.path).status == 1)
        let paused = try program.run(["pause", "a.sqlite", "probes"], in: folder.path)
        #expect(paused.output == "1 job paused\n")
        _ = try program.run(["retry", "a.sqlite", "probes"], in: folder.path)
        let run = try program.start(probes, in: folder.path)
        defer { kill(run.processIdentifier, SIGKILL) }
        let socket = folder.path + "/a.sqlite.control"
        try #require(eventually(within: 20) { FileManager.default.fileExists(atPath: socket) })
        #expect(try states() == "state,n\nfinished,5\nopen,1\n")
        let resumed = try program.run(["resume", "a.sqlite", "probes"], in: folder.path)
        #expect(resumed.output == "1 job resumed\n")
        try #require(eventually(within: 20) { !run.isRunning })
        #expect(try states() == "state,n\nfinished,5\nquarantined,1\n")
    }

    @Test("reaches a running coordinator through a socket that is its owner's alone")
    func running() throws {
        let run = try program.start(
            ["probes", "--count", "3", "--hang", "2", "--slots", "2", "--db", "a.sqlite"],
            in: folder.path)
        defer { kill(run.processIdentifier, SIGKILL) }
        let socket = folder.path + "/a.sqlite.control"
        let isThere = eventually(within: 20) {
            FileManager.default.fileExists(atPath: socket)
                && Processes.children(of: run.processIdentifier).flatMap(Processes.children)
                    .count == 2
        }
        #expect(isThere)
        let mode = try FileManager.default.attributesOfItem(atPath: socket)[.posixPermissions]
        #expect(mode as? Int == 0o600)
        let (status, output) = try program.run(["cancel", "a.sqlite", "probes"], in: folder.path)
        #expect(status == 0)
        #expect(output.hasSuffix(" jobs given up\n"))
        let hasEnded = eventually(within: 20) { !run.isRunning }
        #expect(hasEnded)
        guard hasEnded else { return }
        #expect(run.terminationStatus == 1)
        #expect(!FileManager.default.fileExists(atPath: socket))
    }
}
