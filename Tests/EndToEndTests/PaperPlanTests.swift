import Foundation
import Testing

/// The manifests of the paper's size, which nobody here can run, can at least be planned.
@Suite("The paper's sweeps")
struct PaperPlanTests {
    private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().path

    /// Files of the right sizes, full of zeros, which take no room on disk.
    private func write(_ sizes: [String: Int], to folder: String) throws {
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true)
        for (name, size) in sizes {
            try Data().write(to: URL(fileURLWithPath: folder + "/" + name))
            let file = try FileHandle(
                forWritingTo: URL(fileURLWithPath: folder + "/" + name))
            try file.truncate(atOffset: UInt64(size))
            try file.close()
        }
    }

    @Test("all of a set costs what as many images cost, also where it was measured")
    func allImages() throws {
        let folder = try TemporaryFolder()
        let program = try FathomProgram()
        func plan(_ data: String, _ more: [String] = []) throws -> Substring? {
            let sweep = """
                version: 1
                name: all
                data: \(data)
                methods: [clean]
                models: [linear]
                seeds: 1
                training: { epochs: 1, batch: 500 }
                sal: { every: 1, from: 1, images: 50, batch: 50, steps: 1 }
                compare: { threshold: released }
                """
            try Data(sweep.utf8).write(to: URL(fileURLWithPath: folder.path + "/all.yaml"))
            let output = try program.run(["plan", "all.yaml"] + more, in: folder.path).output
            return output.split(separator: "\n").first { $0.contains("core-hours") }
        }
        let all = try plan("rooms10")
        #expect(all?.contains("train 0.0") ?? false)
        #expect(all == (try plan("{ set: rooms10, train: 10000, test: 2000 }")))
        let run = ["run", "all.yaml", "--db", "all.sqlite", "--slots", "1"]
        try #require(try program.run(run, in: folder.path).status == 0)
        let costs = ["--costs", "all.sqlite"]
        let measured = try plan("rooms10", costs)
        #expect(measured?.contains("by measured costs") ?? false)
        #expect(measured == (try plan("{ set: rooms10, train: 10000, test: 2000 }", costs)))
    }

    @Test(
        "plan to runs of every method, network and defense, and say whose hours they are",
        arguments: ["paper-cifar10", "paper-cifar100"])
    func plans(name: String) throws {
        let folder = try TemporaryFolder()
        let record = 3_072
        if name == "paper-cifar10" {
            let batches = (1...5).map { ("data_batch_\($0).bin", 10_000 * (record + 1)) }
            try write(
                Dictionary(uniqueKeysWithValues: batches + [("test_batch.bin", batches[0].1)]),
                to: folder.path + "/data/cifar10")
        } else {
            try write(
                ["train.bin": 50_000 * (record + 2), "test.bin": 10_000 * (record + 2)],
                to: folder.path + "/data/cifar100")
        }
        let (status, output, errors) = try FathomProgram().runWithErrors(
            ["plan", "\(Self.root)/sweeps/\(name).yaml", "--data", "data"], in: folder.path)
        #expect(status == 0, "\(errors)")
        // Seven methods, four networks, five defenses, three seeds.
        #expect(output.hasPrefix("\(name): 140 cells, 420 runs, "), "\(output.prefix(200))")
        for model in ["resnet18-w64", "resnet50-w64", "senet18-w64", "vit-small-w512"] {
            #expect(output.contains("\(model)@torch/cuda"))
        }
        #expect(output.contains("hours of torch on cuda: not known; --costs STORE"))
    }
}
