import Foundation
import Testing

/// The benches of the machinery measure what they say; their figures are in `Benchmarks/README.md`.
@Suite("Benches of the machinery", .serialized)
struct BenchTests {
    private static let isSlow = ProcessInfo.processInfo.environment["FATHOM_SLOW"] == "1"
    private let folder: TemporaryFolder
    private let program: FathomProgram

    init() throws {
        folder = try TemporaryFolder()
        program = try FathomProgram()
    }

    private func figures(_ arguments: [String]) throws -> [String: Double] {
        let run = try program.run(
            ["bench"] + arguments + ["--folder", folder.path, "--format", "json"], in: folder.path)
        try #require(run.status == 0)
        return try JSONDecoder().decode([String: Double].self, from: Data(run.output.utf8))
    }

    @Test("dispatch: jobs a second, and round trips beside what a commit takes")
    func dispatch() throws {
        let found = try figures(["dispatch", "--jobs", "3000", "--workers", "2"])
        #expect(
            Set(found.keys) == ["jobs_per_second", "p50_ms", "p99_ms", "commit_p50_ms"])
        let commit = try #require(found["commit_p50_ms"])
        let middle = try #require(found["p50_ms"])
        #expect(found["jobs_per_second"] ?? 0 > 100)
        #expect(commit > 0 && middle > commit && found["p99_ms"] ?? 0 >= middle)
        // What it made is gone.
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
    }

    @Test("accept: a large sweep until its first job is given out")
    func accept() throws {
        let found = try figures(["accept", "--jobs", Self.isSlow ? "1000000" : "30000"])
        #expect(found["accepted_seconds"] ?? 0 > 0)
        #expect(found["first_dispatch_seconds"] ?? -1 >= 0)
        let peak = try #require(found["peak_bytes"])
        #expect(peak > Double(1 << 20) && peak <= Double(1 << 30))
    }

    @Test("connections: many workers come at once and all are welcome")
    func connections() throws {
        let count = Self.isSlow ? 1_000 : 60
        let found = try figures(["connections", "--count", "\(count)"])
        #expect(found["connections"] == Double(count))
        #expect(found["seconds"] ?? .infinity <= 10)
    }
}
