import ArgumentParser
import FathomCoordinator
import FathomMessaging
import FathomProtocol
import Foundation

/// Hands a sweep to the engine of a cluster.
struct SubmitCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "submit", abstract: "Run a sweep on a cluster's own engine.",
        subcommands: [SubmitSlurmCommand.self])
}

/// Prepares a folder with keys and batch scripts, and submits the coordinator.
struct SubmitSlurmCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "slurm", abstract: "Run a sweep on Slurm.",
        discussion: """
            Makes a folder that only you can read, with keys and two batch scripts, on a file \
            system that login and compute nodes share. The coordinator asks for workers while \
            there is work for them; each worker is one task of a job array.

            With --dry-run nothing is submitted; the last lines say how to go on by hand. Run \
            again after an interruption, the sweep goes on where it was.
            """)

    @Argument(help: "The sweep file.")
    var sweep: String

    @OptionGroup var bounds: SlurmBounds

    @Option(help: "The folder; by default NAME.slurm here. It must be on a shared file system.")
    var folder: String?

    @Option(help: "The store: a path on a disk of the node where the coordinator runs.")
    var db: String?

    @Option(help: "Where the coordinator runs: job, or here (stays in the foreground).")
    var coordinator = Place.job

    @Option(help: "Where data sets lie on the nodes; by default the usual places.")
    var data: String?

    @Flag(help: "Write the folder and submit nothing.")
    var dryRun = false

    enum Place: String, ExpressibleByArgument, CaseIterable {
        case job, here
    }

    func run() throws {
        let plan = try Engine.plan(sweep, dataFolder: data)
        let path = Self.absolute(folder ?? "\(plan.name).slurm")
        let files = SlurmFolder(
            path: path, program: try Program.path(), sweep: Self.absolute(sweep),
            sweepName: plan.name, store: Self.absolute(db ?? "\(plan.name).fathom.sqlite"),
            data: data.map(Self.absolute), bounds: bounds)
        try files.write()
        let command = coordinator == .job ? "sbatch \(files.coordinatorScript)" : files.byHand
        guard !dryRun else {
            print("\(path) is ready. To start:\n\n    \(command)")
            return
        }
        switch coordinator {
        case .job:
            let id = try SlurmBatchSystem.submitCoordinator(script: files.coordinatorScript)
            print("coordinator submitted as job \(id); it asks for workers by itself")
            print("follow it with: tail -f \(path)/log/coordinator-\(id).log")
            print("at the end a copy of the store is put at \(files.copy)")
        case .here:
            let coordinator = try CoordinatorCommand.parse(files.coordinatorArguments)
            try coordinator.run()
        }
    }

    private static func absolute(_ path: String) -> String {
        URL(fileURLWithPath: path).standardizedFileURL.path
    }
}

/// What may be asked of Slurm.
struct SlurmBounds: ParsableArguments {
    @Option(help: "Workers at the same time, at most; each is one node's share.")
    var nodesMax = 10

    @Option(help: "Cores of a worker.")
    var cores = 8

    @Option(help: "Minutes an allocation of a worker lasts.")
    var minutes = 60

    @Option(help: "Minutes the coordinator's job may last.")
    var coordinatorMinutes = 1_440

    @Option(help: "Another worker is asked for when so many seconds are left for each core.")
    var backlogSeconds = 60.0

    @Option(help: "A line for the head of both scripts, such as --option='--partition=cpu'.")
    var option: [String] = []

    @Option(help: "A line for the head of the workers' script alone: --worker-head=--gres=gpu:1.")
    var workerHead: [String] = []

    @Option(help: "A word for the command line of workers, such as --worker-option=--tag=gpu.")
    var workerOption: [String] = []

    func validate() throws {
        try Self.check(nodesMax, 1...10_000, "--nodes-max")
        try Self.check(cores, 1...MessageLimits.slotsPerWorker, "--cores")
        try Self.check(minutes, 3...100_000, "--minutes")
        try Self.check(coordinatorMinutes, 3...1_000_000, "--coordinator-minutes")
        guard backlogSeconds > 0, backlogSeconds <= 1e6 else {
            throw ValidationError("--backlog-seconds is \(backlogSeconds); it takes 0 to 1000000")
        }
        for (name, words, program) in [
            ("option", option, "sbatch"), ("worker-head", workerHead, "sbatch"),
            ("worker-option", workerOption, "fathom worker"),
        ] {
            for word in words where !word.hasPrefix("--") || word.contains(where: \.isNewline) {
                throw ValidationError(
                    "--\(name) is «\(word)»; it takes one option of \(program), --x=y")
            }
        }
    }

    private static func check(_ value: Int, _ range: ClosedRange<Int>, _ name: String) throws {
        guard range.contains(value) else {
            throw ValidationError(
                "\(name) is \(value); it takes \(range.lowerBound) to \(range.upperBound)")
        }
    }

    var allocator: AllocatorSettings {
        AllocatorSettings(
            allocationsMax: nodesMax, slotsPerAllocation: cores,
            wallSeconds: Double(minutes) * 60, backlogSecondsPerSlot: backlogSeconds)
    }
}
