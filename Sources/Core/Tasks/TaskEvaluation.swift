/// What a network was worth at one task.
public struct TaskResult: Sendable {
    public let kind: TaskKind
    /// The task's loss over all images.
    public let loss: LossSum
    /// The main metric first.
    public let metrics: [TaskMetric]
}

/// Judges networks at several tasks at once.
public enum TaskEvaluation {
    /// Losses and metrics over all images, in order, in evaluation mode.
    ///
    /// - Parameters:
    ///   - settings: The tasks, each with a head of its name.
    ///   - targets: Of the images, in their order.
    public static func results(
        _ executor: Executor, _ settings: TaskSettings, on images: ImageSet, targets: TaskTargets,
        batch: Int
    ) throws(Objective.Failure) -> [TaskResult] {
        let wanted = settings.kinds.map { targets.target(of: $0) }
        let terms = zip(settings.kinds, wanted).map {
            Objective.Term(task: $0.rawValue, target: $1)
        }
        let objective = try Objective(network: executor.network, images: images, terms: terms)
        let meter = ObjectiveMeter(objective: objective, network: executor.network)
        var scores = settings.kinds.indices.map { index in
            score(settings.kinds[index], wanted[index], executor, head: objective.heads[index])
        }
        var sum = ObjectiveSum(objective)
        for start in stride(from: 0, to: images.count, by: batch) {
            let range = start..<min(start + batch, images.count)
            let items = range.map { BatchItem(image: $0) }
            executor.prepare(batch: items.count)
            BatchLoader.load(images, items[...], into: executor)
            executor.forward(fusing: meter.nodes)
            sum += meter.losses(executor, items[...], scale: { _ in nil })
            for index in scores.indices {
                let prediction = executor.prediction(objective.heads[index]).values
                scores[index].add(prediction.values, of: range)
            }
        }
        return settings.kinds.indices.map {
            TaskResult(
                kind: settings.kinds[$0], loss: sum[$0], metrics: scores[$0].metrics)
        }
    }

    private static func score(
        _ kind: TaskKind, _ target: Objective.Target, _ executor: Executor, head: Int
    ) -> TaskScore {
        let shape = executor.network.shapes[executor.network.heads[head].node]
        guard case .image(let channels, let height, let width) = shape else {
            return TaskScore(kind, target: target, channels: shape.elements, plane: 1)
        }
        return TaskScore(kind, target: target, channels: channels, plane: height * width)
    }

    /// What the best predictor that looks at nothing comes to: fitted on training targets, judged
    /// on others.
    public static func chance(
        _ kind: TaskKind, fittedOn train: TaskTargets, judgedOn test: TaskTargets
    ) -> [TaskMetric] {
        let images = test.images
        let head = kind.head(
            channels: images.channels, classes: images.classCount,
            pixelClasses: images.pixelClassCount)
        var (channels, plane) = (images.classCount, 1)
        if case .dense(_, let count) = head.kind {
            (channels, plane) = (count, images.height * images.width)
        }
        let predictor = ChancePredictor(
            kind, target: train.target(of: kind), channels: channels, plane: plane)
        var score = TaskScore(
            kind, target: test.target(of: kind), channels: channels, plane: plane)
        for start in stride(from: 0, to: images.count, by: 250) {
            let range = start..<min(start + 250, images.count)
            score.add(predictor.prediction(count: range.count), of: range)
        }
        return score.metrics
    }
}

extension TaskSettings {
    /// What is trained: each task's loss at its own head.
    public func objective(
        network: Network, images: ImageSet, targets: TaskTargets
    ) throws(Objective.Failure) -> Objective {
        try objective(network: network, images: images, targets: targets, weights: baseWeights)
    }

    /// What SAL is measured of.
    ///
    /// - Parameters:
    ///   - factors: What each loss of a joint sum is multiplied by, beside its fixed weight.
    ///   - untrained: Each task's loss before training, which `balanced` divides by.
    public func measuredObjective(
        network: Network, images: ImageSet, targets: TaskTargets, factors: [Double]?,
        untrained: [Double]?
    ) throws(Objective.Failure) -> Objective {
        if case .task(let kind) = measured {
            let term = Objective.Term(task: kind.rawValue, target: targets.target(of: kind))
            return try Objective(network: network, images: images, terms: [term])
        }
        var weights = baseWeights
        for index in weights.indices {
            weights[index] *= factors?[index] ?? 1
            guard measured == .balanced, let untrained else { continue }
            weights[index] /= max(untrained[index], 1e-12)
        }
        return try objective(network: network, images: images, targets: targets, weights: weights)
    }

    private func objective(
        network: Network, images: ImageSet, targets: TaskTargets, weights: [Double]
    ) throws(Objective.Failure) -> Objective {
        let terms = zip(kinds, weights).map { kind, weight in
            Objective.Term(task: kind.rawValue, target: targets.target(of: kind), weight: weight)
        }
        return try Objective(network: network, images: images, terms: terms)
    }
}
