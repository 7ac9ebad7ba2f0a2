import FathomCore
import FathomProtocol

/// The cluster a forecast is made for.
public struct ForecastCluster: Sendable, Hashable {
    /// Machines, each with one worker agent.
    public var nodes: Int
    /// Slots of each.
    public var cores: Int
    /// One way between a worker and the coordinator, with all queues on it.
    public var latencySeconds: Double
    /// What the coordinator takes for a message: decoding, deciding, its share of a commit,
    /// sending. `fathom bench dispatch` measures it.
    public var secondsPerMessage: Double

    public init(
        nodes: Int, cores: Int, latencySeconds: Double = 0.002,
        secondsPerMessage: Double = 100e-6
    ) {
        self.nodes = nodes
        self.cores = cores
        self.latencySeconds = latencySeconds
        self.secondsPerMessage = secondsPerMessage
    }
}

/// One job of a forecast: what the scheduler sees, and what the plan knows of its cost.
public struct ForecastJob: Sendable {
    public var job: SchedulerJob
    /// Seconds an entry on one core.
    public var secondsPerEntry: Double
    /// What it makes, and each job that reads it moves once to each node that needs it.
    public var artifactBytes: Int

    public init(_ job: SchedulerJob, secondsPerEntry: Double, artifactBytes: Int) {
        self.job = job
        self.secondsPerEntry = secondsPerEntry
        self.artifactBytes = artifactBytes
    }
}

/// How a sweep would go on a cluster: the real scheduler on a simulated clock, with workers that
/// compute nothing and take as long as the jobs would.
public struct ClusterForecast {
    /// What came out.
    public struct Figures: Sendable, Hashable {
        public var makespanSeconds = 0.0
        /// Core-seconds of work.
        public var workSeconds = 0.0
        /// The longest chain of jobs that must follow each other: no cluster is faster.
        public var chainSeconds = 0.0
        /// Work over cores times makespan, 0...1.
        public var utilisation = 0.0
        public var messages = 0
        /// The busiest second of the coordinator, messages.
        public var messagesPerSecondMax = 0
        /// Share of the makespan for which the coordinator's one thread is busy with messages.
        public var coordinatorLoad = 0.0
        /// The scheduler's longest step, measured while the forecast was made.
        public var stepSecondsMax = 0.0
        public var bytesMoved = 0
        public var leases = 0
        public var isComplete = false
    }

    private enum Happening {
        case arrives(node: Int, WorkerMessage)
        /// The coordinator takes the next message that waits for it.
        case takes
        case assigned(node: Int, Lease)
        case ends(node: Int, Lease)
        case beat(node: Int)
        case tick
    }

    private let cluster: ForecastCluster
    private let jobs: [ForecastJob]
    private let indices: [JobKey: Int]
    private var scheduler: Scheduler
    private var timeline = Timeline<Happening>()
    private var now = Instant(nanoseconds: 0)
    private var figures = Figures()
    private var nodes: [ForecastNode]
    private var computing = 0.0
    private var perSecond: [Int: Int] = [:]
    /// What has arrived and waits, first come first served, and when all of it will be done.
    private var inbox: [(node: Int, message: WorkerMessage)] = []
    private var inboxHead = 0
    private var coordinatorFree = Instant(nanoseconds: 0)
    private let heartbeatSeconds: Double

    public init(_ jobs: [ForecastJob], on cluster: ForecastCluster) {
        self.cluster = cluster
        self.jobs = jobs
        indices = Dictionary(
            jobs.enumerated().map { ($1.job.key, $0) }, uniquingKeysWith: { first, _ in first })
        var settings = SchedulerSettings(term: 1, build: "forecast")
        // Large clusters are told to beat less often; leases last in proportion.
        heartbeatSeconds = max(settings.heartbeatSeconds, Double(cluster.nodes) / 500)
        settings.heartbeatSeconds = heartbeatSeconds
        settings.leaseSeconds = heartbeatSeconds * 7.5
        scheduler = Scheduler(settings: settings, jobs: jobs.map(\.job))
        nodes = Array(repeating: ForecastNode(cores: cluster.cores), count: cluster.nodes)
    }

    /// Plays the sweep once.
    ///
    /// - Parameter secondsMax: Simulated time after which it is given up.
    public mutating func run(secondsMax: Double = 1e8) -> Figures {
        figures.workSeconds = jobs.reduce(0) {
            $0 + $1.secondsPerEntry * Double($1.job.entryCount)
        }
        figures.chainSeconds = longestChain()
        let facts = WorkerFacts(
            host: "node", processID: 1, slots: cluster.cores, build: "forecast",
            numericClass: "forecast")
        for node in 0..<cluster.nodes {
            let hello = WorkerMessage.hello(Hello(facts: facts, held: [], unacknowledged: []))
            let start = now + Double(node) * 1e-3
            timeline.plan(.arrives(node: node, hello), at: start)
            timeline.plan(.beat(node: node), at: start + heartbeatSeconds)
        }
        timeline.plan(.tick, at: now)
        while !figures.isComplete, let next = timeline.next(),
            next.at.seconds(since: Instant(nanoseconds: 0)) <= secondsMax
        {
            now = next.at
            happen(next.event)
        }
        let span = now.seconds(since: Instant(nanoseconds: 0))
        figures.makespanSeconds = span
        if span > 0 {
            let cores = Double(cluster.nodes * cluster.cores)
            figures.utilisation = figures.workSeconds / (cores * span)
            figures.coordinatorLoad = computing / span
        }
        figures.messagesPerSecondMax = perSecond.values.max() ?? 0
        return figures
    }

    private mutating func happen(_ event: Happening) {
        switch event {
        case .arrives(let node, let message):
            inbox.append((node, message))
            // One thread takes them in turn: what comes while it is busy waits.
            timeline.plan(.takes, at: max(now, coordinatorFree))
            coordinatorFree = max(now, coordinatorFree) + cluster.secondsPerMessage
        case .takes:
            let (node, message) = inbox[inboxHead]
            inboxHead += 1
            if inboxHead > 65_536 {
                inbox.removeFirst(inboxHead)
                inboxHead = 0
            }
            figures.messages += 1
            perSecond[Int(now.nanoseconds / 1_000_000_000), default: 0] += 1
            tell(.message(name(of: node), message), seconds: cluster.secondsPerMessage)
        case .assigned(let node, let lease):
            nodes[node].waiting.append(lease)
            fill(node)
        case .ends(let node, let lease):
            nodes[node].running.removeAll { $0 == lease }
            guard let job = indices[lease.job].map({ jobs[$0] }) else { return }
            timeline.plan(
                .arrives(node: node, .result(lease, job.outcome(of: lease))),
                at: now + cluster.latencySeconds)
            fill(node)
        case .beat(let node):
            timeline.plan(
                .arrives(node: node, .heartbeat(nodes[node].inventory)),
                at: now + cluster.latencySeconds)
            timeline.plan(.beat(node: node), at: now + heartbeatSeconds)
        case .tick:
            tell(.tick, seconds: 0)
            timeline.plan(.tick, at: now + 0.5)
        }
    }

    private mutating func fill(_ node: Int) {
        while let lease = nodes[node].startNext() {
            guard let job = indices[lease.job] else { continue }
            bring(job, to: node)
            let seconds = jobs[job].secondsPerEntry * Double(lease.entries.count)
            timeline.plan(.ends(node: node, lease), at: now + max(seconds, 1e-6))
        }
    }

    /// Counts what must be moved to a node before a job can start there.
    private mutating func bring(_ job: Int, to node: Int) {
        for key in jobs[job].job.dependencies {
            guard let input = indices[key], jobs[input].artifactBytes > 0,
                nodes[node].present.insert(input).inserted
            else { continue }
            figures.bytesMoved += jobs[input].artifactBytes
        }
        if jobs[job].artifactBytes > 0, nodes[node].present.insert(job).inserted {
            // What a node makes goes to the coordinator once.
            figures.bytesMoved += jobs[job].artifactBytes
        }
    }

    private mutating func tell(_ event: SchedulerEvent, seconds: Double) {
        let start = Instant.now()
        var effects = scheduler.handle(event, at: now)
        while scheduler.hasMore { effects += scheduler.handle(.proceed, at: now) }
        figures.stepSecondsMax = max(
            figures.stepSecondsMax, Instant.now().seconds(since: start))
        computing += seconds
        for effect in effects {
            switch effect {
            case .assign(let worker, let lease):
                figures.leases += 1
                if let node = Int(worker.text) {
                    timeline.plan(
                        .assigned(node: node, lease),
                        at: now + seconds + cluster.latencySeconds)
                }
            case .finished: figures.isComplete = true
            case .store, .compare, .send: break
            }
        }
    }

    private func name(of node: Int) -> WorkerID { WorkerID(String(node)) }

    private func longestChain() -> Double {
        var ends: [Double] = Array(repeating: 0, count: jobs.count)
        // Jobs come after those they read.
        for (index, item) in jobs.enumerated() {
            let before = item.job.dependencies.compactMap { indices[$0] }.map { ends[$0] }
            // Entries of one job may all be computed at once.
            ends[index] = (before.max() ?? 0) + item.secondsPerEntry
        }
        return ends.max() ?? 0
    }
}
