/// Moves perturbations along the sign of a network's gradient, inside an epsilon ball and the range
/// of pixels: projected gradient descent (Madry et al., 2018), as most methods use it.
public struct InputAttack: Hashable, Sendable {
    public enum Direction: Sendable {
        /// Lowers the loss.
        case descend
        /// Raises it.
        case ascend
    }

    public var steps: Int
    /// How far a pixel moves in a step.
    public var stepSize: Float
    public var epsilon: Float
    public var direction: Direction

    /// Takes every part as given.
    public init(steps: Int, stepSize: Float, epsilon: Float, direction: Direction) {
        self.steps = steps
        self.stepSize = stepSize
        self.epsilon = epsilon
        self.direction = direction
    }

    /// Moves `delta` in place.
    ///
    /// - Parameters:
    ///   - images: Clean images in 0...1, one after the other.
    ///   - targets: Whose loss is lowered or raised.
    ///   - shifts: How the network sees each image in each step; `nil`: as it is. By whole pixels
    ///     where targets move with images.
    /// - Returns: The mean loss before each step.
    @discardableResult
    public func run(
        _ network: SurrogateNetwork, images: [Float], targets: CraftTargets, delta: inout [Float],
        shape: ImageShape, shifts: ((_ step: Int) -> [ImageShift])? = nil
    ) -> [Double] {
        var losses: [Double] = []
        for step in 0..<steps {
            let view = shifts.map { ShiftedBatch(shifts: $0(step), shape: shape) }
            let moved = zip(images, delta).map { $0 + $1 }
            let gradient = network.gradient(
                view?.shifted(moved) ?? moved,
                targets: view.map { targets.placed($0.shifts) } ?? targets, isSignOnly: true)
            losses.append(gradient.losses.reduce(0, +) / Double(targets.count))
            let pulled = view?.pulledBack(gradient.values) ?? gradient.values
            advance(&delta, along: pulled, images: images)
        }
        return losses
    }

    /// One step along the sign of a gradient, then into the ball, then into the range of pixels.
    /// The sign of 0 is 0.
    public func advance(_ delta: inout [Float], along gradient: [Float], images: [Float]) {
        advanceInBall(&delta, along: gradient)
        for at in delta.indices {
            delta[at] = min(max(images[at] + delta[at], 0), 1) - images[at]
        }
    }

    /// The same without regard to the range of pixels.
    func advanceInBall(_ delta: inout [Float], along gradient: [Float]) {
        let length = direction == .ascend ? stepSize : -stepSize
        for at in delta.indices {
            let slope = gradient[at]
            let sign: Float = slope > 0 ? 1 : slope < 0 ? -1 : 0
            delta[at] = min(max(delta[at] + length * sign, -epsilon), epsilon)
        }
    }
}

/// Shifts for every image of a batch.
struct ShiftedBatch {
    let shifts: [ImageShift]
    let shape: ImageShape

    func shifted(_ images: [Float]) -> [Float] {
        var result = [Float](repeating: 0, count: images.count)
        for (place, shift) in shifts.enumerated() {
            shift.add(images[range(place)], shape: shape, to: &result, at: place * shape.elements)
        }
        return result
    }

    func pulledBack(_ gradient: [Float]) -> [Float] {
        var result = [Float](repeating: 0, count: gradient.count)
        for (place, shift) in shifts.enumerated() {
            shift.addAdjoint(
                gradient[range(place)], shape: shape, to: &result, at: place * shape.elements)
        }
        return result
    }

    private func range(_ place: Int) -> Range<Int> {
        (place * shape.elements)..<((place + 1) * shape.elements)
    }
}
