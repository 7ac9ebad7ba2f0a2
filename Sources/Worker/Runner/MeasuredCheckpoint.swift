import FathomCore
import FathomProtocol

/// What SAL and landscapes are measured of: a checkpoint, the images it is shown, and the loss.
struct MeasuredCheckpoint {
    /// Which of a run's images, and how many.
    struct Question {
        var data: DataSpec
        var poison: JobKey?
        var defense: DefenseSettings?
        var task: String
        var model: ModelSettings
        var checkpoint: JobKey
        var weights: JobKey?
        var source: SALSettings.Source
        var count: Int
        var seed: UInt64
        /// Which training images they are taken from, where a phase was of fewer than all.
        var share: TrainingPhase.Share?
    }

    let network: Network
    let parameters: ParameterSet
    let images: ImageSet
    let file: CheckpointFile
    let tasks: TaskSettings
    /// `nil`: the cross-entropy of the images' classes.
    let objective: Objective?
    /// The run's stream for what is measured; images derive from it.
    let random: RandomStream

    /// The images that are measured on, and what else is drawn from their stream.
    struct Shown {
        let source: RunImages
        let images: ImageSet
        /// The same images before a defense: targets are of images as released.
        let released: ImageSet
        let random: RandomStream
    }

    /// Finds the images that a question is of.
    static func shown(
        _ question: Question, data: RunnerData, context: RunContext
    ) throws -> Shown {
        let source = try data.images(question.data, folder: context.dataFolder)
        let defended = try data.defended(
            question.defense ?? DefenseSettings(), question.data, poison: question.poison,
            clean: source.train, context)
        let share = question.share.flatMap { source.positions(of: $0) }
        func shared(_ images: ImageSet) -> ImageSet { share.map(images.selecting) ?? images }
        let set =
            switch question.source {
            case .train: shared(defended.train)
            case .cleanTrain: shared(defended.shown(source.train))
            case .test: defended.shown(source.test)
            }
        let random = RandomStream(seed: question.data.sweepSeed)
            .derived("sal", Int(truncatingIfNeeded: question.seed))
        let images = try set.stratifiedSubset(
            count: question.count, random: random.derived("images"))
        let released =
            question.source != .train
            ? images
            : try shared(data.trained(on: question.poison, clean: source.train, context))
                .stratifiedSubset(count: question.count, random: random.derived("images"))
        return Shown(source: source, images: images, released: released, random: random)
    }

    init(_ question: Question, data: RunnerData, context: RunContext) throws {
        let shown = try Self.shown(question, data: data, context: context)
        (random, images) = (shown.random, shown.images)
        tasks = try TaskSettings.of(question.task)
        network = try shown.source.network(question.model, tasks)
        file = try CheckpointFile(path: try context.input(question.checkpoint, "checkpoint"))
        parameters = ParameterSet(network: network, random: random)
        try file.fill(parameters)
        objective = try Self.objective(
            question, tasks, network: network, images: shown.released, file, data, context)
    }

    private static func objective(
        _ question: Question, _ tasks: TaskSettings, network: Network, images: ImageSet,
        _ checkpoint: CheckpointFile, _ data: RunnerData, _ context: RunContext
    ) throws -> Objective? {
        if tasks.isPlainClassification { return nil }
        let isTest = question.source == .test
        let targets = try data.targets(
            tasks, of: images, perturbedBy: question.source == .train ? question.poison : nil,
            isTest ? .test : .train, question.data, folder: context.dataFolder)
        var factors: [Double]?
        if let weights = question.weights {
            factors = try CheckpointFile(path: try context.input(weights, "checkpoint"))
                .state.lossFactors
        }
        return try tasks.measuredObjective(
            network: network, images: images, targets: targets, factors: factors,
            untrained: checkpoint.untrained)
    }
}

extension MeasuredCheckpoint.Question {
    init(_ spec: SALSpec) {
        self.init(
            data: spec.data, poison: spec.poison, defense: spec.defense, task: spec.task,
            model: spec.model, checkpoint: spec.checkpoint, weights: spec.weights,
            source: spec.settings.data, count: spec.settings.images, seed: spec.seed,
            share: spec.share)
    }

    /// - Throws: `RunnerError` for a landscape of no checkpoint.
    init(_ spec: LandscapeSpec) throws {
        guard let last = spec.checkpoints.last else {
            throw RunnerError.unsupported(
                field: "checkpoints", value: "empty", known: "landscapes of a checkpoint or more")
        }
        self.init(
            data: spec.data, poison: spec.poison, defense: spec.defense, task: spec.task,
            model: spec.model, checkpoint: last, weights: spec.weights,
            source: spec.settings.data, count: spec.settings.images, seed: spec.seed,
            share: spec.share)
    }
}

extension LandscapeEngine {
    /// The engine of a landscape job.
    static func of(
        _ spec: LandscapeSpec, data: RunnerData, context: RunContext
    ) throws -> LandscapeEngine {
        let measured = try MeasuredCheckpoint(.init(spec), data: data, context: context)
        return LandscapeEngine(
            network: measured.network, parameters: measured.parameters,
            plane: try plane(spec, measured, context), images: measured.images,
            settings: spec.settings, objective: measured.objective,
            epoch: measured.file.state.epoch)
    }

    private static func plane(
        _ spec: LandscapeSpec, _ measured: MeasuredCheckpoint, _ context: RunContext
    ) throws -> LossPlane {
        switch spec.settings.plane {
        case .random:
            return .random(
                around: measured.parameters, settings: spec.settings,
                random: measured.random.derived("landscape"))
        case .trajectory:
            guard spec.checkpoints.count > 1 else {
                throw RunnerError.unsupported(
                    field: "checkpoints", value: "\(spec.checkpoints.count)",
                    known: "trajectories of 2 checkpoints or more")
            }
            let before = try spec.checkpoints.dropLast().map {
                try CheckpointFile(path: try context.input($0, "checkpoint")).state
            }
            return try .trajectory(
                of: measured.network, checkpoints: before + [measured.file.state],
                settings: spec.settings)
        }
    }
}
