import Foundation
import Testing

/// Real processes are killed; the tables must be those of an undisturbed run.
@Suite("Under chaos", .serialized)
struct ChaosTests {
    private static let isSlow = ProcessInfo.processInfo.environment["FATHOM_SLOW"] == "1"
    private static let hasData = FileManager.default.fileExists(
        atPath: "/usr/share/datasets/fashion-mnist")
    private static let rows =
        "SELECT j.key, j.state, m.value FROM job j LEFT JOIN metric m ON m.job = j.id ORDER BY 1"
    private let folder: TemporaryFolder
    private let program: FathomProgram

    init() throws {
        folder = try TemporaryFolder()
        program = try FathomProgram()
    }

    /// A sweep of 52 jobs that computes for some seconds.
    private func writeSweep() throws {
        let text = """
            version: 1
            name: tiny
            data: { set: fashion-mnist, train: 200, test: 100 }
            methods: [clean, rand-s, lsp]
            tasks: [cls]
            models: [mlp, lenet5]
            seeds: 2
            training: { epochs: 2, batch: 32, optimizer: sgd, learningRate: 0.05, momentum: 0.9 }
            sal: { every: 1, from: 1, images: 32, batch: 16, solver: normalized, steps: 2 }
            compare: { threshold: released }
            """
        try Data(text.utf8).write(to: URL(fileURLWithPath: folder.path + "/tiny.yaml"))
    }

    private func run(_ store: String, _ arguments: [String]) throws {
        let (status, _) = try program.run(
            ["run", "tiny.yaml", "--db", store] + arguments, in: folder.path)
        try #require(status == 0)
    }

    @Test(
        "a sweep on real data, killed 20 times, exports the bytes of an undisturbed run",
        .enabled(if: hasData, "Fashion-MNIST is not installed"))
    func realSweep() throws {
        try writeSweep()
        try run("calm.sqlite", ["--slots", "2"])
        let expected = try Exports.results(of: "calm.sqlite", in: folder, by: program)
        var kills = 0
        var coordinatorKills = 0
        for round in 0..<10 where kills < 20 {
            let store = "\(round).sqlite"
            var chaos = Chaos(
                program, in: folder, store: store,
                arguments: ["run", "tiny.yaml", "--slots", "2"], seed: UInt64(round))
            try chaos.run(killsMax: 20 - kills, stepMax: 3, workerShare: 0.5)
            kills += chaos.kills
            coordinatorKills += chaos.coordinatorKills
            #expect(chaos.problems == [], "seed \(round)")
            let found = try Exports.results(of: store, in: folder, by: program)
            #expect(found == expected, "seed \(round)")
        }
        #expect(kills == 20)
        #expect(coordinatorKills > 0 && coordinatorKills < kills)
    }

    @Test(
        "slots and shards change no byte of an export",
        .enabled(if: hasData, "Fashion-MNIST is not installed"))
    func slotsAndShards() throws {
        try writeSweep()
        let courses = [
            ["--slots", "1"], ["--slots", "2", "--shard-entries", "1"],
            ["--slots", "2", "--shard-entries", "3"],
        ]
        var exports: [[String: Data]] = []
        for (number, course) in courses.enumerated() {
            try run("\(number).sqlite", course)
            exports.append(
                try Exports.results(of: "\(number).sqlite", in: folder, by: program))
        }
        #expect(exports[0].count >= 5)
        #expect(exports.allSatisfy { $0 == exports[0] })
    }

    @Test(
        "a coordinator killed 100 times, and workers besides, loses nothing and repeats nothing",
        .enabled(if: isSlow, "set FATHOM_SLOW=1"))
    func hundredKills() throws {
        let probes = ["probes", "--count", "20000", "--slots", "2"]
        _ = try program.run(probes + ["--db", "calm.sqlite"], in: folder.path)
        let expected = try program.run(
            ["query", "calm.sqlite", Self.rows, "--format", "csv"], in: folder.path
        ).output
        var kills = 0
        for round in 0..<100 where kills < 100 {
            let store = "\(round).sqlite"
            var chaos = Chaos(
                program, in: folder, store: store, arguments: probes, seed: UInt64(round))
            try chaos.run(killsMax: 100 - kills, stepMax: 100, workerShare: 0.2)
            kills += chaos.coordinatorKills
            #expect(chaos.problems == [], "seed \(round)")
            let found = try program.run(
                ["query", store, Self.rows, "--format", "csv"], in: folder.path
            ).output
            #expect(found == expected, "seed \(round)")
        }
        #expect(kills >= 100 - 1)
    }

    @Test("a worker that is stopped goes on when it is let, and nothing is charged")
    func stoppedWorker() throws {
        let store = "a.sqlite"
        let probes = ["probes", "--count", "40000", "--slots", "2", "--db"]
        let run = try program.start(probes + [store], in: folder.path)
        for _ in 0..<3 {
            _ = eventually(within: 20) {
                !run.isRunning || !Processes.children(of: run.processIdentifier).isEmpty
            }
            guard let agent = Processes.children(of: run.processIdentifier).first else { break }
            kill(agent, SIGSTOP)
            // Longer than a lease where there is time for it.
            usleep(Self.isSlow ? 20_000_000 : 300_000)
            kill(agent, SIGCONT)
        }
        run.waitUntilExit()
        #expect(run.terminationStatus == 0)
        let failures = "SELECT count(*) FROM attempt WHERE state IN ('error', 'slotDeath')"
        let (_, output) = try program.run(
            ["query", store, failures, "--format", "csv"], in: folder.path)
        #expect(output.hasSuffix("\n0\n"))
    }

    @Test("worker and slots end with the coordinator even while they are stopped")
    func stoppedProcessesEnd() throws {
        let run = try program.start(
            ["probes", "--count", "0", "--hang", "2", "--slots", "2", "--db", "a.sqlite"],
            in: folder.path)
        _ = eventually(within: 20) {
            Processes.children(of: run.processIdentifier).flatMap(Processes.children).count == 2
        }
        let agents = Processes.children(of: run.processIdentifier)
        let slots = agents.flatMap(Processes.children)
        // Each ties itself to its parent before it starts its first thread.
        _ = eventually(within: 20) { (agents + slots).allSatisfy(Processes.hasSeveralThreads) }
        for process in agents + slots { kill(process, SIGSTOP) }
        kill(run.processIdentifier, SIGKILL)
        run.waitUntilExit()
        #expect(
            eventually(within: 10) { !(agents + slots).contains(where: Processes.isAlive) })
    }
}
