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
    }

    struct Node {
        var session: Session
        var slots: [[Lease]]
    }

    let script: Script
    private(set) var store: ModelStore
    private(set) var problems: [String] = []
    private(set) var now = Instant(nanoseconds: 0)
    private(set) var isComplete = false
    /// How often computing each entry was begun.
    private(set) var started: [JobKey: [Int: Int]] = [:]
    private var scheduler: Scheduler?
    private var nodes: [WorkerID: Node] = [:]
    private var timeline = Timeline<Happening>()
    private var random: RandomStream
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
        var at = 5.0
        while at < script.healAfter {
            let isWorker = script.workersCrash && random.uniform() < 0.5
            timeline.plan(isWorker ? .crashWorker : .crashCoordinator, at: now + at)
            at += 2 + 20 * random.uniformDouble()
        }
    }

    private var isFaulty: Bool { now < healAt }

    /// Runs until no job is open, or the simulated time is over.
    mutating func run(untilCompleteWithin seconds: Double) {
        let end = now + seconds
        while !isComplete, let next = timeline.next(), next.at <= end {
            now = next.at
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
        case .crashWorker:
            guard let victim = nodes.keys.sorted().randomElement(&random) else { return }
            nodes[victim] = nil
            timeline.plan(.startWorker, at: now + 3 * random.uniformDouble())
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
        case .toCoordinator(let id, let message): tell(.message(id, message))
        case .toWorker(let id, let message): tell(id, .message(message))
        case .slotDone(let id, let slot, let lease): finish(id, slot, lease)
        }
    }

    // MARK: The coordinator

    private mutating func startCoordinator() {
        var settings = SchedulerSettings(term: store.nextTerm(), build: "test")
        settings.attemptsLostMax = 10_000
        settings.shardEntries = 1 + random.integer(below: 4)
        settings.sabotage = script.scheduler
        scheduler = Scheduler(settings: settings, jobs: store.jobs)
        timeline.plan(.tickCoordinator(term: store.term), at: now + 0.5)
        for id in nodes.keys.sorted() {
            timeline.plan(.reconnect(id, term: store.term), at: now + random.uniformDouble())
        }
        if scheduler?.isComplete == true { isComplete = true }
    }

    private mutating func crashCoordinator() {
        guard scheduler != nil else { return }
        scheduler = nil
        for id in nodes.keys.sorted() { tell(id, .disconnected) }
        timeline.plan(.startCoordinator, at: now + 3 * random.uniformDouble())
    }

    private mutating func tell(_ event: SchedulerEvent) {
        guard let effects = scheduler?.handle(event, at: now) else { return }
        // It may die before its transaction, or after it and before anybody hears of it.
        let fate = isFaulty ? random.uniform() : 1
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
            post(.toWorker(id, .assign(Assignment(lease: lease, spec: [], inputs: []))))
        case .send(let id, let message):
            post(.toWorker(id, message))
        case .finished: isComplete = true
        }
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
        nodes[id] = Node(
            session: Session(settings: settings, at: now),
            slots: Array(repeating: [], count: facts.slots))
        timeline.plan(.tickWorker(id), at: now + 0.25)
        if scheduler != nil { timeline.plan(.reconnect(id, term: store.term), at: now + 0.1) }
    }

    private mutating func tell(_ id: WorkerID, _ event: SessionEvent) {
        guard let effects = nodes[id]?.session.handle(event, at: now) else { return }
        for effect in effects {
            switch effect {
            case .send(let message): post(.toCoordinator(id, message))
            case .start(let slot, let assignment):
                let lease = assignment.lease
                for entry in lease.entries {
                    started[lease.job, default: [:]][entry, default: 0] += 1
                }
                nodes[id]?.slots[slot].append(lease)
                if nodes[id]?.slots[slot].count == 1 { work(id, slot) }
            case .replace(let slot): nodes[id]?.slots[slot] = []
            case .end(let ending): problems.append("\(id) ended: \(ending)")
            }
        }
    }

    private mutating func work(_ id: WorkerID, _ slot: Int) {
        guard let lease = nodes[id]?.slots[slot].first else { return }
        let slow = random.uniform() < 0.1 ? 30.0 : 1.0
        timeline.plan(
            .slotDone(id, slot: slot, lease: lease), at: now + slow * random.uniformDouble())
    }

    private mutating func finish(_ id: WorkerID, _ slot: Int, _ lease: Lease) {
        guard nodes[id]?.slots[slot].first == lease else { return }
        if script.killing.contains(lease.job) {
            nodes[id]?.slots[slot] = []
            return tell(id, .slotDied(slot: slot, cause: "asked to", logTail: ""))
        }
        nodes[id]?.slots[slot].removeFirst()
        work(id, slot)
        if script.failing.contains(lease.job) {
            tell(id, .failed(slot: slot, lease: lease, error: "asked to", logTail: ""))
        } else {
            let outcome = Samples.outcome(of: lease, kind: store.job(lease.job)?.kind ?? .probe)
            tell(id, .finished(slot: slot, lease: lease, outcome: outcome))
        }
    }
}

extension Array {
    func randomElement(_ random: inout RandomStream) -> Element? {
        isEmpty ? nil : self[random.integer(below: count)]
    }
}
