/// Walks one layer's weights down and up the loss within their ball.
struct SALWalker {
    enum Direction: Float {
        /// Down the loss.
        case down = 1
        /// Up the loss.
        case up = -1
    }

    private let engine: SALEngine
    private let part: MovingPart
    private let settings: SALSettings
    /// The weights that move: a view of the network's own.
    private let weights: Tensor
    private let start: Tensor
    private let gradient: Tensor
    private let norm: Double
    private let work: WorkMeter

    init(engine: SALEngine, part: MovingPart, filter: Int?) {
        self.engine = engine
        self.part = part
        settings = engine.settings
        let whole = engine.executor.parameters.tensors[part.layer.parameter]
        let wholeGradient = engine.executor.parameterGradient(part.layer.parameter)
        if let filter {
            let size = whole.count / engine.executor.parameters.specs[part.layer.parameter].shape[0]
            weights = whole.dropping(filter * size).prefix(size)
            gradient = wholeGradient.dropping(filter * size).prefix(size)
        } else {
            weights = whole
            gradient = wholeGradient
        }
        start = Tensor(zeros: weights.count)
        start.copy(from: weights)
        norm = Kernels.sumOfSquares(start).squareRoot()
        work = WorkMeter(engine: engine, part: part)
    }

    /// Both walks, and what they say.
    func measurement(origin: ObjectiveSum, originLoss: Double) -> SALMeasurement {
        guard norm > 0, norm.isFinite, origin.isFinite else {
            // Nothing that is not a number leaves here; the flag says why all is zero.
            let isDegenerate = norm == 0 && origin.isFinite
            return verdict(
                SALWalk(), SALWalk(), isDegenerate ? origin.accuracy : 0,
                isDegenerate ? originLoss : 0, flag: isDegenerate ? "degenerate" : "diverged")
        }
        guard !part.nodes.isEmpty else {
            // The loss does not depend on this layer: it is constant over the whole ball.
            return verdict(SALWalk(), SALWalk(), origin.accuracy, originLoss, flag: nil)
        }
        engine.executor.want(part.plan)
        let walks: (down: SALWalk, up: SALWalk)
        switch settings.solver {
        case .reference: walks = referenceWalks(originLoss: originLoss)
        case .normalized: walks = normalizedWalks()
        }
        weights.copy(from: start)
        let flag = walks.down.diverged || walks.up.diverged ? "diverged" : nil
        return verdict(walks.down, walks.up, origin.accuracy, originLoss, flag: flag)
    }

    private func verdict(
        _ down: SALWalk, _ up: SALWalk, _ accuracy: Double, _ originLoss: Double, flag: String?
    ) -> SALMeasurement {
        SALMeasurement(
            layer: part.layer.name, weightCount: weights.count,
            weightNorm: norm.isFinite ? norm : 0, originLoss: originLoss,
            originAccuracy: accuracy, down: down, up: up, flag: flag,
            forwardEquivalents: work.forwardEquivalents)
    }

    // MARK: The paper's loop

    /// Plain SGD over the batches, projected onto the ball once a pass and judged there.
    private func referenceWalks(originLoss: Double) -> (down: SALWalk, up: SALWalk) {
        // The first batch's gradient at the checkpoint serves both walks.
        forward(0)
        _ = backward(0)
        let firstGradient = Tensor(zeros: gradient.count)
        firstGradient.copy(from: gradient)
        let down = referenceWalk(.down, firstGradient, originLoss)
        weights.copy(from: start)
        return (down, referenceWalk(.up, firstGradient, originLoss))
    }

    private func referenceWalk(
        _ direction: Direction, _ firstGradient: Tensor, _ originLoss: Double
    ) -> SALWalk {
        var walk = SALWalk(roomFor: settings.passes)
        var settling = Settling(threshold: settings.settle, origin: originLoss)
        let step = -direction.rawValue * Float(settings.rate)
        for pass in 0..<settings.passes {
            for number in 0..<(settings.stepsPerPass ?? engine.batchCount) {
                let batch = number % engine.batchCount
                if number > 0 {
                    forward(batch)
                    guard backward(batch) else { return ended(walk) }
                } else if pass > 0 {
                    // The evaluation before left the first batch's forward pass at these weights.
                    guard backward(0) else { return ended(walk) }
                }
                let along = pass == 0 && number == 0 ? firstGradient : gradient
                Kernels.accumulate(step, along, onto: weights)
            }
            guard judge(&walk, radius: project()) else { return ended(walk) }
            if settling.isSettled(walk.losses.last ?? originLoss) { break }
        }
        return walk
    }

    // MARK: Projected steps of fixed length

    /// Steps along the whole set's gradient, the first to the ball's edge, then shorter ones.
    private func normalizedWalks() -> (down: SALWalk, up: SALWalk) {
        let total = Tensor(zeros: gradient.count)
        let firstGradient = Tensor(zeros: gradient.count)
        _ = wholeGradient(into: firstGradient)
        let down = normalizedWalk(.down, firstGradient, total)
        weights.copy(from: start)
        return (down, normalizedWalk(.up, firstGradient, total))
    }

    private func normalizedWalk(
        _ direction: Direction, _ firstGradient: Tensor, _ total: Tensor
    ) -> SALWalk {
        var walk = SALWalk(roomFor: settings.steps)
        var radius = 0.0
        for step in 0..<settings.steps {
            var along = firstGradient
            if step > 0 {
                // The gradient pass at these weights also tells the loss there.
                let sum = wholeGradient(into: total)
                guard note(sum, radius: radius, in: &walk) else { return ended(walk) }
                along = total
            }
            let length = Kernels.sumOfSquares(along).squareRoot()
            guard length.isFinite else { return ended(walk) }
            guard length > 0 else { return walk }
            let share = step == 0 ? 1 : settings.laterSteps ?? 0.5
            let factor = share * settings.radius * norm / length
            Kernels.accumulate(-direction.rawValue * Float(factor), along, onto: weights)
            radius = project()
        }
        guard judge(&walk, radius: radius) else { return ended(walk) }
        return walk
    }

    /// Sums the gradient of every image's loss at the weights as they are.
    private func wholeGradient(into total: Tensor) -> ObjectiveSum {
        Kernels.clear(total)
        var sum = engine.noLoss
        for batch in 0..<engine.batchCount {
            forward(batch)
            sum += engine.loss(batch, part, gradient: .sum)
            engine.executor.backward()
            work.countBackward(batch)
            Kernels.accumulate(gradient, onto: total)
        }
        return sum
    }

    // MARK: Steps common to both

    private func forward(_ batch: Int) {
        engine.forward(batch, part)
        work.countForward(batch)
    }

    /// Answers whether the loss at hand was finite.
    private func backward(_ batch: Int) -> Bool {
        let sum = engine.loss(batch, part, gradient: .mean)
        engine.executor.backward()
        work.countBackward(batch)
        return sum.isFinite
    }

    /// Brings the weights back onto the ball if they left it; answers how far they are from the
    /// start now, relative to its norm.
    private func project() -> Double {
        let ratio = Kernels.squaredDistance(weights, start).squareRoot() / norm
        guard ratio > settings.radius else { return ratio }
        // V = W + (V - W) * radius / ratio, in place.
        let keep = Float(settings.radius / ratio)
        Kernels.scale(weights, by: keep)
        Kernels.accumulate(1 - keep, start, onto: weights)
        return settings.radius
    }

    /// Evaluates at the weights as they are; the first batch comes last, so that its forward pass
    /// is there for the next step. Answers whether the walk may go on.
    private func judge(_ walk: inout SALWalk, radius: Double) -> Bool {
        let sum = engine.losses { batch in
            forward(batch)
            return engine.loss(batch, part, gradient: nil)
        }
        return note(sum, radius: radius, in: &walk)
    }

    private func note(_ sum: ObjectiveSum, radius: Double, in walk: inout SALWalk) -> Bool {
        guard sum.isFinite else { return false }
        walk.losses.append(sum.mean)
        walk.accuracies.append(sum.accuracy)
        walk.radii.append(radius)
        if walk.reachedAt == nil, radius >= settings.radius * (1 - 1e-6) {
            walk.reachedAt = walk.losses.count
        }
        return true
    }

    private func ended(_ walk: SALWalk) -> SALWalk {
        var walk = walk
        walk.diverged = true
        return walk
    }
}

extension SALWalk {
    /// Takes the memory of all its numbers at once, so that no step has to.
    fileprivate init(roomFor count: Int) {
        self.init()
        losses.reserveCapacity(count)
        accuracies.reserveCapacity(count)
        radii.reserveCapacity(count)
    }
}

/// Tells when two passes in a row moved a walk's extreme by less than a threshold.
private struct Settling {
    let threshold: Double?
    private var extreme: Double
    private var quietPasses = 0
    private let origin: Double

    init(threshold: Double?, origin: Double) {
        self.threshold = threshold
        self.origin = origin
        extreme = origin
    }

    mutating func isSettled(_ loss: Double) -> Bool {
        guard let threshold else { return false }
        let moved = max(abs(loss - origin) - abs(extreme - origin), 0)
        if abs(loss - origin) > abs(extreme - origin) { extreme = loss }
        quietPasses = moved < threshold ? quietPasses + 1 : 0
        return quietPasses >= 2
    }
}

/// Counts multiply-adds spent on a walk, in forward passes of the whole network over all images.
private final class WorkMeter {
    private let engine: SALEngine
    private let forwardCost: Double
    private let backwardCost: Double
    private var spent = 0.0

    init(engine: SALEngine, part: MovingPart) {
        self.engine = engine
        let costs = engine.network.multiplyAdds
        let total = Double(max(1, costs.reduce(0, +)))
        forwardCost = Double(part.nodes.reduce(0) { $0 + costs[$1] }) / total
        // The layer's weight gradient, and the input gradient of every layer above it.
        backwardCost = forwardCost
    }

    func countForward(_ batch: Int) {
        spent += forwardCost * Double(engine.imageCount(batch))
    }

    func countBackward(_ batch: Int) {
        spent += backwardCost * Double(engine.imageCount(batch))
    }

    var forwardEquivalents: Double { spent / Double(engine.imageCount) }
}
