import ArgumentParser
import FathomCoordinator
import FathomDashboard
import FathomMessaging
import FathomProtocol
import FathomWorker
import Foundation
import Logging

/// Coordinates a sweep whose workers are elsewhere.
struct CoordinatorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "coordinator", abstract: "Coordinate a sweep for workers on many machines.")

    @Argument(help: "The sweep file.")
    var sweep: String

    @Option(help: "Where to listen, such as tcp://0.0.0.0:5555.")
    var listen: String

    @Option(help: "The file with our secret key, as `fathom keys new` makes it.")
    var key: String

    @Option(help: "The file with the public keys of workers, as `fathom keys allow` writes it.")
    var allow: String

    @Option(help: "Where workers fetch and bring files; by default the next port.")
    var listenFiles: String?

    @Option(help: "The most bytes of files to keep, such as 200G; by default all that `keep` says.")
    var artifactBytes: ByteCount?

    @Option(help: "After how many seconds of silence a worker's jobs go to others.")
    var lease = 15.0

    @Option(help: "Write our address and public key here, for workers on a shared file system.")
    var endpointFile: String?

    @Option(help: "The name workers reach this machine by; by default its host name.")
    var advertise: String?

    @Option(help: "Ask a batch system for workers: the folder that `fathom submit` made.")
    var allocate: String?

    @Option(help: "When the sweep has ended, put a copy of the store there, in place of an older.")
    var copy: String?

    @OptionGroup var options: ClusterOptions
    @OptionGroup var dashboard: DashboardOptions

    func validate() throws {
        guard lease >= 1 && lease <= 3_600 else {
            throw ValidationError("--lease is \(lease); it takes 1 to 3600 seconds")
        }
    }

    func run() throws {
        let (plan, imported) = try Engine.planWithFiles(sweep, dataFolder: options.data)
        let store = try Store(path: options.db ?? "\(plan.name).fathom.sqlite")
        let id = try store.register(plan)
        let folder = ArtifactFolder(path: options.shared ?? store.path + ".artifacts")
        try imported.keep(in: folder)
        var jobs = try store.jobs(of: id, planned: plan.jobs)
        try store.apply(
            LostArtifacts.reopen(&jobs) { folder.holds($0) })
        let logger = ErrorStreamLog.logger(verbose: options.verbose)
        let listener = try listen(
            with: try KeyFile.secret(key), allowing: try KeyFile.allowList(allow).keys)
        let files = try Listener(
            endpoint: try listenFiles
                ?? ListenAddress.forFiles(beside: listener.endpoint, asked: listen),
            keyPair: try KeyFile.secret(key), allowList: try KeyFile.allowList(allow).keys,
            limits: ArtifactService.limits, threadName: "fathom-pieces")
        let watch = try AllowListWatch(path: allow, logger: logger) {
            listener.allow($0)
            files.allow($0)
        }
        defer { watch.end() }
        var settings = SchedulerSettings(term: try store.nextTerm(), build: Product.version)
        settings.artifactPort = try ListenAddress.port(of: files.endpoint)
        settings.leaseSeconds = lease
        // Thousands of workers beat less often where leases last longer.
        settings.heartbeatSeconds = min(max(settings.heartbeatSeconds, lease / 7.5), lease / 5)
        settings.awaited = try store.reader.workersThatMayReturn()
        settings.auditShare = plan.auditShare
        settings.runnerNeeds = plan.runnerNeeds
        let service = CoordinatorService(
            jobs: jobs, store: store, listener: listener, settings: settings,
            files: CoordinatorFiles(
                folder: folder,
                keeping: ArtifactKeeping(keep: plan.keep, bytesMax: artifactBytes?.bytes),
                areBrought: options.shared == nil), logger: logger)
        let pieces = try ArtifactService(
            folder: folder, listener: files, logger: logger, lost: service.filesLost)
        defer { pieces.close() }
        let control = ControlSocket(
            store: store.path, logger: logger, steer: service.steer, metrics: service.metrics)
        defer { control?.close() }
        let room = FileLimit.workers(within: FileLimit.raise())
        Failure.say(
            "listening on \(listener.endpoint), for files on \(files.endpoint), for up to "
                + "\(room) workers; files lie in "
                + folder.path)
        let shown = try dashboard.start(
            store: store.path, sweep: plan.name, verbose: options.verbose)
        defer { shown?.close() }
        let signals = StopSignals(stop: service.stop)
        defer { signals.cancel() }
        let refresher = LeaderboardRefresher(store: store, sweep: id, logger: logger)
        refresher.start()
        defer { refresher.stop() }
        let elastic = try allocate.map { try ElasticWorkers(folder: $0, logger: logger) }
        var printer = ProgressPrinter()
        let ending = try service.run {
            printer.show($0)
            elastic?.note($0)
        }
        elastic?.close()
        printer.finish()
        refresher.stop()
        let moved = pieces.tally
        logger.info(
            "files moved",
            metadata: ["given": "\(moved.bytesGiven)", "taken": "\(moved.bytesTaken)"])
        if ending == .stopped {
            try store.checkpointAndClose()
            throw ExitStatus.interrupted
        }
        try SweepEnd.show(store, id)
        let tally = try store.reader.tally(of: id)
        if let copy { SweepEnd.copy(store.path, to: copy) }
        try store.checkpointAndClose()
        try SweepEnd.exit(for: tally)
    }

    /// Opens the socket, on the port of the endpoint file where it can be had again, so that the
    /// workers of an earlier coordinator find this one.
    private func listen(
        with keys: CurveKeyPair, allowing workers: Set<CurvePublicKey>
    ) throws -> Listener {
        let earlier = try endpointFile.flatMap { try EndpointFile.read($0) }?.port
        var listener: Listener?
        if let earlier, listen.hasSuffix(":*") {
            listener = try? Listener(
                endpoint: "\(listen.dropLast())\(earlier)", keyPair: keys, allowList: workers,
                isDriven: true)
        }
        let open =
            try listener
            ?? Listener(endpoint: listen, keyPair: keys, allowList: workers, isDriven: true)
        if let endpointFile {
            var reachable = EndpointFile(
                endpoint: open.endpoint, serverKey: keys.publicKey.z85)
            if let port = reachable.port {
                let host = advertise ?? ProcessInfo.processInfo.hostName
                reachable.endpoint = "tcp://\(host):\(port)"
            }
            try reachable.write(endpointFile)
        }
        return open
    }
}

/// Works for a coordinator elsewhere.
struct WorkerCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "worker", abstract: "Work for a coordinator on another machine.")

    @Option(help: "The coordinator, such as tcp://host:5555, or @FILE as it writes it.")
    var connect: String

    @Option(help: "The coordinator's public key; an endpoint file tells it.")
    var serverKey: String?

    @Option(help: "The file with our secret key, as `fathom keys new` makes it.")
    var key: String

    @Option(help: "How many jobs run at the same time; by default one a core.")
    var slots: Int?

    @Option(help: "Where results wait on disk until the coordinator has them, and copies of files.")
    var work: String?

    @Option(help: "The most bytes of files to keep copies of that no job here needs, such as 20G.")
    var cacheBytes = ByteCount(bytes: 16 << 30)

    @Option(help: "How many seconds running jobs may take after SIGTERM.")
    var grace = 20.0

    @Option(help: "After how many seconds without a coordinator to give up.")
    var patience = 3_600.0

    @Option(help: "How many seconds the machine is ours; what cannot end in time is handed back.")
    var lifetime: Double?

    @Option(help: "Go after so many seconds without work; by default stay.")
    var idle: Double?

    @OptionGroup(title: "Runners") var runners: RunnerOptions

    @OptionGroup var options: ClusterOptions

    func validate() throws {
        if let lifetime, !(lifetime > grace && lifetime <= 1e8) {
            throw ValidationError(
                "--lifetime is \(lifetime); it takes more than --grace, \(grace), and at most 1e8")
        }
        if let idle, !(idle >= 1 && idle <= 1e7) {
            throw ValidationError("--idle is \(idle); it takes 1 to 10000000 seconds")
        }
        if connect.hasPrefix("@") == (serverKey != nil) {
            throw ValidationError(
                "--server-key goes with --connect tcp://…; an endpoint file, --connect @FILE, "
                    + "names the key itself")
        }
        guard grace >= 0 && grace <= 86_400 else {
            throw ValidationError("--grace is \(grace); it takes 0 to 86400 seconds")
        }
        guard patience >= 1 && patience <= 1e7 else {
            throw ValidationError("--patience is \(patience); it takes 1 to 10000000 seconds")
        }
    }

    func run() throws {
        let address = CoordinatorAddress(connect, serverKey: serverKey)
        let secretKey = try KeyFile.secret(key).secretKey
        let logger = ErrorStreamLog.logger(verbose: options.verbose)
        let started = Date()
        let setup = try runners.setup()
        let offers = try setup.offers()
        var hasMoved = true
        while hasMoved {
            let found = try address.find(within: patience)
            var run = AgentRun(
                endpoint: found.endpoint, serverKey: found.serverKey, secretKey: secretKey,
                worker: WorkerName.draw(),
                slots: slots ?? ProcessInfo.processInfo.activeProcessorCount,
                shared: options.shared, cacheBytes: cacheBytes.bytes,
                spoolFolder: work ?? WorkFolder.usual(serverKey: found.serverKey),
                dataFolder: options.data, runners: setup, offers: offers, graceSeconds: grace,
                patienceSeconds: patience)
            run.lifetimeSeconds = lifetime.map { $0 + started.timeIntervalSinceNow }
            run.idleSeconds = idle
            hasMoved = try run.run(logger: logger, watching: address)
        }
    }
}

/// Settings that coordinators and workers share.
struct ClusterOptions: ParsableArguments {
    @Option(help: "The store; by default NAME.fathom.sqlite in this folder.")
    var db: String?

    @Option(help: "A folder for files on a file system that all machines share; then none travel.")
    var shared: String?

    @Option(help: "Where data sets lie; by default the usual places.")
    var data: String?

    @Flag(help: "Log more.")
    var verbose = false
}
