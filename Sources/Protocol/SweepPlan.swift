public import FathomCore

/// A sweep worked out: its cells, their runs, and every job they need, each once.
public struct SweepPlan: Sendable {
    /// The manifest's `name`, the sweep's identity.
    public var name: String
    /// The manifest with every default filled in, as canonical JSON.
    public var manifest: String
    public var cells: [PlannedCell]
    /// Dependencies before those who depend on them.
    public var jobs: [PlannedJob]
    public var comparison: ComparisonSettings
    /// What the sweep will not be able to say, for the user to read before it runs.
    public var notes: [String]
    /// The share of jobs to be computed a second time, 0...1.
    public var auditShare: Double
    public var keep: CheckpointKeeping

    public init(
        name: String, manifest: String, cells: [PlannedCell], jobs: [PlannedJob],
        comparison: ComparisonSettings, notes: [String] = [], auditShare: Double = 0,
        keep: CheckpointKeeping = .measured
    ) {
        self.name = name
        self.manifest = manifest
        self.cells = cells
        self.jobs = jobs
        self.comparison = comparison
        self.notes = notes
        self.auditShare = auditShare
        self.keep = keep
    }
}

extension SweepPlan {
    /// The runners that jobs ask for, each once, with the tags that the manifest asks of workers.
    public var runners: [RunnerReference] {
        var found: [RunnerReference] = []
        for runner in cells.compactMap(\.model.runner) where !found.contains(runner) {
            found.append(runner)
        }
        return found
    }

    /// The tags a worker must have beside a runner, by the runner.
    public var runnerNeeds: [RunnerReference: [String]] {
        var needs: [RunnerReference: Set<String>] = [:]
        for runner in runners { needs[runner.identity, default: []].formUnion(runner.needs ?? []) }
        return needs.mapValues { $0.sorted() }
    }
}

/// Which checkpoints stay when no job needs them any more: the manifest's `keep`.
public enum CheckpointKeeping: String, Codable, Hashable, Sendable, CaseIterable {
    /// Those of measured epochs, so that more can be measured of them later.
    case measured
    /// The last of each run.
    case last
    case none
}

/// How runs are compared once measured: the manifest's `compare`.
public struct ComparisonSettings: Codable, Hashable, Sendable {
    public enum Baseline: String, Codable, Hashable, Sendable, CaseIterable {
        /// Clean training without a defense.
        case vanilla
        /// Clean training under the same defense.
        case defended
        case both
    }
    public enum Threshold: String, Codable, Hashable, Sendable, CaseIterable {
        /// The mean over epochs of the midpoint of two clusters, from the seed's own clean run.
        case released
        /// The same from the clean runs of the other seeds; needs three.
        case crossfit
        case pooled
        case medianEpoch = "median-epoch"
        /// Each epoch its own.
        case perEpoch = "per-epoch"
        /// The released rule on SAL divided by the loss it starts from.
        case relative
        /// The upper quartile of the seed's own clean run.
        case percentile
        /// The mean of the seed's own clean run.
        case cleanMean = "clean-mean"
    }
    public var baseline: Baseline
    public var threshold: Threshold
    /// Methods whose UD should stay near 1.
    public var controls: [String]

    public init(
        baseline: Baseline = .both, threshold: Threshold = .crossfit,
        controls: [String] = ["rand-s"]
    ) {
        self.baseline = baseline
        self.threshold = threshold
        self.controls = controls
    }
}

/// One point of the grid: a method, task, model, defense and data set.
public struct PlannedCell: Hashable, Sendable {
    public var key: CellKey
    public var data: DataSettings
    public var method: MethodSettings
    /// The method's name, with what tells it from another cell's of the same name.
    public var methodLabel: String
    public var task: String
    public var model: ModelSettings
    public var modelLabel: String
    public var defense: DefenseSettings
    /// The defense's name, with what tells it from another cell's of the same name.
    public var defenseLabel: String
    public var training: TrainingSettings
    public var sal: SALSettings
    public var runs: [PlannedRun]
    /// How many classes the data set has; the accuracy of chance is one over it.
    public var classCount: Int
    /// Why the cell means nothing and has no runs; `nil`: it does.
    public var notApplicable: String?

    public init(
        key: CellKey, data: DataSettings, method: MethodSettings, methodLabel: String, task: String,
        model: ModelSettings, modelLabel: String, defense: DefenseSettings,
        training: TrainingSettings, sal: SALSettings, runs: [PlannedRun], classCount: Int = 10,
        defenseLabel: String? = nil, notApplicable: String? = nil
    ) {
        self.key = key
        self.data = data
        self.method = method
        self.methodLabel = methodLabel
        self.task = task
        self.model = model
        self.modelLabel = modelLabel
        self.defense = defense
        self.defenseLabel = defenseLabel ?? defense.name
        self.notApplicable = notApplicable
        self.training = training
        self.sal = sal
        self.runs = runs
        self.classCount = classCount
    }
}

/// A cell with a seed, and the jobs that make it up.
public struct PlannedRun: Hashable, Sendable {
    public var seed: Int
    public var poison: JobKey?
    /// What is done before the poison: earlier parts of it, poisons under it, surrogates.
    public var prerequisites: [JobKey]
    /// Training segments in order.
    public var segments: [JobKey]
    /// The SAL jobs in the order of their epochs.
    public var measurements: [Measurement]
    /// Its loss landscapes, in the order of the manifest's planes.
    public var landscapes: [JobKey]

    public struct Measurement: Hashable, Sendable {
        public var epoch: Int
        public var job: JobKey

        public init(epoch: Int, job: JobKey) {
            self.epoch = epoch
            self.job = job
        }
    }

    public init(
        seed: Int, poison: JobKey?, segments: [JobKey], measurements: [Measurement],
        prerequisites: [JobKey] = [], landscapes: [JobKey] = []
    ) {
        self.seed = seed
        self.landscapes = landscapes
        self.poison = poison
        self.prerequisites = prerequisites
        self.segments = segments
        self.measurements = measurements
    }
}

/// A job with what the scheduler needs to know of it.
public struct PlannedJob: Hashable, Sendable {
    public var key: JobKey
    public var spec: JobSpec
    /// How many entries it has: measured layers or filters of a SAL job, points of a
    /// landscape, 1 for others.
    public var entryCount: Int
    /// `spec.canonical`, which the key is the digest of.
    public var canonical: [UInt8]

    public init(spec: JobSpec, entryCount: Int) {
        self.init(spec: spec, entryCount: entryCount, canonical: Array(spec.canonical))
    }

    /// - Parameter canonical: `spec.canonical`, put together by somebody who knows how.
    init(spec: JobSpec, entryCount: Int, canonical: [UInt8]) {
        key = JobKey(Digest(of: canonical))
        self.spec = spec
        self.entryCount = entryCount
        self.canonical = canonical
    }
}
