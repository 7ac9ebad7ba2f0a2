import Foundation
import Testing

/// Poisons of every kind through the whole program: labels, long craftings, trained surrogates and
/// one method on top of another.
@Suite("Poisons in a sweep")
struct PoisonRunTests {
    private let folder: TemporaryFolder
    private let program: FathomProgram

    init() throws {
        folder = try TemporaryFolder()
        program = try FathomProgram()
        try TinyDataSet.write(to: folder.path + "/data/mnist", trainCount: 200, testCount: 100)
    }

    private func sweep(
        _ name: String, methods: [String], set: String = "mnist", tasks: String = "cls"
    ) throws -> String {
        let text = """
            version: 1
            name: \(name)
            data: { set: \(set), train: 100, test: 100 }
            methods: [\(methods.joined(separator: ", "))]
            tasks: [\(tasks)]
            models: [lenet5]
            seeds: 1
            training: { epochs: 2, batch: 20, learningRate: 0.05 }
            sal: { every: 2, from: 2, images: 20, batch: 20, steps: 1 }
            """
        let path = folder.path + "/\(name).yaml"
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        return path
    }

    private func run(_ manifest: String, _ store: String) throws {
        let (status, _, errors) = try program.runWithErrors(
            ["run", manifest, "--db", store, "--data", "data", "--slots", "2"], in: folder.path)
        #expect(status == 0, "\(errors)")
    }

    private func rows(_ arguments: [String]) throws -> [[String]] {
        try program.run(arguments + ["--format", "csv"], in: folder.path).output
            .split(separator: "\n").dropFirst().map {
                $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
            }
    }

    private func query(_ store: String, _ sql: String) throws -> [[String]] {
        try rows(["query", store, sql])
    }

    private static let small = "surrogate: lenet5, batch: 50"

    @Test("are crafted, checked, reported and trained on")
    func allKinds() throws {
        let manifest = try sweep(
            "kinds",
            methods: [
                "clean", "label-noise", "cuda", "{ name: ar, classes: 0-4, candidates: 60 }",
                "{ name: rand-c, key: cluster, clusters: 3, fraction: 0.5 }",
                "{ name: em-s, rounds: 6, stopError: 0, trainSteps: 1, \(Self.small) }",
                "{ name: tap, steps: 5, \(Self.small) }", "{ name: hypo, steps: 5, \(Self.small) }",
                "{ name: ops+em-s, em-s.rounds: 6, em-s.stopError: 0, em-s.surrogate: lenet5, "
                    + "em-s.trainSteps: 1, em-s.batch: 50 }",
            ])
        try run(manifest, "kinds.sqlite")
        // em-s and tap and hypo are two links each, shared by ops+em-s; the rest are one job each.
        let jobs = try query(
            "kinds.sqlite", "SELECT kind, count(*) FROM job WHERE state = 'finished' GROUP BY kind")
        #expect(jobs == [["poison", "\(4 + 3 * 2 + 1)"], ["sal", "9"], ["train", "9"]])
        let methods = try rows(["poison", "inspect", "kinds.sqlite"]).map { $0[1] }
        #expect(Set(methods).count == 8)
        let numbers = try rows(["poison", "inspect", "kinds.sqlite"]).filter { $0[4] == "rounds" }
        #expect(numbers.map { $0[5] } == ["6.0", "5.0", "5.0"], "\(numbers)")
        let half = try query(
            "kinds.sqlite", "SELECT number FROM poisonReport WHERE name = 'poisonedImages'")
        #expect(half == [["50.0"], ["50.0"]])
        #expect(try query("kinds.sqlite", "SELECT * FROM problem").isEmpty)
        let cell = try #require(try rows(["poison", "inspect", "kinds.sqlite"]).first?.first)
        let one = try rows(["poison", "inspect", "kinds.sqlite", String(cell.prefix(6))])
        #expect(!one.isEmpty && Set(one.map { $0[0] }) == [cell])
    }

    @Test("are reported with budgets, probes, likeness, cost and why crafting stopped")
    func reports() throws {
        let manifest = try sweep(
            "reports",
            methods: ["clean", "lsp", "{ name: em-s, rounds: 5, trainSteps: 1, \(Self.small) }"])
        try run(manifest, "reports.sqlite")
        let lines = try rows(["poison", "inspect", "reports.sqlite"])
        for (method, more) in [
            ("lsp", []),
            (
                "em-s",
                ["forwardPasses", "rounds", "stopReason", "surrogate", "tier"]
                    + ["surrogateAccuracyClean", "surrogateAccuracyPoisoned"]
            ),
        ] {
            let own = lines.filter { $0[1] == method }
            let names = Set(own.map { $0[4] })
            let common = ["linf", "l2Mean", "l2Max", "changedPixels", "ssim", "probeTrain"]
            for name in common + ["probeHeldOut", "clippedShare", "seconds"] + more {
                #expect(names.contains(name), "\(method) reports no \(name): \(names)")
            }
            let seconds = own.first { $0[4] == "seconds" }.flatMap { Double($0[5]) }
            #expect(seconds ?? 0 > 0)
        }
    }

    @Test("break the contract by name: the job fails, and says which property it was")
    func brokenContract() throws {
        // Half of its noise is within half a grey level, which no network sees: P6.
        let manifest = try sweep(
            "broken", methods: ["clean", "{ name: rand-s, epsilon: 1/255 }"])
        let (status, _, errors) = try program.runWithErrors(
            ["run", manifest, "--db", "broken.sqlite", "--data", "data", "--slots", "2"],
            in: folder.path)
        #expect(status != 0, "\(errors)")
        let problems = try query(
            "broken.sqlite", "SELECT reason FROM problem WHERE kind = 'poison'")
        #expect(problems.count == 1)
        #expect(
            problems.first?.joined().contains("rand-s breaks P6 non-triviality") == true,
            "\(problems)")
    }

    @Test("that do nothing leave training and SAL as clean images do, bit for bit")
    func identities() throws {
        let manifest = try sweep(
            "nothing",
            methods: [
                "clean", "{ name: rand-s, epsilon: 0 }", "{ name: lsp, fraction: 0 }",
                "{ name: ops, fraction: 0 }", "{ name: label-noise, rate: 0 }",
                "{ name: em-s, epsilon: 0, \(Self.small) }", "lsp",
            ])
        try run(manifest, "nothing.sqlite")
        func rows(_ method: String) throws -> [[String]] {
            let cell = "(SELECT cell FROM leaderboard WHERE method LIKE '\(method)%')"
            return try query(
                "nothing.sqlite",
                "SELECT epoch, layer, sMax, sMin, sal FROM salMatrix WHERE cell = \(cell) "
                    + "ORDER BY epoch, entry")
        }
        let clean = try rows("clean")
        #expect(clean.count == 5)
        for method in ["rand-s", "lsp (fraction=0", "ops", "label-noise", "em-s"] {
            #expect(try rows(method) == clean, "\(method)")
        }
        #expect(try rows("lsp (fraction=1") != clean)
        let scores = try query(
            "nothing.sqlite",
            "SELECT DISTINCT ud FROM udScore WHERE seed IS NOT NULL AND ud IS NOT NULL "
                + "AND method NOT LIKE 'lsp%'")
        #expect(scores == [["1.0"]], "\(scores)")
    }

    @Test("come to the same bits on 2 slots, and on 1 whose worker is killed again and again")
    func killedCrafting() throws {
        let methods = [
            "{ name: em-s, rounds: 24, stopError: 0, trainSteps: 20, \(Self.small) }", "clean",
            "{ name: tap, steps: 24, \(Self.small) }",
            "{ name: rem, trainSteps: 300, surrogate: lenet5, batch: 20, steps: 1 }",
        ]
        let manifest = try sweep("killed", methods: methods)
        try run(manifest, "whole.sqlite")
        let process = try program.start(
            ["run", manifest, "--db", "broken.sqlite", "--data", "data", "--slots", "1"],
            in: folder.path)
        let sql = "SELECT count(*) FROM job WHERE kind = 'poison' AND state = 'finished'"
        // Sixteen links in three chains.
        for links in [2, 7, 13] {
            let isThere = try eventually(within: 60) {
                let done = Int(try query("broken.sqlite", sql).first?.first ?? "") ?? 0
                return done >= links || !process.isRunning
            }
            #expect(isThere)
            for agent in Processes.children(of: process.processIdentifier) { kill(agent, SIGKILL) }
        }
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
        let artifacts = """
            SELECT j.key, a.name, a.digest FROM artifact a JOIN job j ON j.id = a.job
            ORDER BY j.key, a.name
            """
        #expect(try query("broken.sqlite", artifacts) == query("whole.sqlite", artifacts))
    }

    @Test("are made for any task of the list, and read by others, to the same bits on 2 slots")
    func otherTasks() throws {
        let manifest = try sweep(
            "tasks",
            methods: [
                "clean",
                "{ name: em-s, craftTask: depth, rounds: 5, trainSteps: 1, \(Self.small) }",
                "{ name: em-c, craftTask: sem, rounds: 2, trainSteps: 1, \(Self.small) }",
                "{ name: tap, craftTask: normal, variant: untargeted, steps: 5, \(Self.small) }",
                "{ name: rem, craftTask: depth, trainSteps: 3, batch: 20, surrogate: lenet5, "
                    + "steps: 1, adversarySteps: 1 }",
            ], set: "rooms10-easy", tasks: "cls, depth")
        try run(manifest, "tasks.sqlite")
        #expect(try query("tasks.sqlite", "SELECT * FROM problem").isEmpty)
        let lines = try query(
            "tasks.sqlite",
            "SELECT word FROM poisonReport WHERE name = 'craftTask' ORDER BY word")
        #expect(lines == [["depth"], ["depth"], ["normal"], ["sem"]])
        // The network behind tap learns normals from clean images, which no cell asks for.
        let surrogates = try query(
            "tasks.sqlite", "SELECT count(*) FROM job WHERE kind = 'train'")
        #expect(surrogates == [["11"]])
        let (status, _, errors) = try program.runWithErrors(
            ["run", manifest, "--db", "one.sqlite", "--data", "data", "--slots", "1"],
            in: folder.path)
        #expect(status == 0, "\(errors)")
        let artifacts = """
            SELECT j.key, a.name, a.digest FROM artifact a JOIN job j ON j.id = a.job
            WHERE j.kind = 'poison' ORDER BY j.key, a.name
            """
        #expect(try query("one.sqlite", artifacts) == query("tasks.sqlite", artifacts))
    }

    @Test("settings that do not fit are refused before anything runs, with what would be right")
    func wrongSettings() throws {
        let wrong = [
            ("{ name: em-s, surogate: lenet5 }", "did you mean surrogate?"),
            ("{ name: tap, tier: papr }", "did you mean paper?"),
            ("{ name: ar, classes: 4-2 }", "classes and ranges of them, such as 0-4,7"),
            ("{ name: hypo, key: cluster }", "reads one of classes"),
            ("{ name: em-s, epsilon: 0.001 }", "must lie within"),
            ("{ name: em-s, craftTask: depth }", "depth needs to know every pixel"),
            ("{ name: ops+tap, tap.craftTask: edge }", "write variant: untargeted"),
            ("ops+lsq", "did you mean lsp?"), ("em-s+em-s", "at least two different methods"),
        ]
        for (index, (method, told)) in wrong.enumerated() {
            let manifest = try sweep("wrong\(index)", methods: ["clean", method])
            let (status, _, errors) = try program.runWithErrors(
                ["plan", manifest, "--data", "data"], in: folder.path)
            #expect(status == 2 && errors.contains(told), "\(method): \(errors)")
        }
    }
}
