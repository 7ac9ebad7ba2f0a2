/// Asks whether a linear classifier can read keys from perturbations alone.
///
/// Multinomial logistic regression with a bias on the flattened perturbations, scaled by one
/// number, trained by at most `stepsMax` full-batch momentum steps on 80 % of a sample and judged
/// on the rest. With many pixels and few images training accuracy is high for pure noise, so
/// held-out accuracy is the one that says something. Weights started at zero stay sums of the
/// perturbations; the steps are therefore done on the coefficients of these sums, which needs the
/// inner products of perturbations only, and costs the same for images of any size.
public struct LinearProbe: Sendable {
    /// What a probe came to.
    public struct Result: Hashable, Sendable {
        /// Share of training perturbations whose key is read correctly.
        public var train: Double
        /// The same of perturbations that were held out; 0 when there are none.
        public var heldOut: Double
        /// How many perturbations were held out.
        public var heldOutCount: Int
        /// How many different keys there are.
        public var keyCount: Int
        /// The share of the most frequent key, which is what the best guess would reach.
        public var largestKeyShare: Double
    }

    /// Most perturbations that are looked at.
    public var samplesMax: Int
    /// Most steps of training.
    public var stepsMax: Int
    private static let momentum: Float = 0.9
    /// Mean loss, in nats, at which all is said.
    private static let lossEnough = 1e-3

    /// A probe of this effort.
    public init(samplesMax: Int = 2000, stepsMax: Int = 500) {
        self.samplesMax = samplesMax
        self.stepsMax = stepsMax
    }

    /// Trains and judges a probe on perturbations, image after image in `delta`.
    public func run(
        on delta: [Float], keys: [Int32], seed: UInt64
    ) throws(MethodError) -> Result {
        precondition(
            !keys.isEmpty && delta.count.isMultiple(of: keys.count),
            "\(delta.count) numbers for \(keys.count) keys")
        let split = ProbeSplit(keys: keys, samplesMax: samplesMax, seed: seed)
        let size = delta.count / keys.count
        let scale = scale(of: delta, size: size, at: split.train)
        guard scale > 0 else {
            throw .probeRefused(reason: "the perturbation is zero everywhere")
        }
        let train = rows(of: delta, size: size, at: split.train, scale: scale)
        let heldOut = rows(of: delta, size: size, at: split.heldOut, scale: scale)
        let products = ProbeAlgebra.innerProducts(train, train, size: size)
        let coefficients = fitted(products, targets: split.trainTargets, keys: split.keyCount)
        let across = ProbeAlgebra.innerProducts(heldOut, train, size: size)
        return Result(
            train: accuracy(products, coefficients, split.trainTargets, split.keyCount),
            heldOut: accuracy(across, coefficients, split.heldOutTargets, split.keyCount),
            heldOutCount: split.heldOut.count, keyCount: split.keyCount,
            largestKeyShare: split.largestKeyShare)
    }

    /// One over the root mean square; 0 when all is zero.
    private func scale(of delta: [Float], size: Int, at images: [Int]) -> Float {
        var squares = 0.0
        for image in images {
            for at in (image * size)..<((image + 1) * size) {
                squares += Double(delta[at]) * Double(delta[at])
            }
        }
        guard squares > 0 else { return 0 }
        return Float((Double(images.count * size) / squares).squareRoot())
    }

    private func rows(of delta: [Float], size: Int, at images: [Int], scale: Float) -> [Float] {
        var rows: [Float] = []
        rows.reserveCapacity(images.count * size)
        for image in images {
            for at in (image * size)..<((image + 1) * size) { rows.append(delta[at] * scale) }
        }
        return rows
    }

    /// The coefficients, `[samples, keys]`, after the momentum steps.
    private func fitted(_ products: [Float], targets: [Int], keys: Int) -> [Float] {
        let count = targets.count
        // Half the largest eigenvalue bounds the curvature of the loss.
        let rate = 2 * Float(count) / ProbeAlgebra.largestEigenvalue(products, count: count)
        var coefficients = [Float](repeating: 0, count: count * keys)
        var velocity = coefficients
        for _ in 0..<stepsMax {
            var residuals = ProbeAlgebra.product(
                products, coefficients, rows: count, inner: count, columns: keys)
            let loss = ProbeAlgebra.subtractTargets(&residuals, targets: targets, keys: keys)
            if loss < LinearProbe.lossEnough { break }
            for index in velocity.indices {
                velocity[index] =
                    LinearProbe.momentum * velocity[index] + residuals[index] / Float(count)
                coefficients[index] -= rate * velocity[index]
            }
        }
        return coefficients
    }

    private func accuracy(
        _ products: [Float], _ coefficients: [Float], _ targets: [Int], _ keys: Int
    ) -> Double {
        guard !targets.isEmpty else { return 0 }
        let logits = ProbeAlgebra.product(
            products, coefficients, rows: targets.count, inner: coefficients.count / keys,
            columns: keys)
        var right = 0
        for (row, target) in targets.enumerated() {
            let own = logits[(row * keys)..<((row + 1) * keys)]
            // The lowest of equal logits counts, as everywhere.
            var best = own.startIndex
            for index in own.indices where own[index] > own[best] { best = index }
            if best - own.startIndex == target { right += 1 }
        }
        return Double(right) / Double(targets.count)
    }
}
