import FathomCore
import Foundation
import Testing

/// Poisons that leave the program and come back to it.
@Suite("Poisons made elsewhere in sweeps")
struct ExternalRunTests {
    private let folder: TemporaryFolder
    private let program: FathomProgram

    init() throws {
        folder = try TemporaryFolder()
        program = try FathomProgram()
        try TinyDataSet.write(to: folder.path + "/data/mnist", trainCount: 60, testCount: 40)
    }

    private func write(_ name: String, methods: String) throws {
        let text = """
            version: 1
            name: \(name)
            data: mnist
            methods: \(methods)
            models: [lenet5]
            seeds: 1
            training: { epochs: 1, batch: 20, learningRate: 0.05 }
            sal: { every: 1, from: 1, images: 30, batch: 30, steps: 1 }
            """
        try Data(text.utf8).write(to: URL(fileURLWithPath: folder.path + "/\(name).yaml"))
    }

    private func fathom(_ arguments: [String]) throws -> (Int32, String, String) {
        try program.runWithErrors(arguments, in: folder.path)
    }

    private func finished(_ arguments: [String]) throws -> String {
        let (status, output, errors) = try fathom(arguments)
        #expect(status == 0, "\(errors)")
        return output
    }

    private func rows(_ store: String, _ query: String) throws -> [String] {
        let text = try finished(["query", store, query, "--format", "csv"])
        return text.split(separator: "\n").dropFirst().map(String.init)
    }

    private func sal(_ store: String, _ method: String) throws -> [String] {
        try rows(
            store,
            "SELECT epoch, layer, sMax, sMin, sal FROM salMatrix WHERE method = '\(method)' "
                + "ORDER BY epoch, layerIndex")
    }

    @Test(
        "what is exported and named by its path trains and measures as the method did, bit for bit")
    func roundTrip() throws {
        try write("ours", methods: "[clean, rand-c]")
        _ = try finished(
            ["run", "ours.yaml", "--db", "a.sqlite", "--data", "data", "--slots", "2"])
        let job = try #require(
            try rows("a.sqlite", "SELECT key FROM job WHERE kind = 'poison'").first)
        for (form, target) in [("png", "images"), ("pt", "all.pt"), ("folder", "mine")] {
            _ = try finished([
                "poison", "export", "a.sqlite", String(job.prefix(10)), "--to", target, "--form",
                form, "--data", "data",
            ])
        }
        try write(
            "theirs",
            methods: "[clean, { name: png, kind: external, path: images }, "
                + "{ name: pt, kind: external, path: all.pt }, "
                + "{ name: own, kind: external, path: mine }]")
        _ = try finished(
            ["run", "theirs.yaml", "--db", "b.sqlite", "--data", "data", "--slots", "2"])
        let expected = try sal("a.sqlite", "rand-c")
        #expect(expected.count == 5)
        #expect(try sal("b.sqlite", "clean") == sal("a.sqlite", "clean"))
        for method in ["png", "pt", "own"] {
            #expect(try sal("b.sqlite", method) == expected, "\(method)")
        }
        let coverage = try rows(
            "b.sqlite", "SELECT DISTINCT number FROM poisonReport WHERE name = 'coverage'")
        #expect(coverage == ["1.0"])
    }

    @Test("import says what a poison is, and refuses what is none in one line with status 2")
    func imports() throws {
        let clean = try #require(
            try? DataSetCatalog.open(name: "mnist", folder: folder.path + "/data").train)
        var moved = clean
        for place in moved.pixels.indices where moved.pixels[place] < 250 {
            moved.pixels[place] += UInt8(place % 5)
        }
        let card = PoisonExport.Card(
            name: "x", dataSet: "mnist", cleanDigest: Digest(of: Array("x".utf8)), source: "x",
            numbers: [:], words: [:])
        try PoisonExport(clean: clean, poison: ExternalPoison(from: clean, to: moved))
            .write(.npz, to: folder.path + "/x.npz", card: card)
        let told = try finished([
            "poison", "import", "x.npz", "--data-set", "mnist", "--data", "data", "--to", "kept",
        ])
        #expect(told.contains("coverage 1\n") && told.contains("linfMax 0.0156863\n"))
        #expect(told.contains("application replace\n"))
        let again = try finished(
            ["poison", "import", "kept", "--data-set", "mnist", "--data", "data"])
        #expect(again.contains("linfMax 0.0156863\n") && again.contains("application add\n"))
        try Data("no poison".utf8).write(to: URL(fileURLWithPath: folder.path + "/no.npy"))
        let (status, output, errors) = try fathom(
            ["poison", "import", "no.npy", "--data-set", "mnist", "--data", "data"])
        #expect(status == 2 && output == "")
        #expect(errors.contains("no.npy") && errors.split(separator: "\n").count == 1, "\(errors)")
        try write("broken", methods: "[clean, { name: mine, kind: external, path: no.npy }]")
        let (planned, _, complaint) = try fathom(["plan", "broken.yaml", "--data", "data"])
        #expect(planned == 2)
        #expect(complaint.contains("methods: mine cannot be crafted on mnist"), "\(complaint)")
    }
}
