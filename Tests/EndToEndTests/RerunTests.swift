import FathomCore
import Foundation
import Testing

/// What is run again, and what is not.
@Suite("Running again", .serialized)
struct RerunTests {
    private let folder: TemporaryFolder
    private let program: FathomProgram

    init() throws {
        folder = try TemporaryFolder()
        program = try FathomProgram()
    }

    private func count(_ query: String) throws -> Int {
        let text = try program.run(
            ["query", "a.sqlite", query, "--format", "csv"], in: folder.path
        ).output
        return Int(text.split(separator: "\n").last ?? "") ?? -1
    }

    private func execute(_ sql: String) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [
            "python3", "-c",
            "import sqlite3,sys; c=sqlite3.connect(sys.argv[1]); c.executescript(sys.argv[2])",
            folder.path + "/a.sqlite", sql,
        ]
        try process.run()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0)
    }

    @Test("runs exactly the jobs whose rows were deleted")
    func deletedRows() throws {
        let probes = ["probes", "--count", "1000", "--slots", "2", "--db", "a.sqlite"]
        try #require(try program.run(probes, in: folder.path).status == 0)
        let rows = ["query", "a.sqlite", "SELECT * FROM metric ORDER BY job", "--format", "csv"]
        let before = try program.run(rows, in: folder.path).output
        let accepted = "SELECT count(*) FROM attempt WHERE state = 'accepted'"
        #expect(try count(accepted) == 1_000)
        try execute("DELETE FROM metric WHERE job % 10 = 3;")
        #expect(try count("SELECT count(*) FROM metric") == 900)
        try #require(try program.run(probes, in: folder.path).status == 0)
        #expect(try count(accepted) == 1_100)
        let again = "SELECT count(DISTINCT job) FROM attempt WHERE attempt > 1 AND job % 10 = 3"
        #expect(try count(again) == 100)
        #expect(try program.run(rows, in: folder.path).output == before)
    }

    @Test("a forgotten cell is computed again and its neighbours are not")
    func forgottenCell() throws {
        try ClusterSweep.write(to: folder, seeds: 1)
        let run = ["run", "cluster.yaml", "--db", "a.sqlite", "--data", "data"]
        try #require(try program.run(run, in: folder.path).status == 0)
        let before = try Exports.results(of: "a.sqlite", in: folder, by: program)
        let cell = try program.run(
            [
                "query", "a.sqlite", "SELECT label FROM cell WHERE method = 'rand-c'", "--format",
                "csv",
            ], in: folder.path
        ).output.split(separator: "\n").last.map(String.init)
        // A slow machine may have had a job computed twice before, which is not what is counted.
        let last = try count("SELECT max(id) FROM attempt")
        let (status, output) = try program.run(
            ["forget", "a.sqlite", try #require(cell)], in: folder.path)
        #expect(status == 0)
        // A poison, four segments, four SAL jobs.
        #expect(output.hasPrefix("9 jobs forgotten"))
        try #require(try program.run(run, in: folder.path).status == 0)
        let anew = "FROM attempt WHERE state = 'accepted' AND id > \(last)"
        #expect(try count("SELECT count(DISTINCT job) \(anew)") == 9)
        #expect(try Exports.results(of: "a.sqlite", in: folder, by: program) == before)
    }

    @Test("an audited sweep computes the sample twice and finds equal bits")
    func audit() throws {
        try ClusterSweep.write(to: folder, seeds: 1)
        let manifest = folder.path + "/cluster.yaml"
        let text = try String(contentsOfFile: manifest, encoding: .utf8) + "\naudit: 100%\n"
        try Data(text.utf8).write(to: URL(fileURLWithPath: manifest))
        let run = ["run", "cluster.yaml", "--db", "a.sqlite", "--data", "data"]
        try #require(try program.run(run, in: folder.path).status == 0)
        let jobs = try count("SELECT count(*) FROM job WHERE state = 'finished'")
        #expect(jobs == 26)
        let agreed = "SELECT count(DISTINCT job) FROM attempt WHERE state = 'agreed'"
        #expect(try count(agreed) == jobs)
        #expect(try count("SELECT count(*) FROM attempt WHERE state = 'disagreed'") == 0)
    }
}
