import FathomCore
import FathomProtocol

/// One segment of a run: goes on from a checkpoint, trains its epochs, leaves a checkpoint.
struct TrainingJob {
    let spec: TrainSpec
    let data: RunnerData
    let context: RunContext

    func run() throws -> JobOutcome {
        let tasks = try check()
        let source = try data.images(spec.data, folder: context.dataFolder)
        let images = try data.defended(
            spec.defense, spec.data, poison: spec.poison, clean: source.train, context
        ).restricted(to: positions(source))
        let random = RandomStream(seed: spec.data.sweepSeed)
            .derived("run", Int(truncatingIfNeeded: spec.seed))
        guard tasks.isPlainClassification else {
            return try TaskTrainingJob(
                spec: spec, tasks: tasks, data: data, context: context
            ).run(source: source, images: images, random: random)
        }
        let trainer = Trainer(
            network: try source.network(spec.model, tasks), settings: spec.training,
            images: images.train, random: random,
            defense: try DefenseRegistry.training(spec.defense, on: images.train))
        if let previous = spec.previous {
            let checkpoint = try CheckpointFile(path: try context.input(previous, "checkpoint"))
            try trainer.restore(checkpoint.state)
        } else {
            try context.begin(trainer, spec.training)
        }
        let test = images.shown(source.test)
        var metrics: [MetricRow] = []
        var report = EpochReport(epoch: 0, train: LossSum(), test: LossSum())
        for epoch in spec.firstEpoch...spec.lastEpoch {
            report = train(trainer, epoch: epoch, test: test)
            metrics += rows(report)
        }
        let checkpoint = CheckpointFile.encoded(
            trainer.state, trainLoss: report.train.mean, augment: spec.training.augment)
        return JobOutcome(
            metrics: metrics, artifacts: [try context.keep("checkpoint", checkpoint)])
    }

    private func check() throws -> TaskSettings {
        let tasks = try TaskSettings.of(spec.task)
        let known = DefenseRegistry.names
        guard known.contains(spec.defense.name) else {
            throw RunnerError.unsupported(
                field: "defense", value: spec.defense.name, known: known.joined(separator: ", "))
        }
        guard spec.firstEpoch >= 1, spec.lastEpoch >= spec.firstEpoch,
            (spec.firstEpoch == 1) == (spec.previous == nil), spec.training.batch > 0
        else {
            throw RunnerError.unsupported(
                field: "epochs", value: "\(spec.firstEpoch)...\(spec.lastEpoch)",
                known: "segments that begin at 1 or go on from a checkpoint")
        }
        guard
            spec.training.phases == nil
                || spec.training.phaseEnds.first(where: { $0 >= spec.firstEpoch }) ?? 0
                    >= spec.lastEpoch
        else {
            throw RunnerError.unsupported(
                field: "epochs", value: "\(spec.firstEpoch)...\(spec.lastEpoch)",
                known: "segments within one phase, which end at \(spec.training.phaseEnds)")
        }
        return tasks
    }

    /// Which of the run's training images the segment's phase trains on; `nil`: all.
    private func positions(_ source: RunImages) -> [Int]? {
        spec.training.phase(ofEpoch: spec.firstEpoch).flatMap {
            source.positions(of: $0.images)
        }
    }

    /// A network that is no longer made of numbers is neither trained nor judged further.
    private func train(_ trainer: Trainer, epoch: Int, test: ImageSet) -> EpochReport {
        let share = 1 / Double(spec.lastEpoch - spec.firstEpoch + 1)
        let done = Double(epoch - spec.firstEpoch) * share
        let sum = trainer.trainEpoch { context.progress(done + $0 * share) }
        var judged = LossSum()
        judged.loss = .nan
        if sum.loss.isFinite {
            judged = Evaluator.evaluate(trainer.executor, on: test, batch: 250)
        }
        return EpochReport(epoch: epoch, train: sum, test: judged)
    }

    private func rows(_ report: EpochReport) -> [MetricRow] {
        [("train", report.train), ("test", report.test)].flatMap { split, sum in
            [("loss", sum.mean), ("accuracy", sum.accuracy)].map { name, value in
                let isNumber = sum.loss.isFinite
                return MetricRow(
                    epoch: report.epoch, task: spec.task, split: split, name: name,
                    value: isNumber ? value : nil, flag: isNumber ? nil : "diverged")
            }
        }
    }
}

extension RunContext {
    /// Gives a fresh trainer the weights that its settings say it starts from.
    func begin(_ trainer: Trainer, _ settings: TrainingSettings) throws {
        guard let start = settings.start else { return }
        try trainer.begin(with: try checkpoint(of: start))
    }

    /// The file that training starts from.
    func checkpoint(of start: TrainingStart) throws -> ImportedCheckpoint {
        guard let digest = Digest(hex: start.checkpoint) else {
            throw RunnerError.unsupported(
                field: "training.init", value: start.checkpoint,
                known: "checkpoints by their digest")
        }
        return try ImportedCheckpoint(path: try imported(digest))
    }
}

/// A training state as an artifact: a safetensors file that other tools read, parameters under
/// their PyTorch names, the optimizer's memory under `optimizer.`.
struct CheckpointFile {
    let state: TrainingState
    /// The running training loss of its last epoch; `nil` when that was no number.
    let trainLoss: Double?
    let augment: [TrainingSettings.Augmentation]
    /// Of several tasks, each one's loss on clean training images before any training.
    let untrained: [Double]?

    static func encoded(
        _ state: TrainingState, trainLoss: Double, augment: [TrainingSettings.Augmentation],
        untrained: [Double]? = nil
    ) -> [UInt8] {
        var metadata = Self.metadata(
            epoch: state.epoch, optimizerSteps: state.optimizerSteps,
            trainLoss: trainLoss.isFinite ? trainLoss : nil, augment: augment)
        if let untrained {
            metadata["untrained"] = untrained.map { "\($0)" }.joined(separator: ",")
        }
        return file(state.arrays, metadata).encoded()
    }

    /// What every checkpoint says beside its arrays.
    static func metadata(
        epoch: Int, optimizerSteps: Int, trainLoss: Double?,
        augment: [TrainingSettings.Augmentation]
    ) -> [String: String] {
        var metadata = [
            "format": format, "epoch": "\(epoch)", "optimizerSteps": "\(optimizerSteps)",
            "augment": augment.map(\.rawValue).joined(separator: ","),
        ]
        metadata["trainLoss"] = trainLoss.map { "\($0)" }
        return metadata
    }

    /// Arrays under their names; without more said of them, weights to start from.
    static func file(
        _ arrays: [(name: String, shape: [Int], values: [Float])],
        _ metadata: [String: String] = ["format": format]
    ) -> SafetensorsFile {
        var file = SafetensorsFile(metadata: metadata)
        for array in arrays {
            file.set(
                array.name, to: StoredArray(shape: array.shape, values: .float32(array.values)))
        }
        return file
    }

    private static let format = "fathom-checkpoint-1"

    init(path: String) throws {
        let file = try SafetensorsFile(path: path)
        guard let epoch = file.metadata["epoch"].flatMap({ Int($0) }),
            let steps = file.metadata["optimizerSteps"].flatMap({ Int($0) })
        else {
            throw RunnerError.artifactMisfits(
                "checkpoint", reason: "it does not say its epoch and optimizer steps")
        }
        let arrays = file.names.compactMap { name in
            file[name].flatMap { array in array.floats.map { (name, array.shape, $0) } }
        }
        state = TrainingState(epoch: epoch, optimizerSteps: steps, arrays: arrays)
        trainLoss = file.metadata["trainLoss"].flatMap { Double($0) }
        untrained = file.metadata["untrained"].map { text in
            text.split(separator: ",").compactMap { Double($0) }
        }
        augment = (file.metadata["augment"] ?? "").split(separator: ",")
            .compactMap { TrainingSettings.Augmentation(rawValue: String($0)) }
    }

    /// Writes the checkpoint's numbers into a network's parameters.
    func fill(_ parameters: ParameterSet) throws(TrainingState.Failure) {
        try parameters.fill(from: state)
    }
}
