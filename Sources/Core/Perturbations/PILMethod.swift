import Foundation

/// Perturbations made linear (Liu et al., ICLR 2026, arXiv 2601.19967): a bias-free linear surrogate
/// is fitted to the clean images; noise is then moved so that the surrogate reads the key from it,
/// and nothing from what is left when it is subtracted.
///
/// The noise is subtracted, as in the source, so the perturbation reported is minus the noise.
/// Images are gone through by index, where the source takes them as its loader has them.
struct PILMethod: PerturbationMethod {
    let name = "pil"
    let revision = 1
    let summary = "noise that a linear classifier reads, and a rest that it cannot read"

    let parameters = [
        EpsilonBall.parameter(),
        MethodParameter(
            name: "steps", kind: .number(default: 30, range: 1...10000, whole: true),
            meaning: "sign steps of a tenth of epsilon"),
        MethodParameter(
            name: "surrogateEpochs", kind: .number(default: 30, range: 1...10000, whole: true),
            meaning: "epochs that the linear surrogate is fitted for"),
    ]

    func validate(_ settings: MethodSettings, shape: ImageShape) throws(MethodError) {
        try EpsilonBall.validate(settings)
    }

    func traits(_ settings: MethodSettings, shape: ImageShape) -> PerturbationTraits {
        let epsilon = settings.numbers["epsilon"] ?? 0
        if epsilon == 0 { return .identity }
        return PerturbationTraits(
            budget: .maximum(epsilon), form: .fromImage, probe: .atLeast(0.9), seedShare: 0.25)
    }

    func perturbation(_ request: CraftRequest) throws(MethodError) -> Perturbation {
        let order = request.canonicalOrder
        let images = request.images.selecting(order)
        let keys = order.map { Int(request.keys[$0]) }
        let size = images.pixelsPerImage
        let classes = max(2, request.keyCount)
        let pixels = images.pixels.map { Float($0) / 255 }
        var fit = PILSurrogate(size: size, classes: classes, request: request)
        fit.train(pixels, keys, epochs: Int(request.number("surrogateEpochs")))
        let objective = PILObjective(weights: fit.product, size: size, classes: classes)
        let noise = try moved(request, images, pixels, keys, objective)
        let (before, after) = (noise.before, noise.after)
        var delta = noise.values
        for (place, image) in order.enumerated() {
            for element in 0..<size {
                delta[image * size + element] = -noise.values[place * size + element]
            }
        }
        return Perturbation(
            delta: delta,
            numbers: [
                "noiseLossBefore": before.cross, "noiseLossAfter": after.cross,
                "restDivergenceBefore": before.divergence,
                "restDivergenceAfter": after.divergence,
                "surrogateAccuracy": fit.accuracy(pixels, keys),
            ])
    }
}

extension PILMethod {
    /// Images whose noise is moved at a time; what one gets does not depend on the others.
    private static let block = 512

    /// Noise, and the means of its objective before and after it was moved.
    private struct Noise {
        var values: [Float] = []
        var before = PILValues()
        var after = PILValues()
    }

    private func moved(
        _ request: CraftRequest, _ images: ImageSet, _ pixels: [Float], _ keys: [Int],
        _ objective: PILObjective
    ) throws(MethodError) -> Noise {
        let size = images.pixelsPerImage
        let epsilon = Float(request.number("epsilon"))
        var all = Noise()
        for start in stride(from: 0, to: keys.count, by: Self.block) {
            let end = min(start + Self.block, keys.count)
            let clean = Array(pixels[(start * size)..<(end * size)])
            let own = Array(keys[start..<end])
            var noise: [Float] = []
            for index in images.indices[start..<end] {
                var random = request.stream("noise", index)
                for _ in 0..<size { noise.append(random.uniform(-epsilon, epsilon)) }
            }
            let share = Double(own.count) / Double(keys.count)
            all.before.add(objective.values(noise: noise, images: clean, keys: own), share)
            for _ in 0..<Int(request.number("steps")) {
                let gradient = objective.gradient(noise: noise, images: clean, keys: own)
                for at in noise.indices {
                    let sign: Float = gradient[at] > 0 ? 1 : gradient[at] < 0 ? -1 : 0
                    noise[at] = min(max(noise[at] - epsilon / 10 * sign, -epsilon), epsilon)
                }
            }
            all.after.add(objective.values(noise: noise, images: clean, keys: own), share)
            all.values += noise
        }
        return all
    }
}

/// The two parts of the objective, in nats.
public struct PILValues: Hashable, Sendable {
    /// The cross-entropy of the key, read from the noise.
    public var cross = 0.0
    /// The divergence from knowing nothing, read from what is left.
    public var divergence = 0.0

    mutating func add(_ other: PILValues, _ share: Double) {
        cross += share * other.cross
        divergence += share * other.divergence
    }
}

/// What the noise is moved along: `0.9·CE(f(n), y) + 0.1·KL(uniform ‖ softmax f(x - n))` for a
/// linear `f`, whose gradient has a closed form.
public struct PILObjective: Sendable {
    /// `[size, classes]`.
    private let weights: [Float]
    private let size: Int
    private let classes: Int

    /// A surrogate of `weights`, `[size, classes]`.
    public init(weights: [Float], size: Int, classes: Int) {
        precondition(weights.count == size * classes, "\(weights.count) weights")
        self.weights = weights
        self.size = size
        self.classes = classes
    }

    /// Means over images of the cross-entropy on the noise, and of the divergence from knowing
    /// nothing on what is left, both in nats.
    public func values(
        noise: [Float], images: [Float], keys: [Int]
    ) -> PILValues {
        let onNoise = probabilities(noise)
        let onRest = probabilities(zip(images, noise).map { $0 - $1 })
        var cross = 0.0
        var divergence = 0.0
        let uniform = 1 / Double(classes)
        for (image, key) in keys.enumerated() {
            cross -= log(max(1e-300, onNoise[image * classes + key]))
            for index in 0..<classes {
                let share = max(1e-300, onRest[image * classes + index])
                divergence += uniform * (log(uniform) - log(share))
            }
        }
        var values = PILValues()
        values.add(PILValues(cross: cross, divergence: divergence), 1 / Double(keys.count))
        return values
    }

    /// The gradient of each image's own objective with respect to its noise.
    public func gradient(noise: [Float], images: [Float], keys: [Int]) -> [Float] {
        let onNoise = probabilities(noise)
        let onRest = probabilities(zip(images, noise).map { $0 - $1 })
        var slopes = [Float](repeating: 0, count: onNoise.count)
        let uniform = 1 / Double(classes)
        for image in keys.indices {
            for index in 0..<classes {
                let at = image * classes + index
                let target = keys[image] == index ? 1.0 : 0
                slopes[at] = Float(
                    0.9 * (onNoise[at] - target) - 0.1 * (onRest[at] - uniform))
            }
        }
        return ProbeAlgebra.productTransposed(
            slopes, weights, rows: keys.count, inner: classes, columns: size)
    }

    private func probabilities(_ inputs: [Float]) -> [Double] {
        let logits = ProbeAlgebra.product(
            inputs, weights, rows: inputs.count / size, inner: size, columns: classes)
        return ProbeAlgebra.softmax(logits, classes: classes)
    }
}

/// Two bias-free linear layers without anything between, trained by momentum with a cosine rate.
struct PILSurrogate {
    private static let batch = 512
    private static let rate = 0.003
    private static let momentum: Float = 0.9
    private let size: Int
    private let classes: Int
    /// `[size, classes]` and `[classes, classes]`, inputs first.
    private var first: [Float]
    private var second: [Float]

    init(size: Int, classes: Int, request: CraftRequest) {
        self.size = size
        self.classes = classes
        func start(_ name: String, _ inputs: Int, _ outputs: Int) -> [Float] {
            var random = request.stream(name, 0)
            let bound = 1 / Float(inputs).squareRoot()
            return (0..<(inputs * outputs)).map { _ in random.uniform(-bound, bound) }
        }
        first = start("first", size, classes)
        second = start("second", classes, classes)
    }

    /// Both layers as one matrix, `[size, classes]`.
    var product: [Float] {
        ProbeAlgebra.product(first, second, rows: size, inner: classes, columns: classes)
    }

    mutating func train(_ pixels: [Float], _ keys: [Int], epochs: Int) {
        var velocity = [Float](repeating: 0, count: first.count)
        var secondVelocity = [Float](repeating: 0, count: second.count)
        for epoch in 0..<epochs {
            let rate = Float(
                Self.rate * 0.5 * (1 + cos(Double.pi * Double(epoch) / Double(epochs))))
            for start in stride(from: 0, to: keys.count, by: Self.batch) {
                let end = min(start + Self.batch, keys.count)
                let inputs = Array(pixels[(start * size)..<(end * size)])
                let (one, two) = gradients(inputs, Array(keys[start..<end]))
                Self.step(&first, &velocity, one, rate)
                Self.step(&second, &secondVelocity, two, rate)
            }
        }
    }

    func accuracy(_ pixels: [Float], _ keys: [Int]) -> Double {
        let logits = ProbeAlgebra.product(
            pixels, product, rows: keys.count, inner: size, columns: classes)
        let right = keys.indices.count { image in
            let own = logits[(image * classes)..<((image + 1) * classes)]
            return own.firstIndex(of: own.max() ?? 0) == image * classes + keys[image]
        }
        return Double(right) / Double(keys.count)
    }

    /// Those of the batch's mean cross-entropy.
    private func gradients(_ inputs: [Float], _ keys: [Int]) -> ([Float], [Float]) {
        let count = keys.count
        let hidden = ProbeAlgebra.product(
            inputs, first, rows: count, inner: size, columns: classes)
        var residuals = ProbeAlgebra.product(
            hidden, second, rows: count, inner: classes, columns: classes)
        _ = ProbeAlgebra.subtractTargets(&residuals, targets: keys, keys: classes)
        for index in residuals.indices { residuals[index] /= Float(count) }
        let back = ProbeAlgebra.productTransposed(
            residuals, second, rows: count, inner: classes, columns: classes)
        return (
            ProbeAlgebra.transposedProduct(
                inputs, back, rows: size, inner: count, columns: classes),
            ProbeAlgebra.transposedProduct(
                hidden, residuals, rows: classes, inner: count, columns: classes)
        )
    }

    private static func step(
        _ weights: inout [Float], _ velocity: inout [Float], _ gradient: [Float], _ rate: Float
    ) {
        for index in weights.indices {
            velocity[index] = momentum * velocity[index] + gradient[index]
            weights[index] -= rate * velocity[index]
        }
    }
}
