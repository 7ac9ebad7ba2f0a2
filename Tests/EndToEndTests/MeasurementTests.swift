import FathomCore
import Foundation
import Testing

/// Real training and SAL on a data set of a few images, through the whole program.
@Suite("Measurements")
struct MeasurementTests {
    private let folder: TemporaryFolder
    private let program: FathomProgram

    init() throws {
        folder = try TemporaryFolder()
        program = try FathomProgram()
        try TinyDataSet.write(to: folder.path + "/data/mnist", trainCount: 200, testCount: 100)
    }

    private func sweep(_ name: String, sal: String) throws -> String {
        let text = """
            version: 1
            name: \(name)
            data: { set: mnist, train: 100, test: 100 }
            methods: [clean, rand-c]
            tasks: [cls]
            models: [lenet5]
            seeds: 1
            training: { epochs: 2, batch: 20, learningRate: 0.05 }
            sal: { every: 1, from: 1, images: 40, batch: 20, \(sal) }
            """
        let path = folder.path + "/\(name).yaml"
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        return path
    }

    private func finished(_ manifest: String, _ store: String, slots: Int) throws {
        let (status, _, errors) = try program.runWithErrors(
            ["run", manifest, "--db", store, "--data", "data", "--slots", "\(slots)"],
            in: folder.path)
        #expect(status == 0, "\(errors)")
    }

    private func rows(_ store: String, _ query: String) throws -> [[String]] {
        let text = try program.run(
            ["query", store, query, "--format", "csv"], in: folder.path
        ).output
        return text.split(separator: "\n").dropFirst().map {
            $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        }
    }

    @Test("of filters give a row for each sampled filter, the same with one slot and two")
    func filters() throws {
        let manifest = try sweep("filters", sal: "granularity: filter, filters: 3, steps: 2")
        let everything = "SELECT * FROM salMatrix ORDER BY cell, seed, epoch, entry"
        try finished(manifest, "one.sqlite", slots: 1)
        try finished(manifest, "two.sqlite", slots: 2)
        #expect(try rows("one.sqlite", everything) == rows("two.sqlite", everything))
        // Two cells, two epochs, five layers, three filters of each.
        let found = try rows(
            "one.sqlite",
            "SELECT cell, epoch, layerIndex, filter FROM salMatrix WHERE granularity = 'filter'")
        #expect(found.count == 2 * 2 * 5 * 3)
        #expect(Set(found).count == found.count)
        let arms = try rows(
            "one.sqlite", "SELECT count(DISTINCT filter) FROM salMatrix GROUP BY layerIndex")
        #expect(
            arms.allSatisfy { $0 == ["3"] }, "clean and perturbed runs measure the same filters")
        let scores = try rows(
            "one.sqlite", "SELECT learnableBaseline FROM udScore WHERE reason IS NULL")
        #expect(!scores.isEmpty)
    }

    @Test("of loss landscapes have the same bits with one slot and two, however they are sharded")
    func landscapes() throws {
        let path = folder.path + "/planes.yaml"
        let text = """
            version: 1
            name: planes
            data: { set: mnist, train: 100, test: 100 }
            methods: [clean, lsp]
            models: [linear12, lenet5]
            seeds: 1
            training: { epochs: 3, batch: 20, learningRate: 0.05 }
            sal: { every: 1, from: 1, images: 40, batch: 20, steps: 1 }
            landscape: { points: 5, images: 40, batch: 20 }
            """
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        try finished(path, "one.sqlite", slots: 1)
        let (status, _, errors) = try program.runWithErrors(
            [
                "run", path, "--db", "two.sqlite", "--data", "data", "--slots", "2",
                "--shard-entries", "4",
            ], in: folder.path)
        #expect(status == 0, "\(errors)")
        for view in ["lossSurface", "lossPlane", "lossTrajectory"] {
            let everything = "SELECT * FROM \(view) ORDER BY 1, 2, 7, 8, 9"
            let rows = try rows("one.sqlite", everything)
            #expect(try rows == self.rows("two.sqlite", everything), "\(view)")
            // Four cells: 25 points on each of two planes; two planes; three checkpoints.
            #expect(rows.count == ["lossSurface": 200, "lossPlane": 8][view] ?? 12)
        }
        let centres = try rows(
            "one.sqlite",
            """
            SELECT p.loss = l.loss, p.loss = s.originLoss FROM lossPlane p
              JOIN lossSurface l USING (cell, seed, plane) JOIN cell c ON c.label = p.cell
              JOIN run r ON r.cell = c.id JOIN runJob j ON j.run = r.id AND j.epoch = p.epoch
              JOIN sal s ON s.job = j.job AND s.entry = 0
            WHERE p.plane = 'random' AND l.x = 0 AND l.y = 0
            """)
        #expect(centres == Array(repeating: ["1", "1"], count: 4))
    }

    @Test("of a checkpoint by the sal command agree with what the sweep says of it")
    func checkpoint() throws {
        let manifest = try sweep("layers", sal: "data: test, steps: 2")
        try finished(manifest, "a.sqlite", slots: 2)
        let known = try #require(
            try rows(
                "a.sqlite",
                """
                SELECT a.digest, m.value FROM artifact a JOIN metric m ON m.job = a.job
                WHERE a.name = 'checkpoint' AND m.epoch = 2 AND m.split = 'test'
                  AND m.name = 'accuracy'
                """
            ).first)
        let file = "a.sqlite.artifacts/\(known[0].prefix(2))/\(known[0])"
        let (status, output, errors) = try program.runWithErrors(
            [
                "sal", file, "--model", "lenet5", "--data-set", "mnist", "--data", "data",
                "--split", "test", "--images", "0", "--batch", "20", "--steps", "2", "--format",
                "csv",
            ], in: folder.path)
        #expect(status == 0, "\(errors)")
        let table = output.split(separator: "\n").map { $0.split(separator: ",").map(String.init) }
        #expect(table.dropFirst().map { $0[0] } == ["conv1", "conv2", "fc1", "fc2", "fc3"])
        let accuracy = try #require(table[0].firstIndex(of: "originAccuracy"))
        #expect(Double(table[1][accuracy]) == Double(known[1]))
        let sal = try #require(table[0].firstIndex(of: "sal"))
        #expect(table.dropFirst().allSatisfy { (Double($0[sal]) ?? -1) > 0 })
    }

    @Test("of a file that is no checkpoint end with one line and status 2")
    func noCheckpoint() throws {
        try Data("no checkpoint".utf8).write(
            to: URL(fileURLWithPath: folder.path + "/no.safetensors"))
        let (status, output, errors) = try program.runWithErrors(
            [
                "sal", "no.safetensors", "--model", "lenet5", "--data-set", "mnist", "--data",
                "data", "--images", "20",
            ], in: folder.path)
        #expect(status == 2 && output == "")
        #expect(errors.contains("no.safetensors"), "\(errors)")
    }
}

/// An MNIST-like set of noisy bright squares, one place a class, made from a seed.
enum TinyDataSet {
    static func write(to folder: String, trainCount: Int, testCount: Int) throws {
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true)
        for (split, count) in [("train", trainCount), ("t10k", testCount)] {
            var random = RandomStream(seed: 1).derived(split)
            let labels = (0..<count).map { UInt8($0 % 10) }
            let pixels = labels.flatMap { image(of: Int($0), &random) }
            let images = header(3, [count, 28, 28]) + pixels
            try Data(images).write(
                to: URL(fileURLWithPath: folder + "/\(split)-images-idx3-ubyte"))
            try Data(header(1, [count]) + labels).write(
                to: URL(fileURLWithPath: folder + "/\(split)-labels-idx1-ubyte"))
        }
    }

    private static func header(_ rank: UInt8, _ sizes: [Int]) -> [UInt8] {
        [0, 0, 8, rank]
            + sizes.flatMap { size in (0..<4).map { UInt8(size >> (24 - 8 * $0) & 255) } }
    }

    private static func image(of label: Int, _ random: inout RandomStream) -> [UInt8] {
        let (top, left) = (4 + label / 5 * 12, 2 + label % 5 * 5)
        return (0..<784).map { place in
            let isInside =
                (top..<top + 8).contains(place / 28) && (left..<left + 4).contains(place % 28)
            return UInt8(random.integer(below: 60) + (isInside ? 190 : 0))
        }
    }
}
