import ArgumentParser
import FathomCoordinator
import FathomMessaging
import FathomProtocol
import FathomWorker
import Foundation
import Logging

/// What all benches of the machinery are asked.
struct ServiceBenchOptions: ParsableArguments {
    @Option(help: "Where stores are made; by default the system's temporary folder.")
    var folder: String?

    @Option(help: "table or json.")
    var format = ReportFormat.table

    @Flag(help: "Log more.")
    var verbose = false

    /// The folder; it decides what a commit costs.
    var place: String { folder ?? FileManager.default.temporaryDirectory.path }
    var logger: Logger { ErrorStreamLog.logger(verbose: verbose) }
}

/// A sweep of probes in a store of its own, with a coordinator in this process and workers beside
/// it, as `fathom run` has them. Its folder goes with it.
final class BenchSweep {
    let service: CoordinatorService
    private let place: String
    private let store: Store
    private let handoffs: [AgentHandoff]

    /// Plans the jobs, stores them durably and makes a coordinator of them.
    ///
    /// - Parameters:
    ///   - folder: Where the store's folder is made; it decides what a commit costs.
    ///   - adjust: Changes the scheduler's settings.
    init(
        jobs: Int, workers: Int, slots: Int, folder: String, meter: ServiceMeter, logger: Logger,
        adjust: (inout SchedulerSettings) -> Void = { _ in }
    ) throws {
        let place = "\(folder)/fathom-bench-\(WorkerName.draw().prefix(8))"
        self.place = place
        try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
        store = try Store(path: place + "/bench.sqlite")
        let server = try CurveKeyPair.generate()
        let client = try CurveKeyPair.generate()
        let listener = try Listener(
            endpoint: "tcp://127.0.0.1:*", keyPair: server, allowList: [client.publicKey],
            isDriven: true)
        handoffs = (0..<workers).map { _ in
            AgentHandoff(
                endpoint: listener.endpoint, serverKey: server.publicKey.z85,
                secretKey: client.secretKey, worker: WorkerName.draw(), slots: slots,
                artifacts: place + "/artifacts", spoolFolder: place + "/spool", dataFolder: nil,
                verbose: logger.logLevel <= .debug)
        }
        var settings = SchedulerSettings(term: try store.nextTerm(), build: Product.version)
        // Nothing is given out before all are there.
        settings.awaited = Set(handoffs.map { WorkerID($0.worker) })
        settings.reunionSeconds = 60
        adjust(&settings)
        service = CoordinatorService(
            jobs: try Self.register(jobs, in: store), store: store, listener: listener,
            settings: settings, meter: meter, logger: logger)
    }

    deinit { try? FileManager.default.removeItem(atPath: place) }

    /// The plan is let go of before the coordinator is made.
    private static func register(_ jobs: Int, in store: Store) throws -> [StoredJob] {
        let plan = ProbePlan.plan([(.succeed, jobs)])
        return try store.jobs(of: try store.register(plan), planned: plan.jobs)
    }

    /// Starts the workers and works until all is done, or somebody stops it.
    func run(report: (SweepProgress) -> Void) throws -> CoordinatorService.Ending {
        let signals = StopSignals(stop: service.stop)
        defer { signals.cancel() }
        let agents = try handoffs.map { try $0.start() }
        defer {
            for agent in agents { close(agent.input) }
            for agent in agents { _ = agent.wait() }
        }
        let ending = try service.run(report: report)
        try store.checkpointAndClose()
        return ending
    }
}
