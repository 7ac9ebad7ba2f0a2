import FathomCore
import FathomProtocol

/// One segment of training at dense tasks, or at several tasks at once.
struct TaskTrainingJob {
    let spec: TrainSpec
    let tasks: TaskSettings
    let data: RunnerData
    let context: RunContext

    private static let evaluationBatch = 250

    func run(
        source: RunImages, images: DefendedImages, random: RandomStream
    ) throws -> JobOutcome {
        let network = try source.network(spec.model, tasks)
        // Targets are of images as released; what a defense does to them comes after.
        var released = try data.trained(on: spec.poison, clean: source.train, context)
        if let positions = images.positions { released = released.selecting(positions) }
        let targets = try targets(released, perturbedBy: spec.poison, .train)
        let test = try self.targets(source.test, perturbedBy: nil, .test)
        let trainer = Trainer(
            network: network, settings: spec.training, images: images.train, random: random,
            objective: try tasks.objective(
                network: network, images: images.train, targets: targets),
            weighting: LossWeighting(tasks.weighting, tasks: tasks.kinds.count),
            defense: try DefenseRegistry.training(spec.defense, on: images.train))
        let untrained = try begin(trainer, source)
        let shown = images.shown(source.test)
        var metrics: [MetricRow] = []
        var trainLoss = Double.nan
        for epoch in spec.firstEpoch...spec.lastEpoch {
            let factors = trainer.lossFactors
            trainLoss = train(trainer, epoch: epoch)
            metrics += try rows(trainer, epoch, trainLoss, factors, shown, test)
        }
        if spec.lastEpoch == spec.training.epochs {
            metrics += try chanceRows(source, test)
        }
        let checkpoint = CheckpointFile.encoded(
            trainer.state, trainLoss: trainLoss, augment: spec.training.augment,
            untrained: untrained)
        return JobOutcome(
            metrics: metrics, artifacts: [try context.keep("checkpoint", checkpoint)])
    }

    private func targets(
        _ images: ImageSet, perturbedBy key: JobKey?, _ part: DataSet.Part
    ) throws -> TaskTargets {
        try data.targets(
            tasks, of: images, perturbedBy: key, part, spec.data, folder: context.dataFolder)
    }

    /// Goes on from the segment before, or measures what the untrained network is worth.
    ///
    /// - Returns: Of several tasks, each one's loss on clean images before training.
    private func begin(_ trainer: Trainer, _ source: RunImages) throws -> [Double]? {
        if let previous = spec.previous {
            let checkpoint = try CheckpointFile(path: try context.input(previous, "checkpoint"))
            try trainer.restore(checkpoint.state)
            return checkpoint.untrained
        }
        try context.begin(trainer, spec.training)
        guard tasks.isMulti else { return nil }
        let clean = try targets(source.train, perturbedBy: nil, .train)
        return try TaskEvaluation.results(
            trainer.executor, tasks, on: source.train, targets: clean,
            batch: Self.evaluationBatch
        ).map(\.loss.mean)
    }

    private func train(_ trainer: Trainer, epoch: Int) -> Double {
        let share = 1 / Double(spec.lastEpoch - spec.firstEpoch + 1)
        let done = Double(epoch - spec.firstEpoch) * share
        return trainer.trainEpoch { context.progress(done + $0 * share) }.mean
    }

    // MARK: Rows

    private func rows(
        _ trainer: Trainer, _ epoch: Int, _ trainLoss: Double, _ factors: [Double],
        _ test: ImageSet, _ targets: TaskTargets
    ) throws -> [MetricRow] {
        let sums = trainer.epochSum?.sums ?? []
        var rows = zip(tasks.kinds, sums).flatMap { kind, sum in
            [row(epoch, kind, "train", "loss", sum.mean)]
                + (kind == .cls ? [row(epoch, kind, "train", "accuracy", sum.accuracy)] : [])
        }
        if tasks.weighting.isLearned {
            rows += zip(tasks.kinds, factors).map { row(epoch, $0, "train", "weight", $1) }
        }
        // A network that is no longer made of numbers is not judged further.
        let results =
            trainLoss.isFinite
            ? try TaskEvaluation.results(
                trainer.executor, tasks, on: test, targets: targets, batch: Self.evaluationBatch)
            : []
        if results.isEmpty {
            rows += tasks.kinds.map { row(epoch, $0, "test", $0.mainMetric.name, nil) }
        }
        for result in results {
            rows.append(row(epoch, result.kind, "test", "loss", result.loss.mean))
            rows += result.metrics.map { row(epoch, result.kind, "test", $0.name, $0.value) }
        }
        return rows + jointRows(epoch, trainLoss, results)
    }

    /// The sum that is trained, as far as its weights are fixed.
    private func jointRows(
        _ epoch: Int, _ trainLoss: Double, _ results: [TaskResult]
    ) -> [MetricRow] {
        guard tasks.isMulti else { return [] }
        let sum =
            results.isEmpty
            ? nil : zip(tasks.baseWeights, results).reduce(0) { $0 + $1.0 * $1.1.loss.mean }
        return [("train", trainLoss), ("test", sum)].map { split, value in
            named(epoch, "joint", split, "loss", value)
        }
    }

    /// What looking at nothing comes to, and where responses were cut.
    private func chanceRows(_ source: RunImages, _ test: TaskTargets) throws -> [MetricRow] {
        let clean = try targets(source.train, perturbedBy: nil, .train)
        let epoch = spec.lastEpoch
        var rows = tasks.kinds.flatMap { kind in
            TaskEvaluation.chance(kind, fittedOn: clean, judgedOn: test)
                .filter { $0.name != "count" }
                .map { row(epoch, kind, "chance", $0.name, $0.value) }
        }
        if tasks.kinds.contains(.edge) {
            rows.append(row(epoch, .edge, "train", "clip", clean.clips.edge))
        }
        if tasks.kinds.contains(.kp2d) {
            rows.append(row(epoch, .kp2d, "train", "clip", clean.clips.keypoint))
        }
        return rows
    }

    private func row(
        _ epoch: Int, _ kind: TaskKind, _ split: String, _ name: String, _ value: Double?
    ) -> MetricRow {
        let task = tasks.isMulti ? kind.rawValue : tasks.trainingText
        return named(epoch, task, split, name, value)
    }

    private func named(
        _ epoch: Int, _ task: String, _ split: String, _ name: String, _ value: Double?
    ) -> MetricRow {
        guard let value else {
            return MetricRow(
                epoch: epoch, task: task, split: split, name: name, value: nil,
                flag: "nothing to count")
        }
        let isNumber = value.isFinite
        return MetricRow(
            epoch: epoch, task: task, split: split, name: name, value: isNumber ? value : nil,
            flag: isNumber ? nil : "diverged")
    }
}

extension TaskSettings {
    /// The tasks that a job's text names.
    static func of(_ text: String) throws -> TaskSettings {
        guard let settings = TaskSettings(text: text) else {
            throw RunnerError.unsupported(
                field: "task", value: text,
                known: TaskKind.allCases.map(\.rawValue).joined(separator: ", "))
        }
        return settings
    }
}
