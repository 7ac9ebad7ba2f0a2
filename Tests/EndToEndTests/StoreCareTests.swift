import FathomCoordinator
import FathomProtocol
import Foundation
import Testing

/// A file system of a few mebibytes, in memory.
private final class SmallDisk {
    private static let mount = ["/usr/bin/mount", "/bin/mount"].first {
        FileManager.default.isExecutableFile(atPath: $0)
    }
    private let folder: TemporaryFolder
    var path: String { folder.path }

    /// Whether this machine lets us mount one.
    static let isPossible: Bool = {
        guard geteuid() == 0, mount != nil, let disk = try? SmallDisk(mebibytes: 1) else {
            return false
        }
        return withExtendedLifetime(disk) { true }
    }()

    init(mebibytes: Int) throws {
        folder = try TemporaryFolder()
        try Self.run(
            Self.mount ?? "mount",
            ["-t", "tmpfs", "-o", "size=\(mebibytes)m", "tmpfs", folder.path])
    }

    deinit { try? Self.run("/usr/bin/umount", ["-l", folder.path]) }

    /// Fills it up but for so many bytes.
    func fill(leaving bytes: Int) throws {
        let room = try #require(DiskRoom.bytes(at: path))
        try Data(repeating: 1, count: room - bytes)
            .write(to: URL(fileURLWithPath: path + "/ballast"))
    }

    func makeRoom() throws { try FileManager.default.removeItem(atPath: path + "/ballast") }

    private static func run(_ program: String, _ arguments: [String]) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw Failed() }
    }

    private struct Failed: Error {}
}

/// What happens around a store while it is written: a full disk, copies, checks, questions.
@Suite("A store in use", .serialized)
struct StoreCareTests {
    private let folder: TemporaryFolder
    private let program: FathomProgram

    init() throws {
        folder = try TemporaryFolder()
        program = try FathomProgram()
    }

    private func integer(_ sql: String, _ store: String) throws -> Int? {
        let output = try program.run(
            ["query", store, sql, "--format", "csv"], in: folder.path
        ).output
        return output.split(separator: "\n").last.flatMap { Int($0) }
    }

    @Test(
        "waits for room on a full disk, says so, and loses nothing",
        .enabled(if: SmallDisk.isPossible, "mounting a small disk needs root"))
    func fullDisk() throws {
        let disk = try SmallDisk(mebibytes: 48)
        let store = disk.path + "/a.sqlite"
        let made = try Store(path: store)
        _ = try made.register(ProbePlan.plan([(.succeed, 20_000)]))
        try made.checkpointAndClose()
        // Results of 20,000 jobs need several times that.
        try disk.fill(leaving: 2 << 20)
        let log = folder.path + "/log"
        let run = try program.start(
            ["probes", "--count", "20000", "--slots", "2", "--db", store], in: folder.path,
            log: log)
        defer { kill(run.processIdentifier, SIGKILL) }
        try #require(
            eventually(within: 30) {
                try String(contentsOfFile: log, encoding: .utf8).contains("waiting for the store")
            })
        let metrics = try program.run(
            ["status", store, "--format", "prometheus"], in: folder.path)
        #expect(metrics.output.contains("\nfathom_store_waiting 1\n"))
        #expect(run.isRunning)
        let before = try #require(try integer("SELECT count(*) FROM attempt", store))
        #expect(before < 20_000)
        try disk.makeRoom()
        try #require(eventually(within: 60) { !run.isRunning })
        #expect(run.terminationStatus == 0)
        let finished = "SELECT count(*) FROM job WHERE state = 'finished'"
        #expect(try integer(finished, store) == 20_000)
        // Nothing was computed, or counted, twice.
        #expect(try integer("SELECT count(*) FROM attempt", store) == 20_000)
        #expect(try integer("SELECT count(*) FROM metric", store) == 20_000)
        #expect(try program.run(["doctor", "--db", store], in: folder.path).status == 0)
    }

    @Test("is copied whole while a coordinator writes it")
    func backup() throws {
        let run = try program.start(
            ["probes", "--count", "50000", "--slots", "2", "--db", "a.sqlite"], in: folder.path)
        defer { kill(run.processIdentifier, SIGKILL) }
        try #require(
            eventually(within: 30) {
                FileManager.default.fileExists(atPath: folder.path + "/a.sqlite.control")
            })
        let copied = try program.run(["backup", "a.sqlite", "--out", "b.sqlite"], in: folder.path)
        #expect(copied.status == 0)
        #expect(copied.output.contains("checked"))
        let again = try program.run(["backup", "a.sqlite", "--out", "b.sqlite"], in: folder.path)
        #expect(again.status == 3)
        try #require(eventually(within: 60) { !run.isRunning })
        #expect(run.terminationStatus == 0)
        // One moment of the sweep: what is finished has its rows, whatever came afterwards.
        let finished = try integer(
            "SELECT count(*) FROM job WHERE state = 'finished'", "b.sqlite")
        #expect(try integer("SELECT count(*) FROM metric", "b.sqlite") == finished)
        #expect(try integer("SELECT count(*) FROM job", "b.sqlite") == 50_000)
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
        #expect(names.filter { $0.hasPrefix("b.sqlite") } == ["b.sqlite"])
        // A copy is a store like any other: the sweep goes on from it.
        let onward = try program.run(
            ["probes", "--count", "50000", "--slots", "2", "--db", "b.sqlite"], in: folder.path)
        #expect(onward.status == 0)
    }

    @Test("is found damaged by the doctor, who finds nothing wrong with a whole one")
    func doctor() throws {
        let probes = ["probes", "--count", "2000", "--db", "a.sqlite"]
        #expect(try program.run(probes, in: folder.path).status == 0)
        let whole = try program.run(
            ["doctor", "--db", "a.sqlite", "--artifacts"], in: folder.path)
        #expect(whole.status == 0)
        #expect(whole.output.contains("no damage, no broken references"))
        #expect(whole.output.contains("nobody writes it"))
        let path = folder.path + "/a.sqlite"
        let handle = try #require(FileHandle(forWritingAtPath: path))
        // The tenth page and the forty behind it; the header stays.
        try handle.seek(toOffset: 10 * 4_096)
        try handle.write(contentsOf: Data(repeating: 0xa5, count: 40 * 4_096))
        try handle.close()
        let damaged = try program.run(["doctor", "--db", "a.sqlite"], in: folder.path)
        #expect(damaged.status == 1)
        #expect(damaged.output.contains("WRONG\tintegrity"))
        let copy = try program.runWithErrors(
            ["backup", "a.sqlite", "--out", "b.sqlite"], in: folder.path)
        #expect(copy.status == 3)
        #expect(!FileManager.default.fileExists(atPath: folder.path + "/b.sqlite"))
    }

    @Test("is asked for its figures in the form that Prometheus reads")
    func metrics() throws {
        let run = try program.start(
            ["probes", "--count", "3", "--hang", "1", "--slots", "2", "--db", "a.sqlite"],
            in: folder.path)
        defer { kill(run.processIdentifier, SIGKILL) }
        func figures() throws -> String {
            try program.run(["status", "a.sqlite", "--format", "prometheus"], in: folder.path)
                .output
        }
        let finished = "fathom_jobs{kind=\"probe\",state=\"finished\"} 3\n"
        try #require(eventually(within: 30) { try figures().contains(finished) })
        let text = try figures()
        for line in [
            "fathom_jobs{kind=\"probe\",state=\"open\"} 1\n", "fathom_workers 1\n",
            "fathom_slots 2\n", "fathom_leases 1\n", "fathom_results_stored_total 3\n",
            "fathom_connections_refused_total{reason=\"key\"} 0\n", "fathom_store_waiting 0\n",
        ] {
            #expect(text.contains("\n" + line))
        }
        // Every figure is explained and has a kind.
        let names = text.split(separator: "\n").filter { !$0.hasPrefix("#") }.map {
            $0.prefix { $0 != "{" && $0 != " " }
        }
        for name in Set(names) {
            #expect(text.contains("# HELP \(name) ") && text.contains("# TYPE \(name) "))
        }
        kill(run.processIdentifier, SIGKILL)
        run.waitUntilExit()
        #expect(try figures().contains(finished))
    }
}
