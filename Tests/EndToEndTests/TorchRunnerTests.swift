import Foundation
import Testing

/// The runner for PyTorch, with whatever Python is there that has it.
enum TorchPython {
    private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().path
    static let folder = root + "/runners/torch"

    /// `FATHOM_PYTHON`, or `python3`; `nil` where it has no PyTorch.
    static let path: String? = {
        let asked = ProcessInfo.processInfo.environment["FATHOM_PYTHON"]
        let candidate = asked ?? "/usr/bin/python3"
        guard FileManager.default.isExecutableFile(atPath: candidate) else { return nil }
        return run(candidate, ["-c", "import torch, numpy"]).status == 0 ? candidate : nil
    }()

    /// Runs it in the runner's folder on one thread.
    static func run(_ python: String, _ arguments: [String]) -> (status: Int32, said: String) {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: python)
        process.arguments = arguments
        process.currentDirectoryURL = URL(fileURLWithPath: folder)
        process.environment = ProcessInfo.processInfo.environment.merging(
            ["OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"]) { $1 }
        let output = Pipe()
        process.standardOutput = output
        process.standardError = output
        guard (try? process.run()) != nil else { return (127, "cannot start \(python)") }
        let data = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return (process.terminationStatus, String(decoding: data, as: UTF8.self))
    }
}

@Suite(
    "The runner for PyTorch", .serialized,
    .enabled(if: TorchPython.path != nil, "set FATHOM_PYTHON to a Python with PyTorch"))
struct TorchRunnerTests {
    private let folder: TemporaryFolder
    private let program: FathomProgram
    private let python: String

    init() throws {
        folder = try TemporaryFolder()
        program = try FathomProgram()
        python = try #require(TorchPython.path)
    }

    @Test("passes its own tests against the golden fixtures")
    func golden() {
        let (status, said) = TorchPython.run(
            python, ["-m", "unittest", "discover", "-s", "tests", "-t", "."])
        #expect(status == 0, "\(said)")
    }

    /// Each network trained and measured by each engine, and by one what the other trained.
    private func write(_ name: String, model: String, training: String, solver: String) throws {
        let runner = "runner: torch"
        let text = """
            version: 1
            name: \(name)
            data: { set: rooms10, train: 200, test: 100 }
            methods: [clean, lsp]
            models:
              - { name: \(model) }
              - { name: \(model), \(runner) }
              - { name: \(model), runner: { name: torch, kinds: [sal] } }
              - { name: \(model), runner: { name: torch, kinds: [train] } }
            seeds: 1
            training: \(training)
            sal: { every: 1, from: 1, images: 60, batch: 30, \(solver) }
            compare: { threshold: released }
            """
        try Data(text.utf8).write(to: URL(fileURLWithPath: folder.path + "/\(name).yaml"))
        let run = try program.runWithErrors(
            [
                "run", "\(name).yaml", "--db", "\(name).sqlite", "--slots", "2", "--runner",
                "torch=/usr/bin/env PYTHONPATH=\(TorchPython.folder) \(python) -m fathom_torch",
            ], in: folder.path)
        #expect(run.status == 0, "\(run.errors)")
    }

    private func rows(_ name: String, _ sql: String) throws -> [[String]] {
        let text = try program.run(
            ["query", "\(name).sqlite", sql, "--format", "csv"], in: folder.path
        ).output
        return text.split(separator: "\n").dropFirst().map {
            $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        }
    }

    /// SAL by place, for a network's label.
    private func sal(_ name: String, _ model: String) throws -> [String: Double] {
        let found = try rows(
            name,
            "SELECT method || ' ' || epoch || ' ' || layer, sal FROM salMatrix "
                + "WHERE model = '\(model)'")
        return Dictionary(
            uniqueKeysWithValues: found.compactMap { row in Double(row[1]).map { (row[0], $0) } })
    }

    private func expectAgreement(
        _ one: [String: Double], _ other: [String: Double], relative: Double, absolute: Double
    ) {
        #expect(!one.isEmpty && one.count == other.count)
        for (place, value) in one {
            let found = other[place] ?? .nan
            #expect(
                abs(value - found) <= absolute + relative * abs(value),
                "\(place): \(value) and \(found)")
        }
    }

    @Test("agrees with the built-in engine on a shared sweep of lenet5, jobs on either side")
    func sharedSweep() throws {
        try write(
            "lenet", model: "lenet5",
            training: "{ epochs: 2, batch: 50, learningRate: 0.05, augment: [crop, flip] }",
            solver: "solver: normalized, steps: 3")
        // Trained by the built-in engine and measured by each: the same checkpoint.
        let ours = try sal("lenet", "lenet5")
        expectAgreement(
            ours, try sal("lenet", "lenet5@torch/cpu/sal"), relative: 0.01, absolute: 5e-6)
        // Trained by each on the same images in the same order, from the same weights.
        let theirs = try sal("lenet", "lenet5@torch/cpu")
        expectAgreement(ours, theirs, relative: 0.02, absolute: 1e-5)
        expectAgreement(
            theirs, try sal("lenet", "lenet5@torch/cpu/train"), relative: 0.01, absolute: 5e-6)
        let losses = try rows(
            "lenet",
            "SELECT max(abs(a.value - b.value)) FROM metric a JOIN job x ON x.id = a.job "
                + "JOIN metric b USING (epoch, split, name) JOIN job y ON y.id = b.job "
                + "WHERE a.name = 'loss' AND x.spec NOT LIKE '%\"runner\"%' "
                + "AND y.spec LIKE '%\"runner\"%' "
                + "AND json_extract(x.spec, '$.settings.poison') "
                + "IS json_extract(y.spec, '$.settings.poison')")
        #expect(Double(losses[0][0]) ?? .infinity < 0.01, "\(losses)")
    }

    @Test(
        "agrees with it on batch norm, other optimizers and the paper's solver",
        arguments: ["adam", "sam"])
    func otherSettings(optimizer: String) throws {
        try write(
            "small", model: "smallcnn",
            training: "{ epochs: 1, batch: 50, optimizer: \(optimizer), learningRate: "
                + (optimizer == "adam" ? "0.001" : "0.02") + ", schedule: cosine }",
            solver: "solver: reference, passes: 2, rate: 0.1")
        let ours = try sal("small", "smallcnn-w16")
        expectAgreement(
            ours, try sal("small", "smallcnn-w16@torch/cpu/sal"), relative: 0.02, absolute: 5e-6)
        expectAgreement(
            ours, try sal("small", "smallcnn-w16@torch/cpu"), relative: 0.1, absolute: 2e-5)
    }
}
