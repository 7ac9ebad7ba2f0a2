import Foundation

/// A network that perturbations are crafted with: judges images that are no longer 8-bit, gives the
/// gradient of its loss with respect to them, and learns from them. A classifier, or a network for
/// one other task.
///
/// Images are `[channels, height, width]` in 0...1, one after the other. Belongs to one thread.
public final class SurrogateNetwork {
    public let network: Network
    /// Weights and running statistics.
    public let parameters: ParameterSet
    /// Passes of one image through the network so far; a gradient of images counts two, a step of
    /// training three.
    public var forwardPasses = 0.0
    /// What images' losses are told as shares of at tasks that have no accuracy.
    private(set) var untrainedLoss: Double?

    private let executor: Executor
    private let inputPlan: BackwardPlan
    private let trainingPlan: BackwardPlan
    private let trained: [Int]
    private let optimizer: Optimizer
    private let random: RandomStream
    private let shape: ImageShape
    /// Of a task other than classification.
    private let meter: ObjectiveMeter?

    /// - Parameters:
    ///   - settings: The optimizer's; the rate is told step by step.
    ///   - random: What weights start from, and what dropout draws from.
    ///   - objective: The task to learn; `nil`: classes at the first head.
    public init(
        network: Network, shape: ImageShape, settings: TrainingSettings = TrainingSettings(),
        random: RandomStream, objective: Objective? = nil
    ) {
        self.network = network
        self.shape = shape
        self.random = random
        parameters = ParameterSet(network: network, random: random.derived("weights"))
        executor = Executor(network: network, parameters: parameters)
        inputPlan = BackwardPlan(network, parameters: { _ in false }, image: true)
        trained = network.trainedParameters(of: Array(1..<network.nodes.count))
        trainingPlan = .training(network, trained)
        optimizer = Optimizer(settings: settings, parameters: parameters, trained: trained)
        meter = objective.map { ObjectiveMeter(objective: $0, network: network) }
    }

    /// Whether it tells classes.
    var isClassifier: Bool { meter == nil }

    private var classes: Int { network.shapes[network.heads[0].node].elements }

    // MARK: Judging

    /// The logits of each image in evaluation mode, `[images, classes]`.
    public func logits(_ images: [Float]) -> [Float] {
        forward(images, mode: .evaluation)
        return executor.prediction(0).values.values
    }

    /// The loss of each image, and whether it is classified rightly.
    public func judge(_ images: [Float], targets: CraftTargets) -> [CraftVerdict] {
        if let meter {
            forward(images, mode: .evaluation)
            return losses(meter, targets).map { CraftVerdict(loss: $0, isRight: false) }
        }
        let logits = logits(images)
        return targets.classes.enumerated().map { image, target in
            let own = logits[(image * classes)..<((image + 1) * classes)]
            let sums = CrossEntropyRow(own, target: Int(target))
            return CraftVerdict(loss: sums.loss, isRight: sums.isRight)
        }
    }

    private func losses(_ meter: ObjectiveMeter, _ targets: CraftTargets) -> [Double] {
        var losses: [Double] = []
        meter.imageLosses(executor, targets.items[...], into: &losses)
        return losses
    }

    /// Keeps what an untrained network is worth on clean images, where losses need a measure.
    func measureUntrained(on images: CraftImages, batch: Int) {
        guard !isClassifier else { return }
        let losses = images.batches(of: batch).flatMap { range in
            judge(images.clean(range), targets: images.targets(range)).map(\.loss)
        }
        untrainedLoss = losses.reduce(0, +) / Double(max(1, losses.count))
    }

    /// The share of images taken for something else; at tasks without an accuracy the loss, as a
    /// share of what it was before training.
    func error(_ verdicts: [CraftVerdict]) -> Double {
        let count = Double(max(1, verdicts.count))
        guard let untrainedLoss else {
            return Double(verdicts.count { !$0.isRight }) / count
        }
        return verdicts.reduce(0) { $0 + $1.loss } / count / max(untrainedLoss, 1e-12)
    }

    // MARK: Gradients

    /// The gradient of each image's own loss with respect to it, in evaluation mode, and the
    /// losses. No gradient of a weight is worked out.
    ///
    /// - Parameter isSignOnly: Whether only signs will be used. Each image's gradient of
    ///   cross-entropy is then scaled by a positive number of its own, so that those of
    ///   well-fitted images do not vanish in single precision. Gradients of other tasks are those
    ///   of the batch's mean.
    public func gradient(
        _ images: [Float], targets: CraftTargets, isSignOnly: Bool
    ) -> (values: [Float], losses: [Double]) {
        forward(images, mode: .evaluation)
        forwardPasses += Double(targets.count)
        executor.want(inputPlan)
        let losses: [Double]
        if let meter {
            losses = self.losses(meter, targets)
            _ = meter.losses(executor, targets.items[...], scale: { _ in 1 })
        } else {
            losses = writeSlopes(targets.classes, isSignOnly: isSignOnly)
        }
        executor.backward()
        let values = executor.imageGradient.map { unpacked($0, count: targets.count) } ?? []
        executor.endInputGradient()
        return (values, losses)
    }

    /// Puts the slopes of cross-entropies where the backward pass begins; answers the losses.
    private func writeSlopes(_ targets: [Int32], isSignOnly: Bool) -> [Double] {
        var losses: [Double] = []
        let logits = executor.prediction(0).values.values
        let slopes = executor.headGradient(0)
        for (image, target) in targets.enumerated() {
            let row = CrossEntropyRow(
                logits[(image * classes)..<((image + 1) * classes)], target: Int(target))
            losses.append(row.loss)
            for (index, slope) in row.slopes(isSignOnly: isSignOnly).enumerated() {
                slopes[image * classes + index] = slope
            }
        }
        return losses
    }

    // MARK: Learning

    /// How many steps were taken.
    public var steps: Int { optimizer.steps }

    /// One step of training in training mode.
    ///
    /// - Parameter normMax: What the norm of all gradients together is cut down to.
    /// - Returns: The batch's loss before the step.
    public func step(
        _ images: [Float], targets: CraftTargets, rate: Double, normMax: Double = .infinity
    ) -> LossSum {
        executor.stepRandom = random.derived("step", optimizer.steps)
        forward(images, mode: .training)
        forwardPasses += 2 * Double(targets.count)
        executor.want(trainingPlan)
        let sum =
            meter?.losses(executor, targets.items[...], scale: { _ in 1 }).total
            ?? Evaluator.loss(executor, labels: targets.classes, wantsGradient: true)
        executor.backward()
        if normMax.isFinite { clipGradients(to: normMax) }
        optimizer.step(executor, rate: rate)
        return sum
    }

    private func clipGradients(to normMax: Double) {
        let squares = trained.reduce(0.0) {
            $0 + Kernels.sumOfSquares(executor.parameterGradient($1))
        }
        let norm = squares.squareRoot()
        guard norm > normMax else { return }
        let factor = Float(normMax / (norm + 1e-6))
        for index in trained { Kernels.scale(executor.parameterGradient(index), by: factor) }
    }

    // MARK: State

    /// Parameters and the optimizer's memory.
    public var state: TrainingState {
        TrainingState(
            epoch: 0, optimizerSteps: optimizer.steps,
            arrays: parameters.named + optimizer.state(parameters))
    }

    /// Goes on from a state of this or an equal network.
    public func restore(_ state: TrainingState) throws(TrainingState.Failure) {
        try parameters.fill(from: state)
        let lookup = state.lookup
        let missing = optimizer.restore(
            steps: state.optimizerSteps, parameters: parameters, { lookup[$0] })
        if let missing { throw TrainingState.Failure(missing: missing) }
    }

    /// Puts weights, momenta and counts of passes into a crafting's state.
    func keep(in craft: inout CraftState) {
        let own = state
        craft.numbers["optimizerSteps"] = Double(own.optimizerSteps)
        craft.numbers["forwardPasses"] = forwardPasses
        craft.numbers["untrainedLoss"] = untrainedLoss
        craft.arrays += own.arrays
    }

    /// Takes them back.
    func restore(_ craft: CraftState, method: String) throws(MethodError) {
        do throws(TrainingState.Failure) {
            try restore(
                TrainingState(
                    epoch: 0, optimizerSteps: Int(craft.number("optimizerSteps")),
                    arrays: craft.arrays))
        } catch {
            throw .unsuited(method: method, reason: "it cannot be gone on with: \(error)")
        }
        forwardPasses = craft.number("forwardPasses")
        untrainedLoss = craft.numbers["untrainedLoss"]
    }

    // MARK: Layout

    private func forward(_ images: [Float], mode: ExecutionMode) {
        precondition(
            images.count.isMultiple(of: shape.elements) && !images.isEmpty,
            "\(images.count) numbers are no images of \(shape.elements)")
        let count = images.count / shape.elements
        executor.prepare(batch: count)
        pack(images, count: count)
        executor.forward(mode: mode)
        forwardPasses += Double(count)
    }

    /// Image after image becomes channel after channel.
    private func pack(_ images: [Float], count: Int) {
        let plane = shape.positions
        let target = executor.image
        images.withUnsafeBufferPointer { source in
            Kernels.transposePlanes(
                source, rows: count, columns: shape.channels, plane: plane, into: target)
        }
    }

    private func unpacked(_ tensor: Tensor, count: Int) -> [Float] {
        Kernels.transposedPlanes(
            tensor, rows: shape.channels, columns: count, plane: shape.positions)
    }
}

/// One image's cross-entropy, in double precision from its logits.
private struct CrossEntropyRow {
    let loss: Double
    let isRight: Bool
    private let shares: [Double]
    private let target: Int

    init(_ logits: ArraySlice<Float>, target: Int) {
        let largest = Double(logits.max() ?? 0)
        let weights = logits.map { exp(Double($0) - largest) }
        let total = weights.reduce(0, +)
        shares = weights.map { $0 / total }
        loss = log(total) + largest - Double(logits[logits.startIndex + target])
        // The lowest of equal logits counts, as everywhere.
        isRight = logits.firstIndex(of: logits.max() ?? 0) == logits.startIndex + target
        self.target = target
    }

    /// Softmax minus one-hot. The target's is the sum of the others, so that it is exact where
    /// its share is nearly one.
    func slopes(isSignOnly: Bool) -> [Float] {
        let others = shares.enumerated().reduce(0.0) {
            $1.offset == target ? $0 : $0 + $1.element
        }
        let scale = isSignOnly && others > 0 ? 1 / others : 1
        return shares.enumerated().map { index, share in
            Float(index == target ? -others * scale : share * scale)
        }
    }
}
