import FathomCoordinator
import FathomCore
import FathomMessaging
import Foundation

/// The folder of one sweep on Slurm: keys, two batch scripts, logs, and what workers leave for
/// each other. Only its owner may read it.
struct SlurmFolder {
    var path: String
    var program: String
    var sweep: String
    var sweepName: String
    var store: String
    var data: String?
    var bounds: SlurmBounds

    var coordinatorScript: String { "\(path)/coordinator.sbatch" }
    var workerScript: String { "\(path)/worker.sbatch" }
    /// Where the store is copied to at the end, for its own place may be a disk of one node.
    var copy: String { "\(path)/\(sweepName).fathom.sqlite" }

    /// How long before its end Slurm tells a worker, and how long it then takes at most.
    private static let noticeSeconds = 60
    private static let graceSeconds = 40
    private static let idleSeconds = 60

    /// Makes what is missing: keys of an earlier call stay, scripts are written anew.
    func write() throws {
        try makeFolder(path)
        for name in ["log", "spool"] { try makeFolder("\(path)/\(name)") }
        let worker = try makeKey("worker.key")
        _ = try makeKey("coordinator.key")
        try put(worker.publicKey.z85 + "\n", in: "allow", mode: 0o600)
        try put(coordinatorText, in: "coordinator.sbatch", mode: 0o700)
        try put(workerText, in: "worker.sbatch", mode: 0o700)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        let settings = try encoder.encode(
            AllocationFile(
                system: .slurm, jobName: "fathom-\(sweepName)", settings: bounds.allocator))
        try put(
            String(decoding: settings, as: UTF8.self) + "\n", in: "allocation.json", mode: 0o600)
    }

    /// What the coordinator is started with, in the job or by hand.
    var coordinatorArguments: [String] {
        [
            sweep, "--listen", "tcp://0.0.0.0:*", "--key", "\(path)/coordinator.key", "--allow",
            "\(path)/allow", "--db", store, "--endpoint-file", "\(path)/endpoint", "--allocate",
            path, "--copy", copy,
        ] + (data.map { ["--data", $0] } ?? [])
    }

    var byHand: String {
        ([program, "coordinator"] + coordinatorArguments).map(Self.quoted).joined(separator: " ")
    }

    var coordinatorText: String {
        """
        #!/bin/bash
        #SBATCH --job-name=fathom-\(sweepName)-coordinator
        #SBATCH --ntasks=1
        #SBATCH --cpus-per-task=1
        #SBATCH --time=\(bounds.coordinatorMinutes)
        #SBATCH --signal=B:TERM@\(Self.noticeSeconds)
        #SBATCH --output=\(path)/log/coordinator-%j.log
        #SBATCH --open-mode=append
        \(options)# Coordinates the sweep and asks for workers while there is work for them. Submitted
        # again, it goes on where it was.
        exec \(byHand)

        """
    }

    var workerText: String {
        let command = [
            program, "worker", "--connect", "@\(path)/endpoint", "--key", "\(path)/worker.key",
            "--slots", "\(bounds.cores)", "--work", "\(path)/spool", "--grace",
            "\(Self.graceSeconds)", "--lifetime", "\(bounds.minutes * 60)", "--idle",
            "\(Self.idleSeconds)", "--patience", "600",
        ]
        let all = command + (data.map { ["--data", $0] } ?? []) + bounds.workerOption
        return """
            #!/bin/bash
            #SBATCH --ntasks=1
            #SBATCH --cpus-per-task=\(bounds.cores)
            #SBATCH --time=\(bounds.minutes)
            #SBATCH --signal=TERM@\(Self.noticeSeconds)
            #SBATCH --requeue
            #SBATCH --open-mode=append
            \(options)\(Self.head(bounds.workerHead))# One worker. It ends when it is told to, has no work, or its time is nearly over, and
            # hands back what it has not finished.
            exec srun --ntasks=1 --cpus-per-task=\(bounds.cores) \\
                \(all.map(Self.quoted).joined(separator: " "))

            """
    }

    private var options: String { Self.head(bounds.option) }

    private static func head(_ lines: [String]) -> String {
        lines.map { "#SBATCH \($0)\n" }.joined()
    }

    private func makeFolder(_ path: String) throws {
        do {
            try FileManager.default.createDirectory(
                atPath: path, withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o700])
            try FileManager.default.setAttributes([.posixPermissions: 0o700], ofItemAtPath: path)
        } catch {
            throw InputError(
                description: "\(path) cannot be made: \(error.localizedDescription)")
        }
    }

    private func makeKey(_ name: String) throws -> CurveKeyPair {
        let file = "\(path)/\(name)"
        return FileManager.default.fileExists(atPath: file)
            ? try KeyFile.secret(file) : try KeyFile.make(file)
    }

    private func put(_ text: String, in name: String, mode: mode_t) throws {
        try AtomicFile.write(Array(text.utf8), to: "\(path)/\(name)", mode: mode)
    }

    /// A word as a shell reads it back.
    static func quoted(_ word: String) -> String {
        let plain = word.allSatisfy {
            $0.isASCII && ($0.isLetter || $0.isNumber || "/._-+=:@,%".contains($0))
        }
        return plain && !word.isEmpty
            ? word : "'" + word.replacingOccurrences(of: "'", with: "'\\''") + "'"
    }
}

/// What a coordinator reads about the machines it may ask for.
struct AllocationFile: Codable {
    enum System: String, Codable { case slurm }
    var system: System
    var jobName: String
    var settings: AllocatorSettings

    static func read(folder: String) throws -> AllocationFile {
        let path = "\(folder)/allocation.json"
        guard let data = FileManager.default.contents(atPath: path) else {
            throw InputError(
                description: "there is no \(path); `fathom submit slurm --dry-run` makes one")
        }
        do { return try JSONDecoder().decode(AllocationFile.self, from: data) } catch {
            throw InputError(description: "\(path) is not an allocation file: \(error)")
        }
    }
}
