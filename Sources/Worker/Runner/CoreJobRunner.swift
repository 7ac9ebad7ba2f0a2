import FathomCore
public import FathomProtocol

/// Runs jobs on the built-in engine. Belongs to one slot's thread; keeps the data set, poison and
/// the engine that measured last for the next job.
public final class CoreJobRunner: JobRunner {
    private let data: RunnerData
    private var measured: (key: JobKey, engine: SALEngine, entries: [SALEntry])?
    private var sampled: (key: JobKey, engine: LandscapeEngine)?

    /// A runner that has opened nothing yet.
    ///
    /// - Parameter decodedSets: A folder that decoded data sets are kept in, for all slots of the
    ///   machine; `nil`: each decodes for itself.
    public init(decodedSets: String? = nil) {
        data = RunnerData(decodedSets: decodedSets)
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
        case .landscape(let landscape):
            return try sample(landscape, key: spec.key, entries: entries, context)
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
        forget()
        let subject = try MeasuredCheckpoint(.init(spec), data: data, context: context)
        let engine = SALEngine(
            network: subject.network, parameters: subject.parameters, images: subject.images,
            settings: spec.settings, augment: subject.file.augment,
            random: subject.random.derived("views"), trainingLoss: subject.file.trainLoss,
            objective: subject.objective)
        let entries = spec.settings.entries(
            filterCounts: subject.tasks.measuredLayers(of: subject.network).map(\.filterCount),
            random: subject.random)
        measured = (key, engine, entries)
        return (engine, entries)
    }

    // MARK: Landscapes

    private func sample(
        _ spec: LandscapeSpec, key: JobKey, entries: Range<Int>, _ context: RunContext
    ) throws -> JobOutcome {
        guard entries.lowerBound >= 0, entries.upperBound <= spec.settings.entryCount else {
            throw RunnerError.entriesOutside(entries, count: spec.settings.entryCount)
        }
        if sampled?.key != key {
            forget()
            sampled = (key, try LandscapeEngine.of(spec, data: data, context: context))
        }
        guard let engine = sampled?.engine else { return JobOutcome() }
        let report = engine.report
        let points = engine.points(entries) { done in
            context.progress(Double(done) / Double(entries.count))
        }
        return JobOutcome(landscape: points, plane: report)
    }

    /// One checkpoint's memory at a time.
    private func forget() {
        measured = nil
        sampled = nil
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
