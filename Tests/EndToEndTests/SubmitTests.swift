import Foundation
import Testing

@Suite("What is handed to Slurm")
struct SubmitTests {
    private static let repository = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().path

    private func submit(_ more: [String] = [], in folder: TemporaryFolder) throws -> String {
        let program = try FathomProgram()
        let sweep = folder.path + "/quickstart.yaml"
        if !FileManager.default.fileExists(atPath: sweep) {
            try FileManager.default.copyItem(
                atPath: Self.repository + "/sweeps/quickstart.yaml", toPath: sweep)
        }
        let (status, _, errors) = try program.runWithErrors(
            [
                "submit", "slurm", "quickstart.yaml", "--nodes-max", "10", "--cores", "8",
                "--minutes", "60", "--option=--partition=cpu", "--db",
                "/local/you/quickstart.sqlite", "--dry-run",
            ] + more, in: folder.path)
        return status == 0 ? "" : errors
    }

    @Test(
        "is what the example in cluster/slurm shows",
        arguments: ["coordinator.sbatch", "worker.sbatch", "allocation.json"])
    func example(name: String) throws {
        let folder = try TemporaryFolder()
        #expect(try submit(in: folder) == "")
        var found = try String(
            contentsOfFile: folder.path + "/quickstart.slurm/" + name, encoding: .utf8)
        let program = try FathomProgram().path
        for (path, shown) in [
            (folder.path, "/shared/you/sweeps"), (program, "/opt/fathom/bin/fathom"),
        ] {
            // Written are the real paths, behind all links.
            let real = URL(fileURLWithPath: path).resolvingSymlinksInPath().path
            found = found.replacingOccurrences(of: real, with: shown)
                .replacingOccurrences(of: path, with: shown)
        }
        let shown = try String(
            contentsOfFile: Self.repository + "/cluster/slurm/" + name, encoding: .utf8)
        #expect(found == shown)
    }

    @Test("lies where nobody else can read it, and keeps its keys when it is made again")
    func secrets() throws {
        let folder = try TemporaryFolder()
        #expect(try submit(in: folder) == "")
        let made = folder.path + "/quickstart.slurm"
        let key = try String(contentsOfFile: made + "/worker.key", encoding: .utf8)
        for name in ["", "/worker.key", "/coordinator.key", "/allow", "/worker.sbatch", "/spool"] {
            let facts = try FileManager.default.attributesOfItem(atPath: made + name)
            let mode = try #require(facts[.posixPermissions] as? Int)
            #expect(mode & 0o077 == 0, "\(name) has mode \(String(mode, radix: 8))")
        }
        for name in ["coordinator.sbatch", "worker.sbatch"] {
            let script = try String(contentsOfFile: made + "/" + name, encoding: .utf8)
            #expect(!script.contains(key.trimmingCharacters(in: .whitespacesAndNewlines)))
        }
        #expect(try submit(in: folder) == "")
        #expect(try String(contentsOfFile: made + "/worker.key", encoding: .utf8) == key)
    }

    @Test("gives workers alone what is theirs: a GPU, a runner, a tag")
    func workers() throws {
        let folder = try TemporaryFolder()
        let runner = "--runner=torch=python -m fathom_torch --device cuda"
        let more = [
            "--worker-head=--gres=gpu:1", "--worker-option=\(runner)", "--worker-option=--tag=gpu",
        ]
        #expect(try submit(more, in: folder) == "")
        func script(_ name: String) throws -> String {
            try String(
                contentsOfFile: "\(folder.path)/quickstart.slurm/\(name).sbatch", encoding: .utf8)
        }
        let worker = try script("worker")
        #expect(worker.contains("\n#SBATCH --gres=gpu:1\n"))
        #expect(worker.contains(" '\(runner)' --tag=gpu\n"))
        #expect(!(try script("coordinator")).contains("gpu"))
    }

    @Test(
        "is refused when it cannot be, by the name of the setting",
        arguments: [
            (["--minutes", "2"], "--minutes is 2"), (["--nodes-max", "0"], "--nodes-max is 0"),
            (["--option", "partition"], "--option is «partition»"),
            (["--worker-head", "gpu"], "--worker-head is «gpu»"),
            (["--worker-option", "tag"], "--worker-option is «tag»"),
        ])
    func refusals(more: [String], said: String) throws {
        let folder = try TemporaryFolder()
        let errors = try submit(more, in: folder)
        #expect(errors.contains(said), "\(errors)")
        #expect(!FileManager.default.fileExists(atPath: folder.path + "/quickstart.slurm"))
    }
}
