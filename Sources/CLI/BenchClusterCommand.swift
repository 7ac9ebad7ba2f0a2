import ArgumentParser
import FathomCoordinator
import FathomCore
import FathomProtocol
import Foundation

/// A large sweep on a large cluster, played with the real scheduler on a simulated clock.
struct BenchClusterCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cluster",
        abstract: "Play a made-up sweep on a made-up cluster: where does the coordinator give in?",
        discussion: """
            Each run is a poison, and ten times a training and the SAL of 20 layers after it, 21 \
            jobs in all. `fathom plan --cluster` plays a sweep of yours.
            """)

    @Option(help: "Jobs of the sweep, about.")
    var jobs = 1_000_000

    @Option(help: "Machines, each with one worker.")
    var nodes = 10_000

    @Option(help: "Slots of each.")
    var cores = 8

    @Option(help: "Seconds that a training takes, and a poison; a layer's SAL takes a tenth.")
    var seconds = 60.0

    @Option(help: "Microseconds the coordinator takes for a message: deciding, storing, sending.")
    var messageMicroseconds = 100.0

    @Option(help: "table or json.")
    var format = ReportFormat.table

    func validate() throws {
        guard (21...20_000_000).contains(jobs), (1...100_000).contains(nodes),
            (1...1_024).contains(cores)
        else {
            throw ValidationError(
                "--jobs is \(jobs), --nodes \(nodes), --cores \(cores); they take 21 to 20000000, "
                    + "1 to 100000 and 1 to 1024")
        }
        guard seconds > 0, seconds <= 1e6, messageMicroseconds >= 0, messageMicroseconds <= 1e6
        else {
            throw ValidationError(
                "--seconds is \(seconds), --message-microseconds \(messageMicroseconds); both "
                    + "take up to 1000000")
        }
    }

    func run() throws {
        let list = Self.sweep(runs: jobs / 21, seconds: seconds)
        var forecast = ClusterForecast(
            list,
            on: ForecastCluster(
                nodes: nodes, cores: cores, secondsPerMessage: messageMicroseconds * 1e-6))
        let figures = forecast.run()
        switch format {
        case .json: try printJSON(values(figures, jobs: list.count))
        case .table:
            for (name, value) in values(figures, jobs: list.count).sorted(by: { $0.key < $1.key }) {
                print("\(name): \(value)")
            }
        }
    }

    private func values(_ figures: ClusterForecast.Figures, jobs: Int) -> [String: Double] {
        let ideal = figures.workSeconds / Double(nodes * cores)
        return [
            "jobs": Double(jobs), "nodes": Double(nodes), "cores": Double(nodes * cores),
            "leases": Double(figures.leases), "makespan_seconds": figures.makespanSeconds,
            "ideal_seconds": max(ideal, figures.chainSeconds),
            "utilisation": figures.utilisation, "coordinator_load": figures.coordinatorLoad,
            "messages": Double(figures.messages),
            "messages_per_second_max": Double(figures.messagesPerSecondMax),
            "bytes_moved": Double(figures.bytesMoved),
            "worst_step_ms": figures.stepSecondsMax * 1_000,
        ]
    }

    private static func sweep(runs: Int, seconds: Double) -> [ForecastJob] {
        var jobs: [ForecastJob] = []
        jobs.reserveCapacity(runs * 21)
        for run in 0..<runs {
            let poison = key("poison", run, 0)
            jobs.append(job(poison, .poison, [], seconds, bytes: 6 << 20))
            var before = [poison]
            for segment in 0..<10 {
                let train = key("train", run, segment)
                jobs.append(job(train, .train, before, seconds, bytes: 1 << 20))
                before = [poison, train]
                jobs.append(
                    job(key("sal", run, segment), .sal, before, seconds / 10, entries: 20))
            }
        }
        return jobs
    }

    private static func key(_ kind: String, _ run: Int, _ segment: Int) -> JobKey {
        JobKey(Digest(of: Array("\(kind) \(run) \(segment)".utf8)))
    }

    private static func job(
        _ key: JobKey, _ kind: JobSpec.Kind, _ dependencies: [JobKey], _ seconds: Double,
        entries: Int = 1, bytes: Int = 0
    ) -> ForecastJob {
        ForecastJob(
            SchedulerJob(
                key: key, kind: kind, costClass: kind.rawValue, dependencies: dependencies,
                entryCount: entries), secondsPerEntry: seconds, artifactBytes: bytes)
    }
}
