public import FathomCore

/// A sweep as a user wrote it, checked, with every default filled in and every axis multiplied
/// out (`docs/manifest.md`).
public struct Manifest: Hashable, Sendable {
    /// The sweep's identity, fit for a file's name.
    public var name: String
    /// The sweep seed, from which everything random descends together with a run's seeds.
    public var seed: UInt64
    public var data: [DataSettings]
    public var methods: [MethodSettings]
    public var tasks: [String]
    public var models: [ModelSettings]
    public var defenses: [DefenseSettings]
    public var seeds: SeedSettings
    public var training: [TrainingSettings]
    public var sal: [SALSweepSettings]
    public var compare: ComparisonSettings
    /// Which loss landscapes are sampled; `nil`: none.
    public var landscape: LandscapeSweepSettings?
    /// The share of jobs, 0...1, that are computed a second time to find machines that compute
    /// wrongly. No result depends on it.
    public var audit: Double
    /// Which checkpoints stay when no job needs them any more. No result depends on it.
    public var keep: CheckpointKeeping

    public init(
        name: String, seed: UInt64, data: [DataSettings], methods: [MethodSettings],
        tasks: [String], models: [ModelSettings], defenses: [DefenseSettings],
        seeds: SeedSettings, training: [TrainingSettings], sal: [SALSweepSettings],
        compare: ComparisonSettings, landscape: LandscapeSweepSettings? = nil,
        audit: Double = 0, keep: CheckpointKeeping = .measured
    ) {
        self.landscape = landscape
        self.name = name
        self.seed = seed
        self.data = data
        self.methods = methods
        self.tasks = tasks
        self.models = models
        self.defenses = defenses
        self.seeds = seeds
        self.training = training
        self.sal = sal
        self.compare = compare
        self.audit = audit
        self.keep = keep
    }

    /// Reads the manifest at `path` and the files it extends.
    public static func load(
        _ path: String, capabilities: Capabilities
    ) throws(ManifestError) -> Manifest {
        try parse(try ManifestSource.text(ofFile: path), file: path, capabilities: capabilities)
    }

    /// Reads a manifest from its text.
    ///
    /// - Parameter file: What errors call it; files it extends are looked for beside it.
    public static func parse(
        _ text: String, file: String, capabilities: Capabilities
    ) throws(ManifestError) -> Manifest {
        let tree = try ManifestSource.tree(text, file: file)
        let problems = ProblemCollector()
        let manifest = ManifestReader(
            root: tree, capabilities: capabilities, problems: problems
        ).manifest()
        guard let manifest, problems.isEmpty else { throw problems.error }
        return manifest
    }
}

/// Which seeds the runs of every cell have.
public enum SeedSettings: Hashable, Sendable {
    /// One number a run, for its data, poison, training and SAL alike.
    case together([UInt64])
    /// Every combination of numbers that are varied apart.
    case apart(data: [UInt64], poison: [UInt64], train: [UInt64], sal: [UInt64])

    /// The seeds of each run, and the number that names it: the seed itself, where only one
    /// varies that one, and otherwise the run's position.
    public func runs(sweep: UInt64) -> [(number: Int, seeds: RunSeeds)] {
        switch self {
        case .together(let seeds):
            return seeds.map { seed in
                let all = RunSeeds(sweep: sweep, data: seed, poison: seed, train: seed, sal: seed)
                return (Int(seed), all)
            }
        case .apart(let data, let poison, let train, let sal):
            let varied = [data, poison, train, sal].filter { $0.count > 1 }
            let combinations = Self.combinations(sweep, data, poison, train, sal)
            return combinations.enumerated().map { index, seeds in
                (varied.count == 1 ? Int(varied[0][index]) : index, seeds)
            }
        }
    }

    /// How many runs a cell has.
    public var count: Int {
        switch self {
        case .together(let seeds): seeds.count
        case .apart(let data, let poison, let train, let sal):
            data.count * poison.count * train.count * sal.count
        }
    }

    private static func combinations(
        _ sweep: UInt64, _ data: [UInt64], _ poison: [UInt64], _ train: [UInt64], _ sal: [UInt64]
    ) -> [RunSeeds] {
        data.flatMap { dataSeed in
            poison.flatMap { poisonSeed in
                train.flatMap { trainSeed in
                    sal.map { salSeed in
                        RunSeeds(
                            sweep: sweep, data: dataSeed, poison: poisonSeed, train: trainSeed,
                            sal: salSeed)
                    }
                }
            }
        }
    }
}

/// Which loss landscapes are sampled of every cell.
public struct LandscapeSweepSettings: Hashable, Sendable {
    public var planes: [LandscapeSettings]
    /// Of how many runs of a cell, the first ones.
    public var runs: Int

    public init(planes: [LandscapeSettings], runs: Int) {
        self.planes = planes
        self.runs = runs
    }
}

/// How SAL is measured, and after which epochs.
public struct SALSweepSettings: Hashable, Sendable {
    /// Epochs divisible by this are measured, and always the last.
    public var every: Int
    /// The first epoch that may be measured.
    public var from: Int
    public var settings: SALSettings
    /// Whether `views` is 1 where training augments and 0 elsewhere, instead of what `settings`
    /// says.
    public var viewsFollowTraining: Bool

    public init(every: Int, from: Int, settings: SALSettings, viewsFollowTraining: Bool) {
        self.every = every
        self.from = from
        self.settings = settings
        self.viewsFollowTraining = viewsFollowTraining
    }

    /// The settings beside a given training. Without augmentation there is nothing to view.
    public func resolved(for training: TrainingSettings) -> SALSettings {
        var resolved = settings
        if training.augment.isEmpty {
            resolved.views = 0
        } else if viewsFollowTraining {
            resolved.views = 1
        }
        return resolved
    }

    /// The epochs after which a run of `epochs` is measured, rising.
    public func measuredEpochs(of epochs: Int) -> [Int] {
        let first = (from + every - 1) / every * every
        var measured = Array(stride(from: first, through: epochs, by: every))
        if measured.last != epochs { measured.append(epochs) }
        return measured
    }
}
