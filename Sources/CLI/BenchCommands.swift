public import ArgumentParser
import FathomCoordinator
import FathomCore
import FathomWorker
import Foundation

/// Times the compute core and the scheduler.
struct BenchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Time training, SAL, drawing, the scheduler, dispatch and tables.",
        subcommands: [
            BenchTrainCommand.self, BenchSALCommand.self, BenchRenderCommand.self,
            BenchSchedulerCommand.self, BenchLeaderboardCommand.self, BenchDispatchCommand.self,
            BenchAcceptCommand.self, BenchConnectionsCommand.self, BenchClusterCommand.self,
        ])
}

/// What both benches are told.
struct BenchOptions: ParsableArguments {
    @Option(help: "The network.")
    var model = "lenet5"

    @Option(help: "Its base width.")
    var width: Int?

    @Option(help: "How many random images: 1x28x28 for lenet5, linear and mlp, else 3x32x32.")
    var images = 2_000

    @Option(help: "Images a batch.")
    var batch = 250

    @Option(help: "SAL: passes of the reference solver. Training: epochs timed.")
    var passes = 1

    @Option(help: "Slots at work at the same time, each on one thread.")
    var threads = 1

    @Option(help: "table or json.")
    var format = ReportFormat.table

    func validate() throws {
        for (name, value) in [
            ("images", images), ("batch", batch), ("passes", passes), ("threads", threads),
        ] where !(1...10_000_000).contains(value) {
            throw ValidationError("--\(name) is \(value); it takes a whole number from 1")
        }
        if threads > 256 { throw ValidationError("--threads is \(threads); it takes 1 to 256") }
    }

    func bench() throws -> ComputeBench {
        do {
            return try ComputeBench(
                model: ModelSettings(name: model, width: width), images: images, batch: batch)
        } catch {
            throw ValidationError("\(error)")
        }
    }
}

/// SGD steps on random images.
struct BenchTrainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "train", abstract: "Time SGD steps: images a second.")

    @OptionGroup var options: BenchOptions

    @Option(help: "Epochs timed; the same as --passes.")
    var epochs: Int?

    @Option(help: "A defense that acts on batches, at its defaults.")
    var defense = "none"

    func run() throws {
        let rate: Double
        do {
            rate = try options.bench().imagesPerSecond(
                epochs: epochs ?? options.passes, threads: options.threads,
                defense: DefenseSettings(name: defense))
        } catch let error as DefenseError {
            throw ValidationError("\(error)")
        }
        switch options.format {
        case .json: try printJSON(["images_per_second": rate])
        case .table: print(String(format: "%.1f images/s", rate))
        }
    }
}

/// SAL of all layers of one random checkpoint.
struct BenchSALCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sal", abstract: "Time SAL of all layers of a random checkpoint: seconds.")

    @OptionGroup var options: BenchOptions

    @Option(help: "reference or normalized.")
    var solver = SALSettings.Solver.reference

    @Option(help: "Steps of the normalized solver.")
    var steps = 4

    func run() throws {
        let settings = SALSettings(
            images: options.images, batch: options.batch, solver: solver, steps: steps,
            passes: options.passes, rate: 0.1, radius: 0.05)
        guard
            let seconds = try options.bench().secondsOfSAL(settings, threads: options.threads)
        else {
            Failure.say("SAL of the random checkpoint is not a number")
            throw ExitStatus.unfinishedJobs
        }
        switch options.format {
        case .json: try printJSON(["seconds": seconds])
        case .table: print(String(format: "%.3f s", seconds))
        }
    }
}

extension SALSettings.Solver: ExpressibleByArgument {}

/// Steps of the scheduler with a large cluster.
struct BenchSchedulerCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "scheduler", abstract: "Time the scheduler's steps on a simulated cluster.")

    @Option(help: "Jobs of the sweep.")
    var jobs = 1_000_000

    @Option(help: "Workers of two slots.")
    var workers = 10_000

    @Option(help: "table or json.")
    var format = ReportFormat.table

    func validate() throws {
        guard (1...20_000_000).contains(jobs), (1...100_000).contains(workers) else {
            throw ValidationError("--jobs takes 1 to 20000000, --workers 1 to 100000")
        }
    }

    func run() throws {
        var trial = SchedulerTrial(jobs: jobs, workers: workers)
        let figures = trial.run()
        switch format {
        case .json:
            try printJSON([
                "jobs": Double(figures.jobs), "workers": Double(figures.workers),
                "steps": Double(figures.steps), "accepted_seconds": figures.acceptedSeconds,
                "worst_step_ms": figures.stepSecondsMax * 1_000,
                "mean_step_ms": figures.stepSecondsMean * 1_000,
                "peak_bytes": Double(Memory.peakBytes),
            ])
        case .table:
            print(
                String(
                    format: "accepted in %.2f s; %d steps, mean %.4f ms, worst %.2f ms",
                    figures.acceptedSeconds, figures.steps, figures.stepSecondsMean * 1_000,
                    figures.stepSecondsMax * 1_000))
            for (kind, seconds) in figures.stepSecondsMaxByKind.sorted(by: { $0.key < $1.key }) {
                print(String(format: "%@: worst %.2f ms", kind, seconds * 1_000))
            }
        }
    }
}
