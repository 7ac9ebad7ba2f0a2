/// Evaluates the loss at points of a plane through a network's weights.
///
/// Every point is computed from the same weights in the same batches, so that it does not depend on
/// which others are computed before it or elsewhere.
public final class LandscapeEngine {
    private let executor: Executor
    private let plane: LossPlane
    private let settings: LandscapeSettings
    private let images: ImageSet
    private let objective: Objective
    private let base: [Tensor]
    private let epoch: Int

    /// - Parameters:
    ///   - parameters: The checkpoint at x = y = 0; moved at every point, and put back.
    ///   - images: What the loss is evaluated on, in evaluation mode and in their order.
    ///   - objective: The loss; `nil`: the cross-entropy of the images' classes at the first head.
    ///   - epoch: After which the checkpoint was taken.
    public init(
        network: Network, parameters: ParameterSet, plane: LossPlane, images: ImageSet,
        settings: LandscapeSettings, objective: Objective? = nil, epoch: Int
    ) {
        executor = Executor(network: network, parameters: parameters)
        self.plane = plane
        self.settings = settings
        self.images = images
        self.objective = objective ?? Objective(classesOf: images, network: network)
        self.epoch = epoch
        base = parameters.tensors.map { tensor in
            let copy = Tensor(zeros: tensor.count)
            copy.copy(from: tensor)
            return copy
        }
    }

    /// What is true of the plane as a whole, and the loss at its checkpoint.
    public private(set) lazy var report: PlaneReport = {
        let (loss, accuracy, _) = evaluated()
        let lengths = plane.lengths
        return PlaneReport(
            plane: settings.plane, epoch: epoch, loss: loss, accuracy: accuracy,
            lengthX: lengths.x, lengthY: lengths.y, explainedX: plane.explained?.x,
            explainedY: plane.explained?.y, steps: plane.steps)
    }()

    /// The given points, in order; `progress` hears how many are done.
    public func points(
        _ entries: Range<Int>, progress: (Int) -> Void = { _ in }
    ) -> [LandscapePoint] {
        defer { move(toX: 0, y: 0) }
        return entries.map { entry in
            let (x, y) = plane.place(of: entry)
            move(toX: x, y: y)
            let (loss, accuracy, flag) = evaluated()
            progress(entry - entries.lowerBound + 1)
            return LandscapePoint(
                entry: entry, x: x, y: y, loss: loss, accuracy: accuracy, flag: flag)
        }
    }

    private func evaluated() -> (loss: Double?, accuracy: Double?, flag: String?) {
        let sum = Evaluator.evaluate(
            executor, under: objective, on: images, batch: settings.batch)
        let loss = sum.total.mean
        guard loss.isFinite else { return (nil, nil, "diverged") }
        return (loss, objective.accuracyTerm == nil ? nil : sum.total.accuracy, nil)
    }

    /// At x = y = 0 the weights are the checkpoint's, bit for bit.
    private func move(toX x: Double, y: Double) {
        for (index, tensor) in executor.parameters.tensors.enumerated() {
            let (axisX, axisY) = (plane.axisX[index], plane.axisY[index])
            guard axisX != nil || axisY != nil else { continue }
            tensor.copy(from: base[index])
            if let axisX, x != 0 { Kernels.accumulate(Float(x), axisX, onto: tensor) }
            if let axisY, y != 0 { Kernels.accumulate(Float(y), axisY, onto: tensor) }
        }
    }
}
