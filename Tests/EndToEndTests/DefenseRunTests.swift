import FathomCore
import Foundation
import Testing

/// Sweeps with defenses on a data set of a few images, through the whole program.
@Suite("Sweeps with defenses")
struct DefenseRunTests {
    private let folder: TemporaryFolder
    private let program: FathomProgram

    init() throws {
        folder = try TemporaryFolder()
        program = try FathomProgram()
        try TinyDataSet.write(to: folder.path + "/data/mnist", trainCount: 100, testCount: 60)
    }

    private func run(_ defenses: String, sal: String = "data: train") throws -> String {
        let text = """
            version: 1
            name: defended
            data: { set: mnist, train: 60, test: 60 }
            methods: [clean, rand-c]
            models: [lenet5]
            seeds: 1
            defenses: \(defenses)
            training: { epochs: 2, batch: 20, learningRate: 0.05 }
            sal: { every: 1, from: 1, images: 30, batch: 30, steps: 1, \(sal) }
            """
        try Data(text.utf8).write(to: URL(fileURLWithPath: folder.path + "/defended.yaml"))
        let (status, output, errors) = try program.runWithErrors(
            ["run", "defended.yaml", "--db", "a.sqlite", "--data", "data", "--slots", "2"],
            in: folder.path)
        #expect(status == 0, "\(errors)")
        return output
    }

    private func rows(_ query: String) throws -> [String] {
        let text = try program.run(
            ["query", "a.sqlite", query, "--format", "csv"], in: folder.path
        ).output
        return text.split(separator: "\n").dropFirst().map(String.init)
    }

    private func sal(_ defense: String) throws -> [String] {
        try rows(
            "SELECT method, seed, epoch, layer, sMax, sMin, sal FROM salMatrix "
                + "WHERE defense = '\(defense)' ORDER BY method, epoch, layerIndex")
    }

    @Test("SAL under settings that do nothing is none's bit for bit, under others it is not")
    func identities() throws {
        _ = try run(
            """
            [none, gaussian-released, { name: cutout, side: 0 }, { name: mixup, lambdaMax: 0 },
              { name: at, epsilon: 0, tier: cpu }, { name: jpeg, quality: 5 }]
            """)
        let plain = try sal("none")
        #expect(plain.count == 2 * 2 * 5)
        for defense in ["gaussian-released", "cutout", "mixup", "at"] {
            #expect(try sal(defense) == plain, "\(defense)")
        }
        let jpeg = try sal("jpeg")
        #expect(jpeg.count == plain.count && jpeg != plain)
    }

    @Test("test images are transformed only where the sweep says so; labels tell which")
    func testImages() throws {
        _ = try run("{ name: bdr, bits: 1, testImages: [plain, transformed] }", sal: "data: test")
        let metrics = try rows(
            "SELECT c.defense, m.split, m.value FROM cell c JOIN run r ON r.cell = c.id "
                + "JOIN runJob j ON j.run = r.id JOIN metric m ON m.job = j.job "
                + "WHERE m.epoch = 2 AND m.name = 'loss' AND c.method = 'clean' ORDER BY 1, 2")
        #expect(metrics.count == 4)
        let values = metrics.map { $0.split(separator: ",").map(String.init) }
        #expect(values.map { $0[0] }.first == "bdr (testImages=plain)")
        // Equal training, other test images, and so other SAL where it is measured on them.
        #expect(
            values.filter { $0[1] == "train" }.map { $0[2] }.reduce(into: Set()) { $0.insert($1) }
                .count == 1)
        #expect(
            values.filter { $0[1] == "test" }.map { $0[2] }.reduce(into: Set()) { $0.insert($1) }
                .count == 2)
        #expect(
            try sal("bdr (testImages=plain)").count == sal("bdr (testImages=transformed)").count)
        #expect(try sal("bdr (testImages=plain)") != sal("bdr (testImages=transformed)"))
    }

    @Test("a defense that means nothing is listed with its reason, and the rest is run")
    func notApplicable() throws {
        let output = try run("[none, gray]")
        let words = output.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        #expect(
            words.contains(
                "rand-c, clean: not applicable: gray needs 3 channels, and the images have 1."))
        #expect(
            try rows("SELECT count(*) FROM leaderboard WHERE note LIKE 'not applicable%'") == ["2"])
        #expect(try rows("SELECT count(*) FROM job WHERE state <> 'finished'") == ["0"])
        let (status, plan, _) = try program.runWithErrors(
            ["plan", "defended.yaml", "--data", "data"], in: folder.path)
        #expect(status == 0)
        #expect(plan.contains("2 cells will not run under gray on mnist, task cls"))
    }
}
