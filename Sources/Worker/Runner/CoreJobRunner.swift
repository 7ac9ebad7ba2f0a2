import FathomCore
public import FathomProtocol

/// Runs jobs on the built-in engine. Belongs to one slot's thread; keeps the data set, poison and
/// SAL engine used last for the next job.
public final class CoreJobRunner: JobRunner {
    private let data = RunnerData()
    private var measured: (key: JobKey, engine: SALEngine, entries: [SALEntry])?

    /// A runner that has decoded nothing yet.
    public init() {
        NumericClass.enterSlot()
    }

    public func run(
        _ spec: JobSpec, entries: Range<Int>, context: RunContext
    ) throws -> JobOutcome {
        switch spec.body {
        case .poison(let poison) where poison.method.isExternal:
            return try ImportedPoisonJob(spec: poison, data: data, context: context).run()
        case .poison(let poison):
            return try PoisonJob(spec: poison, data: data, context: context).run()
        case .train(let train):
            return try TrainingJob(spec: train, data: data, context: context).run()
        case .sal(let sal):
            return try measure(sal, key: spec.key, entries: entries, context)
        case .probe:
            throw RunnerError.kindUnsupported(spec.kind.rawValue)
        }
    }

    private func measure(
        _ spec: SALSpec, key: JobKey, entries: Range<Int>, _ context: RunContext
    ) throws -> JobOutcome {
        let (engine, all) = try engine(spec, key: key, context)
        guard entries.lowerBound >= 0, entries.upperBound <= all.count else {
            throw RunnerError.entriesOutside(entries, count: all.count)
        }
        let rows = engine.measure(entries: all[entries]) { done in
            context.progress(Double(done) / Double(entries.count))
        }
        return JobOutcome(
            sal: zip(entries, rows).map { entry, row in
                SALRow(
                    entry: entry, layerIndex: all[entry].layer, filter: all[entry].filter,
                    measurement: row)
            })
    }

    /// The engine of the job measured last, if this is a further shard of it; and its entries.
    private func engine(
        _ spec: SALSpec, key: JobKey, _ context: RunContext
    ) throws -> (engine: SALEngine, entries: [SALEntry]) {
        if let measured, measured.key == key { return (measured.engine, measured.entries) }
        measured = nil
        let source = try data.images(spec.data, folder: context.dataFolder)
        let defended = try data.defended(
            spec.defense ?? DefenseSettings(), spec.data, poison: spec.poison, clean: source.train,
            context)
        let set =
            switch spec.settings.data {
            case .train: defended.train
            case .cleanTrain: defended.shown(source.train)
            case .test: defended.shown(source.test)
            }
        let random = RandomStream(seed: spec.data.sweepSeed)
            .derived("sal", Int(truncatingIfNeeded: spec.seed))
        let images = try set.stratifiedSubset(
            count: spec.settings.images, random: random.derived("images"))
        // The same images before a defense: targets are of images as released.
        let released =
            spec.settings.data != .train
            ? images
            : try data.trained(on: spec.poison, clean: source.train, context).stratifiedSubset(
                count: spec.settings.images, random: random.derived("images"))
        let tasks = try TaskSettings.of(spec.task)
        let network = try source.network(spec.model, tasks)
        let checkpoint = try CheckpointFile(path: try context.input(spec.checkpoint, "checkpoint"))
        let parameters = ParameterSet(network: network, random: random)
        try checkpoint.fill(parameters)
        let engine = SALEngine(
            network: network, parameters: parameters, images: images, settings: spec.settings,
            augment: checkpoint.augment, random: random.derived("views"),
            trainingLoss: checkpoint.trainLoss,
            objective: try objective(
                spec, tasks, network: network, images: released, checkpoint, context))
        let entries = spec.settings.entries(
            filterCounts: tasks.measuredLayers(of: network).map(\.filterCount), random: random)
        measured = (key, engine, entries)
        return (engine, entries)
    }
}

extension CoreJobRunner {
    /// What SAL is measured of; `nil`: the images' classes.
    private func objective(
        _ spec: SALSpec, _ tasks: TaskSettings, network: Network, images: ImageSet,
        _ checkpoint: CheckpointFile, _ context: RunContext
    ) throws -> Objective? {
        if tasks.isPlainClassification { return nil }
        let isTest = spec.settings.data == .test
        let targets = try data.targets(
            tasks, of: images, perturbedBy: spec.settings.data == .train ? spec.poison : nil,
            isTest ? .test : .train, spec.data, folder: context.dataFolder)
        var factors: [Double]?
        if let weights = spec.weights {
            factors = try CheckpointFile(path: try context.input(weights, "checkpoint"))
                .state.lossFactors
        }
        return try tasks.measuredObjective(
            network: network, images: images, targets: targets, factors: factors,
            untrained: checkpoint.untrained)
    }
}

/// What a job cannot be run for.
public enum RunnerError: Error, CustomStringConvertible {
    case kindUnsupported(String)
    case entriesOutside(Range<Int>, count: Int)
    case dataDiffers(set: String, here: String, planned: String)
    case artifactMisfits(String, reason: String)
    case unsupported(field: String, value: String, known: String)

    public var description: String {
        switch self {
        case .kindUnsupported(let kind):
            "jobs of kind \(kind) are not for this runner"
        case .entriesOutside(let entries, let count):
            "entries \(entries) were asked for; the measurement has \(count)"
        case .dataDiffers(let set, let here, let planned):
            "data set \(set) has digest \(here) on this worker; the sweep was planned with "
                + "\(planned): give this worker the same files"
        case .artifactMisfits(let name, let reason):
            "the artifact \(name) does not fit this job: \(reason)"
        case .unsupported(let field, let value, let known):
            "\(field) is \(value); this version knows \(known)"
        }
    }
}
