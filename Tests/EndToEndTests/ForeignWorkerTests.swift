import Foundation
import Testing

/// The worker in Python that stands in the documents, which knows of ours only what they say.
@Suite("A worker in another language", .serialized)
struct ForeignWorkerTests {
    /// A Python with ZeroMQ and Protobuf: `FATHOM_PYTHON`, or the first on the path.
    private static let python: String? = {
        let named = ProcessInfo.processInfo.environment["FATHOM_PYTHON"] ?? "python3"
        let asked = [[named, "-c", "import zmq, google.protobuf"], ["protoc", "--version"]]
        return asked.allSatisfy { (try? call($0, in: "/"))?.status == 0 } ? named : nil
    }()

    private static func call(
        _ words: [String], in folder: String
    ) throws -> (status: Int32, output: String) {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = words
        process.currentDirectoryURL = URL(fileURLWithPath: folder)
        let output = Pipe()
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        let data = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return (process.terminationStatus, String(decoding: data, as: UTF8.self))
    }

    @Test(
        "joins, fetches what jobs read, hands them back, and the sweep ends the same",
        .enabled(if: python != nil, "asks for protoc and a Python with pyzmq and protobuf"))
    func joins() throws {
        let python = try #require(Self.python)
        let folder = try TemporaryFolder()
        let program = try FathomProgram()
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent().path
        let compiled = try Self.call(
            [
                "protoc", "-I", "\(root)/Sources/Protocol/Messages", "--python_out=.",
                "fathom.proto", "artifacts.proto",
            ], in: folder.path)
        try #require(compiled.status == 0)
        try ClusterSweep.write(to: folder, seeds: 4)
        let expected = try ClusterSweep.calm(in: folder, by: program)
        let cluster = try ClusterHarness(
            program, in: folder, leaseSeconds: 15, sharesFolder: false)
        try cluster.startWorker()
        try cluster.startCoordinator("cluster.yaml")
        try #require(cluster.reach(12))
        let facts = try ["build", "numericClass"].map { fact in
            let rows = try program.run(
                ["query", "a.sqlite", "SELECT \(fact) FROM worker", "--format", "csv"],
                in: folder.path)
            let last = try #require(rows.output.split(separator: "\n").last)
            return last.trimmingCharacters(in: CharacterSet(charactersIn: "\""))
        }
        let joined = try Self.call(
            [
                python, "\(root)/docs/examples/join.py", cluster.endpoint, "--server-key",
                cluster.serverKey, "--key", "worker.key", "--build", facts[0], "--numeric-class",
                facts[1],
            ], in: folder.path)
        #expect(joined.status == 0)
        let seen = try JSONSerialization.jsonObject(with: Data(joined.output.utf8))
        let counts = try #require(seen as? [String: Int])
        #expect(counts["assigned"] ?? 0 > 0)
        #expect(counts["returned"] ?? 0 > 0)
        #expect(counts["fetched"] ?? 0 > 0)
        try cluster.finish(within: 300, allGoHome: false)
        #expect(try Exports.results(of: "a.sqlite", in: folder, by: program) == expected)
        let charged = cluster.count(
            "SELECT count(*) FROM attempt WHERE state IN ('error', 'slotDeath', 'disagreed')")
        #expect(charged == 0)
    }
}
