import FathomCore
import FathomCoordinator
import FathomProtocol
import Foundation

/// A folder that is gone when the test is.
final class StoreFolder {
    let path: String

    init() throws {
        path = NSTemporaryDirectory() + "fathom-store-" + UUID().uuidString
        try FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: true)
    }

    deinit {
        chmod(path, 0o700)
        try? FileManager.default.removeItem(atPath: path)
    }

    func file(_ name: String) -> String { path + "/" + name }
}

/// A sweep of clean, `rand-s` and `lsp` over three seeds whose UD can be computed by hand.
///
/// Four layers, measured after epochs 2 and 4. Clean runs have SAL 0, 0, h, h with h = 2, 4, 2 by
/// seed, so released thresholds are 1, 2, 1 and crossfit ones 1.5, 1, 1.5. `rand-s` equals clean.
/// `lsp` has 0, 0, 1.25, 3: under the released thresholds 2, 1, 2 layers are learnable, under
/// crossfit 1, 2, 1. Clean training always has 2.
struct SyntheticSweep {
    static let measuredEpochs = [2, 4]
    static let layers = ["conv1", "conv2", "conv3", "fc"]
    static let weightCounts = [10, 20, 30, 40]
    var plan: SweepPlan
    let worker = WorkerID(String(repeating: "ab", count: 16))

    init(methods: [String] = ["clean", "rand-s", "lsp"], seeds: Int = 3) {
        var cells: [PlannedCell] = []
        var jobs: [PlannedJob] = []
        for method in methods {
            let (cell, made) = SyntheticSweep.cell(method, seeds: seeds)
            cells.append(cell)
            jobs += made
        }
        plan = SweepPlan(
            name: "synthetic", manifest: "{}", cells: cells, jobs: jobs,
            comparison: ComparisonSettings())
    }

    private static func cell(_ method: String, seeds: Int) -> (PlannedCell, [PlannedJob]) {
        let data = DataSettings(set: "fashion-mnist", train: 100, test: 50)
        let model = ModelSettings(name: "lenet5")
        let training = TrainingSettings(epochs: 4)
        var jobs: [PlannedJob] = []
        func add(_ body: JobSpec.Body, entries: Int = 1) -> JobKey {
            let spec = JobSpec(body, revision: 1)
            jobs.append(PlannedJob(spec: spec, entryCount: entries))
            return spec.key
        }
        var runs: [PlannedRun] = []
        for seed in 0..<seeds {
            let source = DataSpec(
                settings: data, digest: Digest(of: Array("data".utf8)), sweepSeed: 1,
                dataSeed: UInt64(seed))
            let poison =
                method == "clean"
                ? nil
                : add(
                    .poison(
                        PoisonSpec(
                            data: source, method: MethodSettings(name: method), seed: UInt64(seed)))
                )
            var segments: [JobKey] = []
            var measurements: [PlannedRun.Measurement] = []
            for epoch in measuredEpochs {
                let segment = add(
                    .train(
                        TrainSpec(
                            data: source, poison: poison, task: "cls", model: model,
                            defense: DefenseSettings(), training: training, seed: UInt64(seed),
                            firstEpoch: epoch - 1, lastEpoch: epoch, previous: segments.last)))
                segments.append(segment)
                let sal = add(
                    .sal(
                        SALSpec(
                            data: source, poison: poison, task: "cls", model: model,
                            checkpoint: segment, settings: SALSettings(), seed: UInt64(seed))),
                    entries: layers.count)
                measurements.append(.init(epoch: epoch, job: sal))
            }
            runs.append(
                PlannedRun(
                    seed: seed, poison: poison, segments: segments, measurements: measurements))
        }
        let cell = PlannedCell(
            key: CellKey(Digest(of: Array(method.utf8))), data: data,
            method: MethodSettings(name: method), methodLabel: method, task: "cls", model: model,
            modelLabel: "lenet5", defense: DefenseSettings(), training: training,
            sal: SALSettings(), runs: runs)
        return (cell, jobs)
    }

    static func values(_ method: String, seed: Int) -> [Double] {
        let high = seed == 1 ? 4.0 : 2.0
        return method == "lsp" ? [0, 0, 1.25, 3] : [0, 0, high, high]
    }

    static func accuracy(_ method: String, seed: Int) -> Double {
        method == "lsp" ? 0.5 : [0.90, 0.92, 0.91][seed % 3]
    }

    static func salRow(_ layer: Int, _ value: Double, flag: String? = nil) -> SALRow {
        let walk = SALWalk(
            losses: [0.5, 0.1 + value], accuracies: [0.5, 0.25], radii: [0.02, 0.05], reachedAt: 2)
        return SALRow(
            layerIndex: layer,
            measurement: SALMeasurement(
                layer: layers[layer], weightCount: weightCounts[layer], weightNorm: 1.5,
                originLoss: 0.3, originAccuracy: 0.9, down: walk, up: walk, sMax: value,
                sMin: value / 3, sal: value, salAccuracy: 0.1, flag: flag,
                forwardEquivalents: 12.5))
    }

    func lease(_ job: JobKey, _ entries: Range<Int> = 0..<1, attempt: Int = 1) -> Lease {
        Lease(job: job, attempt: attempt, term: 1, entries: entries)
    }

    /// Everything the sweep's workers would report, in an order that depends on `shuffle`.
    func changes(shuffle: UInt64 = 0, seconds: Double = 1) -> [StoreChange] {
        var groups: [[StoreChange]] = []
        for cell in plan.cells {
            let method = cell.method.name
            for run in cell.runs {
                if let poison = run.poison {
                    let report = PoisonReport(
                        numbers: ["maxChange": 8.0 / 255], words: ["kind": "sampleWise"])
                    groups.append(finished(poison, JobOutcome(poison: report, seconds: seconds)))
                }
                for (epoch, job) in zip(Self.measuredEpochs, run.segments) {
                    let accuracy = Self.accuracy(method, seed: run.seed) - (epoch == 4 ? 0 : 0.2)
                    groups.append(
                        finished(job, trained(job, epoch, accuracy: accuracy, seconds: seconds)))
                }
                for measurement in run.measurements {
                    groups.append(
                        measured(
                            measurement.job, Self.values(method, seed: run.seed),
                            seconds: seconds))
                }
            }
        }
        var random = RandomStream(seed: shuffle)
        return random.permutation(groups.count).flatMap { groups[$0] }
    }

    func finished(_ job: JobKey, _ outcome: JobOutcome) -> [StoreChange] {
        [.accepted(lease(job), worker: worker, outcome: outcome), .jobFinished(job)]
    }

    func trained(
        _ job: JobKey, _ epoch: Int, accuracy: Double, seconds: Double
    ) -> JobOutcome {
        JobOutcome(
            metrics: [
                MetricRow(
                    epoch: epoch, task: "cls", split: "test", name: "accuracy", value: accuracy),
                MetricRow(epoch: epoch, task: "cls", split: "train", name: "loss", value: 0.25),
            ],
            artifacts: [
                ArtifactReference(
                    name: "checkpoint", digest: Digest(of: Array("\(job)".utf8)), bytes: 1000)
            ], seconds: seconds)
    }

    /// Two shards of one SAL job.
    func measured(_ job: JobKey, _ values: [Double], seconds: Double) -> [StoreChange] {
        let shards = [0..<3, 3..<4].enumerated().map { index, entries in
            StoreChange.accepted(
                lease(job, entries, attempt: index + 1), worker: worker,
                outcome: JobOutcome(
                    sal: entries.map { Self.salRow($0, values[$0]) }, seconds: seconds))
        }
        return shards + [.jobFinished(job)]
    }
}
