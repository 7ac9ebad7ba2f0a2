import FathomCore
import FathomProtocol
import Foundation

/// A sweep whose results are made up, large enough to time a store with: methods, four tasks, five
/// seeds, twenty epochs of fifty layers.
struct SyntheticStore {
    private static let tasks = ["cls", "depth", "normal", "edge"]
    private static let seeds = 5
    private static let epochs = 20
    private static let layers = 50
    private static let rowsPerMethod = tasks.count * seeds * epochs * layers
    private static let worker = WorkerID(String(repeating: "5e", count: 16))
    private static let jobsPerCommit = 200

    let plan: SweepPlan
    /// Results of the methods that come later: one entry each, in the order they arrive.
    let streamed: [[StoreChange]]
    private let filled: [(job: JobKey, outcome: Outcome)]

    private enum Outcome {
        case poison
        case segment(epoch: Int, task: String, method: Int, seed: Int)
        case sal(epoch: Int, method: Int, seed: Int)
    }

    /// - Parameters:
    ///   - rows: SAL rows to fill in, about.
    ///   - streamed: How many more come later, at least.
    init(rows: Int, streamed: Int) {
        let first = max(2, rows / Self.rowsPerMethod)
        let later = (streamed + Self.rowsPerMethod - 1) / Self.rowsPerMethod
        var cells: [PlannedCell] = []
        var jobs: [PlannedJob] = []
        var filled: [(job: JobKey, outcome: Outcome)] = []
        var open: [(job: JobKey, outcome: Outcome)] = []
        for method in 0..<first + later {
            var made = Builder(method: method)
            made.build()
            cells += made.cells
            jobs += made.jobs
            if method < first { filled += made.outcomes } else { open += made.outcomes }
        }
        plan = SweepPlan(
            name: "synthetic", manifest: "{}", cells: cells, jobs: jobs,
            comparison: ComparisonSettings())
        self.filled = filled
        self.streamed = open.flatMap { Self.entryChanges($0.job, $0.outcome) }
    }

    /// Puts the results of the first methods into the store.
    ///
    /// - Returns: How many SAL rows.
    func fill(_ store: Store) throws(StoreError) -> Int {
        var rows = 0
        for start in stride(from: 0, to: filled.count, by: Self.jobsPerCommit) {
            var changes: [StoreChange] = []
            for item in filled[start..<min(filled.count, start + Self.jobsPerCommit)] {
                let outcome = Self.outcome(item.outcome, entries: 0..<Self.layers)
                rows += outcome.sal.count
                changes += Self.accepted(item.job, outcome, entries: 0..<max(1, outcome.sal.count))
                changes.append(.jobFinished(item.job))
            }
            try store.apply(changes)
        }
        return rows
    }

    /// A result an entry; other jobs are one result.
    private static func entryChanges(_ job: JobKey, _ outcome: Outcome) -> [[StoreChange]] {
        guard case .sal = outcome else {
            return [
                accepted(job, self.outcome(outcome, entries: 0..<1), entries: 0..<1)
                    + [.jobFinished(job)]
            ]
        }
        return (0..<layers).map { entry in
            let range = entry..<entry + 1
            let changes = accepted(
                job, self.outcome(outcome, entries: range), entries: range, attempt: entry + 1)
            return entry == layers - 1 ? changes + [.jobFinished(job)] : changes
        }
    }

    private static func accepted(
        _ job: JobKey, _ outcome: JobOutcome, entries: Range<Int>, attempt: Int = 1
    ) -> [StoreChange] {
        let lease = Lease(job: job, attempt: attempt, term: 1, entries: entries)
        return [.accepted(lease, worker: worker, outcome: outcome)]
    }

    private static func outcome(_ kind: Outcome, entries: Range<Int>) -> JobOutcome {
        switch kind {
        case .poison:
            return JobOutcome(poison: PoisonReport(numbers: ["maxChange": 0.03]), seconds: 1)
        case .segment(let epoch, let task, let method, let seed):
            var random = RandomStream(seed: 7).derived("metric \(task) \(method)", seed)
            let value =
                (method == 0 ? 0.9 : 0.3 + 0.01 * Double(method % 50)) - 0.02
                * random.uniformDouble()
            let name = ScoredCell.metric(ofTask: task).name
            return JobOutcome(
                metrics: [
                    MetricRow(epoch: epoch, task: task, split: "test", name: name, value: value),
                    MetricRow(epoch: epoch, task: task, split: "chance", name: name, value: 0.1),
                    MetricRow(epoch: epoch, task: task, split: "train", name: "loss", value: 0.25),
                ], seconds: 2)
        case .sal(let epoch, let method, let seed):
            return JobOutcome(
                sal: entries.map { row($0, epoch: epoch, method: method, seed: seed) }, seconds: 1)
        }
    }

    /// Low and high layers in turn; fewer of them high the later the method.
    private static func row(_ layer: Int, epoch: Int, method: Int, seed: Int) -> SALRow {
        var random = RandomStream(seed: 7).derived("sal \(method) \(seed) \(epoch)", layer)
        let isHigh = layer % 2 == 0 && random.integer(below: 60) >= method
        let value = (isHigh ? 1.5 : 0.2) + 0.2 * random.uniformDouble()
        let losses = (1...4).map { 0.5 + value * Double($0) / 4 }
        let walk = SALWalk(
            losses: losses, accuracies: [0.8, 0.7, 0.6, 0.5], radii: [0.05, 0.05, 0.05, 0.05],
            reachedAt: 1)
        return SALRow(
            layerIndex: layer,
            measurement: SALMeasurement(
                layer: "stage.\(layer / 10).conv\(layer % 10)", weightCount: 1_000 + layer,
                weightNorm: 3, originLoss: 0.5, originAccuracy: 0.9, down: walk, up: walk,
                sMax: value, sMin: 0, sal: value, salAccuracy: 0.4, flag: nil,
                forwardEquivalents: 12))
    }

    /// Makes one method's cells, a task each.
    private struct Builder {
        let method: Int
        var cells: [PlannedCell] = []
        var jobs: [PlannedJob] = []
        var outcomes: [(job: JobKey, outcome: Outcome)] = []

        init(method: Int) { self.method = method }

        private var name: String {
            method == 0 ? "clean" : method == 1 ? "rand-s" : "method-\(method)"
        }

        mutating func build() {
            let poisons = (0..<SyntheticStore.seeds).map { poison(seed: $0) }
            for task in SyntheticStore.tasks { buildCell(task, poisons) }
        }

        private mutating func add(_ body: JobSpec.Body, entries: Int, _ outcome: Outcome) -> JobKey
        {
            let job = PlannedJob(spec: JobSpec(body, revision: 1), entryCount: entries)
            jobs.append(job)
            outcomes.append((job.key, outcome))
            return job.key
        }

        private func source(_ seed: Int) -> DataSpec {
            DataSpec(
                settings: DataSettings(set: "rooms10", train: 100, test: 50),
                digest: Digest(of: Array("data".utf8)), sweepSeed: 1, dataSeed: UInt64(seed))
        }

        private mutating func poison(seed: Int) -> JobKey? {
            guard method > 0 else { return nil }
            let spec = PoisonSpec(
                data: source(seed), method: MethodSettings(name: name), seed: UInt64(seed))
            return add(.poison(spec), entries: 1, .poison)
        }

        private mutating func buildCell(_ task: String, _ poisons: [JobKey?]) {
            let training = TrainingSettings(epochs: SyntheticStore.epochs)
            let model = ModelSettings(name: "smallcnn")
            var runs: [PlannedRun] = []
            for seed in 0..<SyntheticStore.seeds {
                var segments: [JobKey] = []
                var measurements: [PlannedRun.Measurement] = []
                for epoch in 1...SyntheticStore.epochs {
                    let train = TrainSpec(
                        data: source(seed), poison: poisons[seed], task: task, model: model,
                        defense: DefenseSettings(), training: training, seed: UInt64(seed),
                        firstEpoch: epoch, lastEpoch: epoch, previous: segments.last)
                    let segment = add(
                        .train(train), entries: 1,
                        .segment(epoch: epoch, task: task, method: method, seed: seed))
                    segments.append(segment)
                    let sal = SALSpec(
                        data: source(seed), poison: poisons[seed], task: task, model: model,
                        checkpoint: segment, settings: SALSettings(), seed: UInt64(seed))
                    let job = add(
                        .sal(sal), entries: SyntheticStore.layers,
                        .sal(epoch: epoch, method: method, seed: seed))
                    measurements.append(.init(epoch: epoch, job: job))
                }
                runs.append(
                    PlannedRun(
                        seed: seed, poison: poisons[seed], segments: segments,
                        measurements: measurements))
            }
            cells.append(
                PlannedCell(
                    key: CellKey(Digest(of: Array("\(name) \(task)".utf8))),
                    data: source(0).settings, method: MethodSettings(name: name),
                    methodLabel: name, task: task, model: model, modelLabel: "smallcnn",
                    defense: DefenseSettings(), training: training, sal: SALSettings(), runs: runs))
        }
    }
}
