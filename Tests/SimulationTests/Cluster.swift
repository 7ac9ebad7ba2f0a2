import FathomCore
import FathomCoordinator
import FathomProtocol
import FathomWorker

/// Real scheduler and sessions on a simulated clock, network and store.
struct Cluster {
    enum Happening {
        case toCoordinator(WorkerID, WorkerMessage)
        case toWorker(WorkerID, CoordinatorMessage)
        case slotDone(WorkerID, slot: Int, lease: Lease)
        case tickWorker(WorkerID)
        case tickCoordinator(term: Int)
        case reconnect(WorkerID, term: Int)
        case startCoordinator
        case startWorker
        case crashWorker
        case crashCoordinator
        case stallCoordinator
        case stopWorker
        case steer
        case command(SchedulerEvent)
        case resumeAll
        case fetch(WorkerID, Lease)
        case fileMissed(JobKey)
        case loseFiles
    }

    struct Node {
        var session: Session
        var slots: [[Lease]]
        /// Results on its disk.
        var spool: [Lease: WorkerMessage] = [:]
        /// Jobs whose files it has, and leases it fetches or has fetched files for.
        var cache: Set<JobKey> = []
        var reading: [Lease: Reading] = [:]
        /// Until when its processes stand still.
        var stoppedUntil: Instant?
    }

    struct Reading {
        var inputs: [JobKey]
        /// How often the coordinator said that it does not have one of them.
        var absences = 0
    }

    let script: Script
    var store: ModelStore
    private(set) var problems: [String] = []
    private(set) var now = Instant(nanoseconds: 0)
    private(set) var isComplete = false
    /// How often computing each entry was begun.
    private(set) var started: [JobKey: [Int: Int]] = [:]
    /// Entries that were computed again though a result of theirs lay on a worker's disk.
    private(set) var repeatedSpooled = 0
    var scheduler: Scheduler?
    var nodes: [WorkerID: Node] = [:]
    var timeline = Timeline<Happening>()
    var random: RandomStream
    /// Until when the coordinator stands still, for its disk is full or its process stopped.
    var stalledUntil: Instant?
    /// What dead workers left on the disk.
    var orphanedSpool: [Lease: WorkerMessage] = [:]
    /// Leases whose result a worker has put on its disk at once.
    private var kept: Set<Lease> = []
    private var assigned: Set<Lease> = []
    private var workersStarted = 0
    private let healAt: Instant

    init(_ script: Script, seed: UInt64) {
        self.script = script
        store = ModelStore(jobs: Samples.sweep(runs: script.runs), guilty: script.guilty)
        random = RandomStream(seed: seed)
        healAt = now + script.healAfter
        timeline.plan(.startCoordinator, at: now)
        for _ in 0..<script.workers {
            timeline.plan(.startWorker, at: now + Double(random.uniform()))
        }
        planFaults()
    }

    var isFaulty: Bool { now < healAt }

    /// Runs until no job is open, or the simulated time is over.
    mutating func run(untilCompleteWithin seconds: Double) {
        let end = now + seconds
        while !isComplete, let next = timeline.next(), next.at <= end {
            now = next.at
            if let later = standstill(next.event) {
                timeline.plan(next.event, at: later)
                continue
            }
            happen(next.event)
            if let scheduler { problems += scheduler.checkInvariants() }
            if !problems.isEmpty || !store.problems.isEmpty { break }
        }
        problems += store.problems
    }

    private mutating func happen(_ event: Happening) {
        switch event {
        case .startCoordinator: startCoordinator()
        case .startWorker: startWorker()
        case .crashCoordinator: crashCoordinator()
        case .crashWorker: crashWorker()
        case .stallCoordinator: stalledUntil = now + 1 + 40 * random.uniformDouble()
        case .stopWorker: stopWorker()
        case .steer: steer()
        case .command(let event): if scheduler != nil { tell(event) }
        case .resumeAll: resumeAll()
        case .tickCoordinator(let term):
            guard scheduler != nil, store.term == term else { return }
            tell(.tick)
            timeline.plan(event, at: now + 0.5)
        case .tickWorker(let id):
            guard nodes[id] != nil else { return }
            tell(id, .tick)
            timeline.plan(event, at: now + 0.25)
        case .reconnect(let id, let term):
            if scheduler != nil, store.term == term { tell(id, .connected) }
        case .toCoordinator(let id, let message):
            // What a process that died had not handed to the network yet is gone with it.
            if nodes[id] == nil && random.uniform() < 0.5 { return }
            tell(.message(id, message))
        case .toWorker(let id, let message): tell(id, .message(message))
        case .slotDone(let id, let slot, let lease): finish(id, slot, lease)
        case .fetch(let id, let lease): fetch(id, lease)
        case .fileMissed(let key): fileMissed(key)
        case .loseFiles: loseFiles()
        }
    }

    // MARK: The coordinator

    private mutating func startCoordinator() {
        var settings = SchedulerSettings(term: store.nextTerm(), build: "test")
        settings.attemptsLostMax = 10_000
        settings.shardEntries = 1 + random.integer(below: 4)
        settings.awaited = store.present
        settings.auditShare = script.auditShare
        if !script.speculates { settings.stragglerSeconds = .infinity }
        settings.leasesPerStepMax = 3
        settings.sabotage = script.scheduler
        scheduler = Scheduler(settings: settings, jobs: store.jobs)
        timeline.plan(.tickCoordinator(term: store.term), at: now + 0.5)
        for id in nodes.keys.sorted() {
            timeline.plan(.reconnect(id, term: store.term), at: now + random.uniformDouble())
        }
        if scheduler?.isComplete == true { isComplete = !script.steers || isSettled }
    }

    private mutating func crashCoordinator() {
        guard scheduler != nil else { return }
        scheduler = nil
        stalledUntil = nil
        for id in nodes.keys.sorted() { tell(id, .disconnected) }
        timeline.plan(.startCoordinator, at: now + 3 * random.uniformDouble())
    }

    mutating func tell(_ event: SchedulerEvent) {
        carryOut(event)
        while scheduler?.hasMore == true { carryOut(.proceed) }
    }

    private mutating func carryOut(_ event: SchedulerEvent) {
        guard let effects = scheduler?.handle(event, at: now) else { return }
        // It may die before its transaction, or after it and before anybody hears of it.
        let fate = isFaulty && script.coordinatorsCrash ? random.uniform() : 1
        if fate < 0.002 { return crashCoordinator() }
        for effect in effects {
            switch effect {
            case .store(let change): store.apply(change)
            case .compare(let lease, _, let outcome): store.compare(lease, outcome)
            case .send(_, .acknowledge(let leases)):
                // One transaction holds all, but the order of the effects promises it too.
                if case .message(_, .result) = event { problems += store.missing(leases) }
            default: break
            }
        }
        if fate < 0.004 { return crashCoordinator() }
        // Or it dies between two messages.
        let sent = fate < 0.006 ? random.integer(below: effects.count + 1) : effects.count
        for effect in effects[..<sent] { carryOut(effect) }
        if fate < 0.006 { crashCoordinator() }
    }

    private mutating func carryOut(_ effect: SchedulerEffect) {
        switch effect {
        case .store, .compare: break
        case .assign(let id, let lease):
            for key in store.job(lease.job)?.dependencies ?? []
            where store.job(key)?.state != .finished {
                problems.append("\(lease) before the jobs it reads")
            }
            if !assigned.insert(lease).inserted { problems.append("\(lease) twice") }
            if store.job(lease.job)?.isPaused == true { problems.append("\(lease) is paused") }
            let assignment = Assignment(lease: lease, spec: [], inputs: inputs(of: lease.job))
            post(.toWorker(id, .assign(assignment)))
        case .send(let id, let message):
            post(.toWorker(id, message))
        case .finished: isComplete = !script.steers || isSettled
        }
    }

    /// Whether users have taken back what they held up.
    private var isSettled: Bool {
        !isFaulty && store.jobs.allSatisfy { $0.state == .finished }
    }

    /// Over the network: late, twice, out of order or never, until the faults heal.
    private mutating func post(_ message: Happening) {
        guard isFaulty, script.networkFails else { return timeline.plan(message, at: now + 0.001) }
        let copies = random.uniform() < 0.05 ? 0 : random.uniform() < 0.05 ? 2 : 1
        for _ in 0..<copies {
            let slow = random.uniform() < 0.02 ? 20.0 : 0.05
            timeline.plan(message, at: now + 0.001 + slow * random.uniformDouble())
        }
    }

    // MARK: Workers

    private mutating func startWorker() {
        workersStarted += 1
        let id = WorkerID("worker-\(workersStarted)")
        let facts = WorkerFacts(
            host: "h", processID: 1, slots: 1 + random.integer(below: 3), build: "test",
            numericClass: "n")
        var settings = SessionSettings(worker: id, facts: facts)
        settings.sabotage = script.session
        // Some pipes hold several jobs, so that a slot's death has bystanders.
        settings.slotAheadSeconds = random.uniform() < 0.5 ? 0.02 : 1
        settings.spoolSeconds = 0.25
        if script.workersEnd {
            settings.graceSeconds = 2
            settings.lifetimeSeconds = 60 + 60 * random.uniformDouble()
        }
        let spooled = orphanedSpool.sorted { $0.key.orderText < $1.key.orderText }.map(\.value)
        nodes[id] = Node(
            session: Session(settings: settings, spooled: spooled, at: now),
            slots: Array(repeating: [], count: facts.slots), spool: orphanedSpool)
        orphanedSpool = [:]
        timeline.plan(.tickWorker(id), at: now + 0.25)
        if scheduler != nil { timeline.plan(.reconnect(id, term: store.term), at: now + 0.1) }
    }

    mutating func tell(_ id: WorkerID, _ event: SessionEvent) {
        guard let effects = nodes[id]?.session.handle(event, at: now) else { return }
        for effect in effects {
            switch effect {
            case .send(let message): post(.toCoordinator(id, message))
            case .spool(let message):
                if case .result(let lease, _) = message { nodes[id]?.spool[lease] = message }
            case .unspool(let leases): for lease in leases { nodes[id]?.spool[lease] = nil }
            case .prepare(let assignment): prepare(id, assignment)
            case .letGo(let lease): nodes[id]?.reading[lease] = nil
            case .start(let slot, let assignment):
                let lease = assignment.lease
                if kept.contains(where: { $0.job == lease.job && $0.entries == lease.entries }) {
                    repeatedSpooled += 1
                }
                for entry in lease.entries {
                    started[lease.job, default: [:]][entry, default: 0] += 1
                }
                nodes[id]?.slots[slot].append(lease)
                if nodes[id]?.slots[slot].count == 1 { work(id, slot) }
            case .replace(let slot): nodes[id]?.slots[slot] = []
            case .end(.drained) where script.workersEnd: replaceWorker(id)
            case .end(let ending): problems.append("\(id) ended: \(ending)")
            }
        }
    }

    private mutating func work(_ id: WorkerID, _ slot: Int) {
        guard let lease = nodes[id]?.slots[slot].first else { return }
        let slow = random.uniform() < 0.1 ? 30.0 : 1.0
        let seconds =
            script.isSteady
            ? outcome(of: lease).seconds : slow * random.uniformDouble()
        timeline.plan(.slotDone(id, slot: slot, lease: lease), at: now + seconds)
    }

    private mutating func finish(_ id: WorkerID, _ slot: Int, _ lease: Lease) {
        guard nodes[id]?.slots[slot].first == lease else { return }
        if cannotRead(id, lease) {
            nodes[id]?.slots[slot].removeFirst()
            work(id, slot)
            return tell(id, .inputsUnreadable(slot: slot, lease: lease))
        }
        if script.killing.contains(lease.job) {
            nodes[id]?.slots[slot] = []
            return tell(id, .slotDied(slot: slot, cause: "asked to", logTail: ""))
        }
        nodes[id]?.slots[slot].removeFirst()
        work(id, slot)
        if script.failing.contains(lease.job) {
            tell(id, .failed(slot: slot, lease: lease, error: "asked to", logTail: ""))
        } else {
            let outcome = outcome(of: lease)
            if outcome.seconds >= 0.25 { kept.insert(lease) }
            nodes[id]?.cache.insert(lease.job)
            tell(id, .finished(slot: slot, lease: lease, outcome: outcome))
        }
    }

    private func outcome(of lease: Lease) -> JobOutcome {
        let kind = store.job(lease.job)?.kind ?? .probe
        var outcome = Samples.outcome(of: lease, kind: kind)
        if script.isSteady {
            outcome.seconds = Samples.steadySeconds(kind) * Double(lease.entries.count)
        }
        return outcome
    }
}

extension Lease {
    /// Something to sort by.
    var orderText: String { "\(job) \(term) \(attempt) \(entries.lowerBound)" }
}

extension Array {
    func randomElement(_ random: inout RandomStream) -> Element? {
        isEmpty ? nil : self[random.integer(below: count)]
    }
}
