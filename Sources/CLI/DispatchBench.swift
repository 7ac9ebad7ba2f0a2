import ArgumentParser
import FathomCoordinator
import FathomProtocol
import Foundation
import Logging

/// Jobs that compute nothing, through everything that real ones go through: worker processes,
/// encrypted sockets, slots, the durable store.
struct DispatchBench {
    struct Figures {
        /// From the first assignment to the last result that lasts.
        var jobsPerSecond = 0.0
        /// Of one job at a time: from its assignment until its result lasts, in seconds.
        var roundTrips: [Double] = []
        /// How long the transactions of those took, in seconds.
        var commits: [Double] = []
    }

    var jobs: Int
    var workers: Int
    var slots: Int
    /// Where the stores are made; it decides what a commit costs.
    var folder: String
    var logger: Logger

    private static let idleJobs = 1_050
    private static let warmUp = 50

    func run() throws -> Figures {
        var figures = Figures()
        let loaded = try sweep(jobs: jobs, workers: workers, slots: slots) { _ in }
        guard let first = loaded.firstAssigned, let last = loaded.lastStored,
            loaded.resultsStored == jobs
        else {
            throw RunError(description: "only \(loaded.resultsStored) of \(jobs) jobs came back")
        }
        figures.jobsPerSecond = Double(jobs) / max(last.seconds(since: first), 1e-9)
        let idle = try sweep(jobs: Self.idleJobs, workers: 1, slots: 1) { settings in
            settings.prefetchSeconds = 0
        }
        figures.roundTrips = Array(idle.roundTripSeconds.dropFirst(Self.warmUp))
        figures.commits = Array(idle.commitSeconds.dropFirst(Self.warmUp))
        return figures
    }

    /// Runs probes to their end in a store of their own and answers what was measured.
    private func sweep(
        jobs: Int, workers: Int, slots: Int, adjust: (inout SchedulerSettings) -> Void
    ) throws -> ServiceMeter {
        let sweep = try BenchSweep(
            jobs: jobs, workers: workers, slots: slots, folder: folder,
            meter: ServiceMeter(tracesRoundTrips: workers == 1), logger: logger, adjust: adjust)
        guard try sweep.run(report: { _ in }) == .complete else { throw ExitStatus.interrupted }
        return sweep.service.meter
    }
}

/// How many jobs a second go through coordinator, workers and slots.
struct BenchDispatchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dispatch",
        abstract: "Time jobs that compute nothing: real processes, sockets, keys and store.",
        discussion: "Jobs a second under load, and the round trip of one job on an idle system.")

    @Option(help: "How many jobs.")
    var jobs = 100_000

    @Option(help: "How many worker processes.")
    var workers = 2

    @Option(help: "Slots of each worker.")
    var slots = 1

    @OptionGroup var bench: ServiceBenchOptions

    func validate() throws {
        guard (1...10_000_000).contains(jobs) else {
            throw ValidationError("--jobs is \(jobs); it takes 1 to 10000000")
        }
        guard (1...256).contains(workers) else {
            throw ValidationError("--workers is \(workers); it takes 1 to 256")
        }
        guard (1...256).contains(slots) else {
            throw ValidationError("--slots is \(slots); it takes 1 to 256")
        }
    }

    func run() throws {
        let figures = try DispatchBench(
            jobs: jobs, workers: workers, slots: slots, folder: bench.place, logger: bench.logger
        ).run()
        func milliseconds(_ samples: [Double], _ share: Double) -> Double {
            (Quantile.of(samples, share) ?? .nan) * 1_000
        }
        let p50 = milliseconds(figures.roundTrips, 0.5)
        let p99 = milliseconds(figures.roundTrips, 0.99)
        let commit = milliseconds(figures.commits, 0.5)
        switch bench.format {
        case .json:
            try printJSON([
                "jobs_per_second": figures.jobsPerSecond, "p50_ms": p50, "p99_ms": p99,
                "commit_p50_ms": commit,
            ])
        case .table:
            print(
                String(
                    format: "%.0f jobs/s; round trip %.3f ms, 99 %% within %.3f ms, "
                        + "of which a commit takes %.3f ms",
                    figures.jobsPerSecond, p50, p99, commit))
        }
    }
}
