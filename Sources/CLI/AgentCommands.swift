import ArgumentParser
import FathomMessaging
import FathomProtocol
import FathomWorker
import Foundation
import Logging

/// The worker agent of a local run.
struct AgentCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "agent", abstract: "The worker of a local run.", shouldDisplay: false)

    func run() throws {
        Lifeline.endWithParent()
        guard let line = readLine(), let data = line.data(using: .utf8),
            let handoff = try? JSONDecoder().decode(AgentHandoff.self, from: data)
        else { throw InputError(description: "fathom agent is started by fathom run only") }
        let lifeline = try NamedThread(name: "fathom-lifeline", stackBytes: 256 << 10) {
            Lifeline.watch(STDIN_FILENO, status: 0)
        }
        let settings = AgentRun(
            endpoint: handoff.endpoint, serverKey: handoff.serverKey,
            secretKey: handoff.secretKey, worker: handoff.worker, slots: handoff.slots,
            shared: handoff.artifacts, spoolFolder: handoff.spoolFolder,
            dataFolder: handoff.dataFolder, runners: handoff.runners, offers: handoff.offers)
        try settings.run(logger: ErrorStreamLog.logger(verbose: handoff.verbose))
        withExtendedLifetime(lifeline) {}
    }
}

/// One slot of a worker agent.
struct SlotCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "slot", abstract: "One slot of a worker.", shouldDisplay: false)

    @Option var artifacts: String
    @Option var data: String?
    @Option var runners: String?

    func run() throws {
        Lifeline.endWithParent()
        // A terminal's Ctrl-C is the agent's business, and so is a batch system that tells all
        // processes of an allocation to end: what runs has the agent's grace.
        for number in [SIGINT, SIGTERM, SIGHUP] { signal(number, SIG_IGN) }
        var engine = Engine.makeRunner()
        if let setup = try runners.map({ try RunnerSetup(text: $0) }) {
            engine = ExecJobRunner(
                otherwise: engine, commands: setup.commands, place: try setup.place())
        }
        let runner = ProbeRunner(otherwise: engine)
        try SlotProcess(
            settings: SlotSettings(artifacts: artifacts, dataFolder: data), runner: runner
        ).run()
    }
}

/// What a worker agent needs to run, however it was told.
struct AgentRun {
    var endpoint: String
    var serverKey: String
    var secretKey: String
    var worker: String
    var slots: Int
    /// The coordinator's own folder of files; `nil`: they are fetched and brought.
    var shared: String?
    var cacheBytes = 16 << 30
    var spoolFolder: String
    var dataFolder: String?
    var runners = RunnerSetup()
    /// What the runners said they are, each started once.
    var offers: [RunnerOffer] = []
    var graceSeconds: Double?
    var patienceSeconds: Double?
    var lifetimeSeconds: Double?
    var idleSeconds: Double?

    /// Works until there is a reason to end.
    ///
    /// - Returns: Whether the reason is that the coordinator is now at another address.
    @discardableResult
    func run(logger: Logger, watching address: CoordinatorAddress? = nil) throws -> Bool {
        let facts = WorkerFacts(
            host: ProcessInfo.processInfo.hostName,
            processID: Int(ProcessInfo.processInfo.processIdentifier), slots: slots,
            build: Product.version, numericClass: Engine.numericClass, runners: offers,
            tags: runners.tags)
        let keys = try CurveKeyPair(secretKey: secretKey)
        let server = try CurvePublicKey(z85: serverKey, field: "server key")
        let name = try RoutingID(worker)
        let connection = try Connection(
            endpoint: endpoint, serverKey: server, keyPair: keys, routingID: name,
            isDriven: true)
        let access = try access()
        let slotArguments =
            ["slot", "--artifacts", access.folder.path] + (dataFolder.map { ["--data", $0] } ?? [])
            + (runners.commands.isEmpty ? [] : ["--runners", try runners.text])
        var session = SessionSettings(worker: WorkerID(worker), facts: facts)
        if let graceSeconds { session.graceSeconds = graceSeconds }
        if let patienceSeconds { session.patienceSeconds = patienceSeconds }
        session.lifetimeSeconds = lifetimeSeconds
        session.idleSeconds = idleSeconds
        let agent = try WorkerAgent(
            settings: AgentSettings(
                session: session, program: try Program.path(), slotArguments: slotArguments,
                spoolFolder: spoolFolder, access: access),
            connection: connection,
            connectForFiles: { endpoint in
                try Connection(
                    endpoint: endpoint, serverKey: server, keyPair: keys, routingID: name,
                    limits: ArtifactClient.limits, threadName: "fathom-pieces")
            }, logger: logger)
        let signals = StopSignals(stop: agent.terminate)
        defer { signals.cancel() }
        let known = EndpointFile(endpoint: endpoint, serverKey: serverKey)
        let watch = try address.map { try MoveWatch($0, known: known, moved: agent.terminate) }
        let ending = try agent.run()
        let hasMoved = watch?.stop() ?? false
        switch ending {
        case .drained: return hasMoved
        case .refused(let reason): throw RunError(description: "refused: \(reason)")
        case .outOfPatience:
            let seconds = Int(session.patienceSeconds)
            throw RunError(
                description: "no coordinator answered at \(endpoint) for \(seconds) s; results it "
                    + "has not acknowledged wait in \(spoolFolder)")
        }
    }

    private func access() throws -> ArtifactAccess {
        if let shared { return .shared(ArtifactFolder(path: shared)) }
        return .cached(try ArtifactCache(work: spoolFolder, bytesMax: cacheBytes))
    }
}
