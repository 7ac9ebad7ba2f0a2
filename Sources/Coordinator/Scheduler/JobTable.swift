import FathomProtocol

/// The jobs by dense index, and who waits for whom, in flat arrays.
struct JobTable: Sendable {
    struct Job: Sendable {
        let key: JobKey
        let kind: JobSpec.Kind
        let costClass: Int
        /// Index of the data set it needs among `dataSets`.
        let dataSet: Int?
        /// Index of the runner it needs among `runners`.
        let runner: Int?
        let entryCount: Int
        var state: StoredJob.State
        /// Dependencies that are not finished.
        var waitingFor = 0
        var attemptsUsed: Int
        var attemptsCharged: Int
        var attemptsLost: Int
        /// Whether it stands in the ready heap.
        var isQueued = false
        var isPaused: Bool
        var isAudited: Bool
        var pathSeconds = 0.0
        /// Entries finished, and entries no active lease covers, while the job is open and ready.
        var finished: EntryRanges
        var pending = EntryRanges()

        /// Whether all that it reads is there.
        var isReady: Bool { state == .open && waitingFor == 0 }
    }

    var jobs: [Job]
    /// The data sets that jobs need.
    let dataSets: [String]
    /// The runners that jobs of a kind need.
    let runners: [RunnerNeed]
    private(set) var costs: CostBook
    private var indices: KeyIndex
    private let dependents: Adjacency
    private let dependencies: Adjacency

    /// - Parameter source: Gone through twice.
    init(_ source: some Collection<SchedulerJob>) {
        costs = CostBook()
        jobs = []
        jobs.reserveCapacity(source.count)
        indices = KeyIndex(capacity: source.count)
        var setIndices: [String: Int] = [:]
        for set in source.compactMap(\.dataSet) where setIndices[set] == nil {
            setIndices[set] = setIndices.count
        }
        dataSets = setIndices.sorted { $0.value < $1.value }.map(\.key)
        var runnerIndices: [RunnerNeed: Int] = [:]
        for need in source.lazy.compactMap(RunnerNeed.init) where runnerIndices[need] == nil {
            runnerIndices[need] = runnerIndices.count
        }
        runners = runnerIndices.sorted { $0.value < $1.value }.map(\.key)
        for job in source {
            precondition(job.entryCount >= 1, "job \(job.key) has \(job.entryCount) entries")
            indices.insert(job.key, place: jobs.count)
            jobs.append(
                Job(
                    key: job.key, kind: job.kind,
                    costClass: costs.index(of: job.costClass, kind: job.kind),
                    dataSet: job.dataSet.flatMap { setIndices[$0] },
                    runner: RunnerNeed(job).flatMap { runnerIndices[$0] },
                    entryCount: job.entryCount, state: job.state, attemptsUsed: job.attemptsUsed,
                    attemptsCharged: job.attemptsCharged, attemptsLost: job.attemptsLost,
                    isPaused: job.isPaused, isAudited: job.isAudited,
                    finished: job.state == .finished ? .init() : EntryRanges(job.entriesFinished)))
        }
        let edges = Self.edges(of: source, among: jobs, indices)
        dependencies = Adjacency(count: source.count, edges: edges)
        dependents = Adjacency(count: source.count, edges: edges.map { ($0.to, $0.from) })
        for index in jobs.indices {
            jobs[index].waitingFor = dependencies[index].count { jobs[$0].state != .finished }
        }
        measurePaths()
    }

    private static func edges(
        of source: some Collection<SchedulerJob>, among jobs: [Job], _ indices: KeyIndex
    ) -> [(from: Int, to: Int)] {
        var edges: [(from: Int, to: Int)] = []
        for (index, job) in source.enumerated() {
            for key in job.dependencies {
                if let other = indices.place(of: key, keyAt: { jobs[$0].key }) {
                    edges.append((index, other))
                }
            }
        }
        return edges
    }

    func index(of key: JobKey) -> Int? { indices.place(of: key) { jobs[$0].key } }
    func dependents(of job: Int) -> ArraySlice<Int> { dependents[job] }
    func dependencies(of job: Int) -> ArraySlice<Int> { dependencies[job] }

    mutating func learn(costClass: Int, seconds: Double, entries: Int) {
        costs.learn(costClass, seconds: seconds, entries: entries)
    }

    /// The longest path of estimated work from each job to the end, those after it first.
    private mutating func measurePaths() {
        var order: [Int] = []
        order.reserveCapacity(jobs.count)
        var waiting = jobs.indices.map { dependencies[$0].count }
        for job in jobs.indices where waiting[job] == 0 { order.append(job) }
        var next = 0
        while next < order.count {
            for dependent in dependents[order[next]] {
                waiting[dependent] -= 1
                if waiting[dependent] == 0 { order.append(dependent) }
            }
            next += 1
        }
        precondition(order.count == jobs.count, "jobs depend on each other in a circle")
        for job in order.reversed() {
            let after = dependents[job].reduce(0) { max($0, jobs[$1].pathSeconds) }
            let own = costs.estimate(jobs[job].costClass) * Double(jobs[job].entryCount)
            jobs[job].pathSeconds = after + own
        }
    }
}

/// Lists of integers in one array: the neighbours of each node of a graph, in order.
struct Adjacency: Sendable {
    private var starts: [Int]
    private var targets: [Int]

    init(count: Int, edges: [(from: Int, to: Int)]) {
        starts = Array(repeating: 0, count: count + 1)
        for edge in edges { starts[edge.from + 1] += 1 }
        for node in 0..<count { starts[node + 1] += starts[node] }
        targets = Array(repeating: 0, count: edges.count)
        var next = starts
        for edge in edges {
            targets[next[edge.from]] = edge.to
            next[edge.from] += 1
        }
    }

    subscript(node: Int) -> ArraySlice<Int> { targets[starts[node]..<starts[node + 1]] }
}

/// What entries cost, learned from what they took.
struct CostBook: Sendable {
    private var names: [String: Int] = [:]
    private var estimates: [Double] = []
    private var measured: [Bool] = []

    mutating func index(of name: String, kind: JobSpec.Kind) -> Int {
        if let index = names[name] { return index }
        names[name] = estimates.count
        estimates.append(Self.guess(kind))
        measured.append(false)
        return estimates.count - 1
    }

    /// How many classes there are.
    var count: Int { estimates.count }
    /// Seconds an entry, guessed until one was measured.
    func estimate(_ costClass: Int) -> Double { estimates[costClass] }
    func isMeasured(_ costClass: Int) -> Bool { measured[costClass] }

    mutating func learn(_ costClass: Int, seconds: Double, entries: Int) {
        let each = seconds / Double(max(1, entries))
        guard each.isFinite, each >= 0 else { return }
        // A quarter of the newest value follows a machine that slows down within a few jobs.
        estimates[costClass] =
            measured[costClass] ? 0.75 * estimates[costClass] + 0.25 * each : each
        measured[costClass] = true
    }

    /// Only the order of the first jobs hangs on these.
    private static func guess(_ kind: JobSpec.Kind) -> Double {
        switch kind {
        case .poison: 20
        case .train: 30
        case .sal: 2
        case .landscape: 0.1
        case .probe: 0.001
        }
    }
}
