import Foundation
import Testing

/// Programs of a user's own that compute jobs, beginning with the one that the documentation has.
@Suite("A runner", .serialized)
struct RunnerTests {
    private let folder: TemporaryFolder
    private let program: FathomProgram

    init() throws {
        folder = try TemporaryFolder()
        program = try FathomProgram()
    }

    private func query(_ store: String, _ sql: String) throws -> String {
        try program.run(["query", store, sql, "--format", "csv"], in: folder.path).output
    }

    private var slots: [String] {
        ["--slots", "2", "--runner", "plain=\(RunnerPage.command)"]
    }

    private func plain(_ store: String) -> [String] {
        ["run", "plain.yaml", "--db", store] + slots
    }

    @Test(
        "as the documentation has it computes a sweep, whose rows say who made them",
        .enabled(if: RunnerPage.hasPython, "python3 is not installed"))
    func page() throws {
        try RunnerPage.write(to: folder.path)
        let run = try program.runWithErrors(plain("a.sqlite"), in: folder.path)
        #expect(run.status == 0, "\(run.errors)")
        #expect(run.output.contains("plain:mean@plain/cpu"))
        let made = try query(
            "a.sqlite",
            "SELECT kind, json_extract(spec, '$.settings.model.runner.name') AS runner, "
                + "json_extract(spec, '$.settings.model.runner.device') AS device, count(*) AS jobs "
                + "FROM job WHERE state = 'finished' GROUP BY 1, 2 ORDER BY 1")
        #expect(
            made == "kind,runner,device,jobs\npoison,,,2\nsal,plain,cpu,8\ntrain,plain,cpu,8\n")
        // What looks at no image is not moved by noise in them.
        let differing = try query(
            "a.sqlite",
            "SELECT count(*) FROM salMatrix a JOIN salMatrix b USING (seed, epoch, layerIndex) "
                + "WHERE a.method = 'clean' AND b.method = 'rand-s' AND a.sal IS NOT b.sal")
        #expect(differing.hasSuffix("\n0\n"))
        let walked = try query(
            "a.sqlite", "SELECT count(*) FROM salMatrix WHERE sMax > 0 AND sMin > 0")
        #expect(walked.hasSuffix("\n8\n"))
        let again = try program.runWithErrors(
            ["run", "plain.yaml", "--db", "a.sqlite"], in: folder.path)
        #expect(again.status == 0 && again.errors.contains("done already"))
    }

    @Test(
        "is checked before anything is computed: by name, version and device",
        .enabled(if: RunnerPage.hasPython, "python3 is not installed"))
    func mismatch() throws {
        try RunnerPage.write(to: folder.path)
        let none = try program.runWithErrors(
            ["run", "plain.yaml", "--db", "a.sqlite"], in: folder.path)
        #expect(none.status == 2 && none.errors.contains("plain revision 1 on cpu"))
        #expect(none.errors.contains("give --runner plain=COMMAND"))
        try RunnerPage.write(
            to: folder.path,
            changing: [("runner: plain }", "runner: { name: plain, device: cuda } }")])
        let other = try program.runWithErrors(plain("a.sqlite"), in: folder.path)
        #expect(other.status == 2 && other.errors.contains("declares plain revision 1 on cpu"))
        let missing = try program.runWithErrors(
            ["run", "plain.yaml", "--runner", "plain=/no/such/program"], in: folder.path)
        #expect(missing.status == 2 && missing.errors.contains("cannot start /no/such/program"))
    }

    /// Whether the longer form is asked for.
    private static let isSlow = ProcessInfo.processInfo.environment["FATHOM_SLOW"] == "1"

    @Test(
        "killed with worker and coordinator at random moments, leaves the bytes of a calm run",
        .enabled(if: RunnerPage.hasPython, "python3 is not installed"),
        arguments: 0..<(isSlow ? 12 : 2))
    func chaos(seed: Int) throws {
        try RunnerPage.write(
            to: folder.path, changing: [("seeds: 2", "seeds: 3")], pause: 0.15)
        let calm = try program.run(plain("calm.sqlite"), in: folder.path)
        try #require(calm.status == 0)
        let expected = try Exports.results(of: "calm.sqlite", in: folder, by: program)
        let runner = folder.path + "/runner.py"
        let scratch = folder.path + "/scratch"
        var chaos = Chaos(
            program, in: folder, store: "chaos.sqlite",
            arguments: ["run", "plain.yaml", "--runner-scratch", scratch] + slots,
            seed: UInt64(seed))
        chaos.runners = (mark: runner, killsMax: 2)
        try chaos.run(killsMax: Self.isSlow ? 8 : 5, stepMax: 5, workerShare: 0.6)
        #expect(chaos.problems == [])
        #expect(chaos.runnerKills > 0 && chaos.kills > chaos.runnerKills)
        #expect(try Exports.results(of: "chaos.sqlite", in: folder, by: program) == expected)
        #expect(eventually(within: 10) { Processes.mentioning(runner).isEmpty })
        #expect(try FileManager.default.contentsOfDirectory(atPath: scratch) == [])
    }

    @Test(
        "that is not deterministic is audited within what it declares",
        .enabled(if: RunnerPage.hasPython, "python3 is not installed"),
        arguments: [("1e-3", "agreed"), ("1e-9", "disagreed")])
    func tolerance(declared: String, expected: String) throws {
        let mean = "/ len(misses)\n    return"
        try RunnerPage.write(
            to: folder.path,
            changing: [
                ("deterministic=True", "deterministic=False, tolerance=\(declared)"),
                (mean, "/ len(misses) + 1e-6 * __import__(\"random\").random()\n    return"),
                ("methods: [clean, rand-s]", "methods: [clean]"),
                ("compare:", "audit: 100%\ncompare:"),
            ])
        #expect(try program.run(plain("a.sqlite"), in: folder.path).status == 0)
        let states = try query(
            "a.sqlite", "SELECT state, count(*) AS n FROM attempt GROUP BY 1 ORDER BY 1")
        #expect(states == "state,n\naccepted,8\n\(expected),8\n")
    }

    @Test(
        "is ended in the middle of a job when that is cancelled, or the run interrupted",
        .enabled(if: RunnerPage.hasPython, "python3 is not installed"), arguments: [true, false])
    func ended(isCancelled: Bool) throws {
        try RunnerPage.write(to: folder.path, pause: 600)
        let scratch = folder.path + "/scratch"
        let run = try program.start(
            plain("a.sqlite") + ["--runner-scratch", scratch], in: folder.path)
        defer { kill(run.processIdentifier, SIGKILL) }
        func files() -> [String] {
            (try? FileManager.default.subpathsOfDirectory(atPath: scratch)) ?? []
        }
        // It writes its checkpoint before it pauses.
        try #require(
            eventually(within: 30) { files().contains { $0.hasSuffix("last.safetensors") } })
        if isCancelled {
            #expect(try program.run(["cancel", "a.sqlite", "plain"], in: folder.path).status == 0)
        } else {
            kill(run.processIdentifier, SIGINT)
        }
        #expect(eventually(within: 40) { !run.isRunning })
        #expect(
            eventually(within: 10) { Processes.mentioning(folder.path + "/runner.py").isEmpty })
        #expect(eventually(within: 5) { files().isEmpty })
    }

    @Test(
        "is waited for in a cluster, and explain says what for",
        .enabled(if: RunnerPage.hasPython, "python3 is not installed"))
    func cluster() throws {
        try RunnerPage.write(to: folder.path)
        try #require(try program.run(plain("calm.sqlite"), in: folder.path).status == 0)
        let cluster = try ClusterHarness(
            program, in: folder, leaseSeconds: 15, sharesFolder: false)
        try cluster.startWorker()
        try cluster.startCoordinator("plain.yaml")
        try #require(cluster.reach(2))
        let jobs = try query("a.sqlite", "SELECT key FROM job WHERE kind = 'train' LIMIT 1")
        let job = String(jobs.split(separator: "\n")[1])
        let told = try program.run(["explain", "a.sqlite", job], in: folder.path).output
        #expect(told.contains("it has no runner plain"), "\(told)")
        #expect(told.contains("it asks for train plain revision 1 on cpu"), "\(told)")
        #expect(cluster.finished == 2)
        try cluster.startWorker(
            work: "work2",
            more: ["--runner", "plain=\(RunnerPage.command)", "--tag", "new"])
        try cluster.finish(within: 120)
        let found = try Exports.results(of: "a.sqlite", in: folder, by: program)
        #expect(try Exports.results(of: "calm.sqlite", in: folder, by: program) == found)
    }
}
