import FathomCoordinator
import FathomCore
import FathomMessaging
import FathomProtocol
import FathomWorker
import Foundation
import Logging

/// Runs a plan on this machine: the coordinator in this process, one worker agent as a child.
struct LocalSweep {
    var plan: SweepPlan
    var storePath: String
    var slots: Int
    var dataFolder: String?
    var shardEntries: Int?
    var listen = "tcp://127.0.0.1:*"
    var artifactBytes: Int?
    var runners = RunnerSetup()
    var logger: Logger

    /// Works until the sweep is complete or somebody interrupts.
    ///
    func run() throws -> (store: Store, sweep: SweepID) {
        let store = try Store(path: storePath)
        let sweep = try store.register(plan)
        let folder = ArtifactFolder(path: storePath + ".artifacts")
        var jobs = try store.jobs(of: sweep, planned: plan.jobs)
        let reopened = LostArtifacts.reopen(&jobs) { folder.holds($0) }
        try store.apply(reopened)
        guard jobs.contains(where: { $0.state == .open }) else {
            Failure.say("sweep \(plan.name) is done already; nothing to run")
            return (store, sweep)
        }
        let paused = jobs.count { $0.isPaused && $0.state == .open }
        if paused > 0 {
            Failure.say("\(paused) jobs are paused; `fathom resume \(storePath) …` lets them go on")
        }
        let ending = try coordinate(jobs, sweep: sweep, store: store, artifacts: folder)
        if ending == .stopped {
            Failure.say("\ninterrupted; what is finished is kept, run the same command to go on")
            try store.checkpointAndClose()
            throw ExitStatus.interrupted
        }
        return (store, sweep)
    }

    private func coordinate(
        _ jobs: [StoredJob], sweep: SweepID, store: Store, artifacts: ArtifactFolder
    ) throws -> CoordinatorService.Ending {
        FileLimit.raise()
        let offers = try runners.offers(for: plan)
        let serverKeys = try CurveKeyPair.generate()
        let workerKeys = try CurveKeyPair.generate()
        let listener = try Listener(
            endpoint: listen, keyPair: serverKeys, allowList: [workerKeys.publicKey],
            isDriven: true)
        let files = try Listener(
            endpoint: ListenAddress.anyPort(beside: listen), keyPair: serverKeys,
            allowList: [workerKeys.publicKey], limits: ArtifactService.limits,
            threadName: "fathom-pieces")
        let service = CoordinatorService(
            jobs: jobs, store: store, listener: listener,
            settings: try settings(term: store.nextTerm(), files: files),
            files: CoordinatorFiles(
                folder: artifacts,
                keeping: ArtifactKeeping(keep: plan.keep, bytesMax: artifactBytes),
                areBrought: false), logger: logger)
        let pieces = try ArtifactService(
            folder: artifacts, listener: files, logger: logger, lost: service.filesLost)
        defer { pieces.close() }
        let supervisor = AgentSupervisor(
            handoff: AgentHandoff(
                endpoint: listener.endpoint, serverKey: serverKeys.publicKey.z85,
                secretKey: workerKeys.secretKey, worker: "", slots: slots,
                artifacts: artifacts.path,
                spoolFolder: storePath + ".spool", dataFolder: dataFolder, runners: runners,
                offers: offers, verbose: logger.logLevel <= .debug),
            ended: service.workerEnded, gaveUp: service.stop, logger: logger)
        let signals = StopSignals(stop: service.stop)
        defer { signals.cancel() }
        let control = ControlSocket(
            store: storePath, logger: logger, steer: service.steer, metrics: service.metrics)
        defer { control?.close() }
        try supervisor.start()
        defer { supervisor.stop() }
        let refresher = LeaderboardRefresher(store: store, sweep: sweep, logger: logger)
        refresher.start()
        defer { refresher.stop() }
        var printer = ProgressPrinter()
        let ending = try service.run { printer.show($0) }
        printer.finish()
        if let reason = supervisor.problem { throw RunError(description: reason) }
        return ending
    }

    private func settings(term: Int, files: Listener) throws -> SchedulerSettings {
        var settings = SchedulerSettings(term: term, build: Product.version)
        settings.artifactPort = try ListenAddress.port(of: files.endpoint)
        settings.shardEntries = shardEntries
        settings.auditShare = plan.auditShare
        settings.runnerNeeds = plan.runnerNeeds
        return settings
    }
}

/// Stops a service on the first Ctrl-C or SIGTERM, and the process on a second Ctrl-C. Batch
/// systems may send SIGTERM several times and mean one.
final class StopSignals {
    private let sources: [any DispatchSourceSignal]

    init(stop: @escaping @Sendable () -> Void) {
        let asked = Counter()
        sources = [SIGINT, SIGTERM].map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(
                signal: number, queue: DispatchQueue.global())
            source.setEventHandler {
                if number == SIGINT, asked.increment() > 1 { _exit(130) }
                stop()
            }
            source.activate()
            return source
        }
    }

    func cancel() {
        for source in sources { source.cancel() }
    }
}
