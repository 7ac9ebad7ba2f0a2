/// What an epoch of training came to.
public struct EpochReport: Sendable, Hashable {
    /// Counted from 1.
    public var epoch: Int
    /// Over the epoch's batches as they went, in training mode.
    public var train: LossSum
    /// On the test images after the epoch, in evaluation mode.
    public var test: LossSum

    public init(epoch: Int, train: LossSum, test: LossSum) {
        self.epoch = epoch
        self.train = train
        self.test = test
    }

    /// Whether the network's numbers still are numbers.
    public var isFinite: Bool { train.loss.isFinite && test.loss.isFinite }
}

/// Trains a network under an objective, an epoch at a time; what epoch `e` does depends on the settings, the seed
/// and the state after epoch `e - 1`, and on nothing else.
public final class Trainer {
    public let executor: Executor
    private let settings: TrainingSettings
    private let random: RandomStream
    private let optimizer: Optimizer
    private let schedule: RateSchedule
    private let stepsPerEpoch: Int
    /// Steps of the epoch at hand that are done.
    private var stepsOfEpoch = 0
    private let plan: BackwardPlan
    private let images: ImageSet
    private let meter: ObjectiveMeter
    private var ascent: SharpnessAscent?
    private let guardian: (any BatchGuard)?
    private var weighting: LossWeighting?
    /// What the tasks' losses are multiplied by in this step; `nil`: nothing.
    private var factors: [Float]?
    /// The batch at hand; its memory is used again by the next.
    private var items: [BatchItem] = []
    /// The last epoch's losses, task by task.
    public private(set) var epochSum: ObjectiveSum?
    /// Epochs finished.
    public private(set) var epoch = 0

    /// - Parameters:
    ///   - random: The run's stream; weights, shuffles, augmentation and dropout derive from it.
    ///   - objective: The losses to lower; `nil`: the cross-entropy of the images' classes at the
    ///     first head. What no loss depends on is not trained.
    ///   - weighting: Of the objective's terms beside their own weights, where that changes.
    ///   - defense: What is done to every batch.
    public init(
        network: Network, settings: TrainingSettings, images: ImageSet, random: RandomStream,
        objective: Objective? = nil, weighting: LossWeighting? = nil,
        defense: TrainingDefense? = nil
    ) {
        self.weighting = weighting
        self.settings = settings
        self.random = random
        self.images = images
        let parameters = ParameterSet(network: network, random: random.derived("weights"))
        executor = Executor(network: network, parameters: parameters)
        meter = ObjectiveMeter(
            objective: objective ?? Objective(classesOf: images, network: network),
            network: network)
        let isFrozen = settings.start?.frozen ?? false
        let shared = isFrozen ? network.sharedParameters : []
        let trained = network.trainedParameters(of: meter.nodes).filter { !shared.contains($0) }
        if isFrozen { executor.frozen = network.nodes.indices.map(network.isShared) }
        optimizer = Optimizer(settings: settings, parameters: parameters, trained: trained)
        let steps = (images.count + settings.batch - 1) / settings.batch
        stepsPerEpoch = max(1, steps)
        schedule = RateSchedule(settings: settings, stepsPerEpoch: stepsPerEpoch)
        plan = .training(network, trained)
        guardian = defense?.guarding(meter.objective)
        executor.want(plan)
        if settings.optimizer == .sam {
            ascent = SharpnessAscent(
                parameters: parameters, trained: trained, radius: settings.samRadius)
        }
    }

    public var parameters: ParameterSet { executor.parameters }

    /// What each task's loss is multiplied by now, beside its own weight; empty without weighting.
    public var lossFactors: [Double] { weighting?.factors ?? [] }

    /// Trains the next epoch; `progress` hears the share of it done.
    public func trainEpoch(progress: (Double) -> Void = { _ in }) -> LossSum {
        let order = EpochDraws.order(epoch: epoch, count: images.count, random: random)
        let sum = trainEpoch(order: order, progress: progress)
        return sum
    }

    /// Trains the next epoch on the images in the order given.
    public func trainEpoch(
        order: [Int], progress: (Double) -> Void = { _ in }
    ) -> LossSum {
        var sum = ObjectiveSum(meter.objective)
        executor.want(plan)
        for start in stride(from: 0, to: order.count, by: settings.batch) {
            let chosen = order[start..<min(start + settings.batch, order.count)]
            let batchSum = advance(chosen)
            sum += batchSum
            progress(Double(start + chosen.count) / Double(order.count))
            // Going on with what is not a number cannot help, and may be slow.
            guard batchSum.isFinite else { break }
        }
        epoch += 1
        stepsOfEpoch = 0
        epochSum = sum
        weighting?.endEpoch(losses: sum.sums.map(\.mean))
        return sum.total
    }

    /// One optimizer step on the images chosen; answers the loss before it.
    public func step(_ chosen: ArraySlice<Int>) -> LossSum { advance(chosen).total }

    private func advance(_ chosen: ArraySlice<Int>) -> ObjectiveSum {
        let step = optimizer.steps
        load(chosen, step: step)
        factors = weighting.map { $0.factors.map { Float($0) } }
        let sum = gradients()
        if let ascent {
            ascent.climb(executor)
            _ = gradients()
            ascent.descend(executor)
        }
        // Epochs of other phases may have had other numbers of steps.
        let rate = schedule.rate(
            step: settings.phases == nil ? step : epoch * stepsPerEpoch + stepsOfEpoch)
        stepsOfEpoch += 1
        optimizer.step(executor, rate: rate)
        weighting?.step(
            losses: sum.sums.map(\.mean), rate: Double(rate), number: optimizer.steps,
            settings: settings)
        return sum
    }

    /// Puts a batch before the network, as the defense has it.
    private func load(_ chosen: ArraySlice<Int>, step: Int) {
        executor.stepRandom = random.derived("step", step)
        executor.prepare(batch: chosen.count)
        BatchLoader.place(
            chosen, of: images, augment: settings.augment,
            random: random.derived("augment", epoch), in: &items)
        let isPlaced = !(guardian?.placesImages ?? false)
        BatchLoader.load(images, items[...], into: executor, placed: isPlaced)
        guardian?.apply(
            to: TrainingBatch(
                executor: executor, meter: meter, shape: images.shape, plan: plan,
                augment: settings.augment, epoch: epoch, step: step,
                random: random.derived("defense")), items: &items)
    }

    /// What the network would be shown of the images chosen if they were the next batch; nothing
    /// is trained.
    public func view(_ chosen: ArraySlice<Int>) -> BatchView {
        load(chosen, step: optimizer.steps)
        executor.want(plan)
        return BatchView(
            executor: executor, shape: images.shape, items: items,
            drawLosses: guardian?.drawLosses ?? [])
    }

    private func gradients() -> ObjectiveSum {
        executor.forward(fusing: meter.nodes, mode: .training)
        let sum = meter.losses(executor, items[...], scale: { factors?[$0] ?? 1 })
        executor.backward()
        return sum
    }

    // MARK: State

    /// What must be kept to go on with the same bits: parameters and optimizer.
    public var state: TrainingState {
        TrainingState(
            epoch: epoch, optimizerSteps: optimizer.steps,
            arrays: parameters.named + optimizer.state(parameters) + (weighting?.arrays ?? []))
    }

    /// Goes on from a state, as if this trainer had come to it itself.
    public func restore(_ state: TrainingState) throws(TrainingState.Failure) {
        try parameters.fill(from: state)
        let lookup = state.lookup
        let missing = optimizer.restore(
            steps: state.optimizerSteps, parameters: parameters, { lookup[$0] })
        if let missing { throw TrainingState.Failure(missing: missing) }
        weighting?.restore(lookup)
        epoch = state.epoch
        stepsOfEpoch = 0
    }

    /// Starts from weights made elsewhere, as the settings' `start` says.
    ///
    /// - Parameter checkpoint: What `start.checkpoint` names.
    public func begin(with checkpoint: ImportedCheckpoint) throws(ImportError) {
        guard let start = settings.start else { return }
        try checkpoint.fill(parameters, of: executor.network, part: start.part)
    }
}

/// A network's parameters and its optimizer's memory after an epoch.
public struct TrainingState: Sendable {
    public var epoch: Int
    public var optimizerSteps: Int
    /// Named arrays: parameters under their PyTorch names, moments under `optimizer.`.
    public var arrays: [(name: String, shape: [Int], values: [Float])]

    public init(
        epoch: Int, optimizerSteps: Int, arrays: [(name: String, shape: [Int], values: [Float])]
    ) {
        self.epoch = epoch
        self.optimizerSteps = optimizerSteps
        self.arrays = arrays
    }

    var lookup: [String: [Float]] {
        Dictionary(arrays.map { ($0.name, $0.values) }, uniquingKeysWith: { first, _ in first })
    }

    /// An array that a checkpoint should hold and does not, or holds in another shape.
    public struct Failure: Error, CustomStringConvertible {
        public let missing: String

        public var description: String {
            "the checkpoint does not hold \(missing) in the shape this network has; "
                + "it belongs to another model, width or class count"
        }
    }
}

extension ParameterSet {
    /// Takes every parameter and running statistic from a state.
    public func fill(from state: TrainingState) throws(TrainingState.Failure) {
        let lookup = state.lookup
        for (spec, tensor) in zip(specs, tensors) {
            guard let values = lookup[spec.name], values.count == tensor.count else {
                throw TrainingState.Failure(missing: spec.name)
            }
            tensor.copy(from: values)
        }
    }
}

/// The ascent step of sharpness-aware minimisation (Foret et al., 2021): to the worst point of a
/// ball around the weights, and back.
private final class SharpnessAscent {
    private let radius: Double
    private let trained: [Int]
    private let kept: [Tensor]

    init(parameters: ParameterSet, trained: [Int], radius: Double) {
        self.radius = radius
        self.trained = trained
        kept = trained.map { Tensor(zeros: parameters.specs[$0].count) }
    }

    func climb(_ executor: Executor) {
        let squares = trained.reduce(0.0) {
            $0 + Kernels.sumOfSquares(executor.parameterGradient($1))
        }
        let scale = Float(radius / (squares.squareRoot() + 1e-12))
        for (index, copy) in zip(trained, kept) {
            let tensor = executor.parameters.tensors[index]
            copy.copy(from: tensor)
            Kernels.accumulate(scale, executor.parameterGradient(index), onto: tensor)
        }
    }

    func descend(_ executor: Executor) {
        for (index, copy) in zip(trained, kept) {
            executor.parameters.tensors[index].copy(from: copy)
        }
    }
}
