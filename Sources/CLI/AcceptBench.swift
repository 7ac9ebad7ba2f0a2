import ArgumentParser
import FathomCoordinator
import FathomProtocol
import Foundation

/// A large sweep's beginning: planned, stored durably, registered with the scheduler, and the
/// first job given out.
struct BenchAcceptCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "accept",
        abstract: "Time how long it takes until a large sweep's first job is given out.")

    @Option(help: "How many jobs.")
    var jobs = 1_000_000

    @OptionGroup var bench: ServiceBenchOptions

    func validate() throws {
        guard (1...20_000_000).contains(jobs) else {
            throw ValidationError("--jobs is \(jobs); it takes 1 to 20000000")
        }
    }

    func run() throws {
        let start = Instant.now()
        let sweep = try BenchSweep(
            jobs: jobs, workers: 1, slots: 1, folder: bench.place, meter: ServiceMeter(),
            logger: bench.logger)
        let accepted = Instant.now()
        let service = sweep.service
        _ = try sweep.run { _ in
            if service.meter.firstAssigned != nil { service.stop() }
        }
        guard let first = service.meter.firstAssigned else {
            throw RunError(description: "no job was given out")
        }
        let seconds = accepted.seconds(since: start)
        let dispatch = first.seconds(since: accepted)
        let peak = Memory.peakBytes
        switch bench.format {
        case .json:
            try printJSON([
                "jobs": Double(jobs), "accepted_seconds": seconds,
                "first_dispatch_seconds": dispatch, "peak_bytes": Double(peak),
            ])
        case .table:
            print(
                String(
                    format: "%d jobs accepted in %.2f s, the first given out %.2f s later; ", jobs,
                    seconds, dispatch) + ByteText.of(peak) + " of memory at most")
        }
    }
}

/// What this process takes.
enum Memory {
    /// The most memory it had so far. `getrusage` would not do: what a process counts there begins
    /// with what the one that started it had.
    static var peakBytes: Int {
        let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
        let line = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
        return (line?.split(separator: " ").dropFirst().first).flatMap { Int($0) }
            .map { $0 * 1_024 } ?? 0
    }
}
