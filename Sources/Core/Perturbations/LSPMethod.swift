import Foundation

/// Linearly separable perturbations (Yu et al., KDD 2022, arXiv 2111.00898): points drawn around
/// one corner of a hypercube per key, painted as coarse patches of colour.
///
/// The source draws all points at once and permutes them; here each image draws its own from the
/// stream of its index, which gives the same distribution and any number of points per key. The
/// budget is Euclidean: single pixels exceed 8/255.
struct LSPMethod: PerturbationMethod {
    let name = "lsp"
    let revision = 1
    let summary = "linearly separable patches of colour"
    /// Half the side of the hypercube, as in the source.
    private static let corner = 10.0
    /// A matrix per key has the square of this many numbers.
    private static let featuresMax = 1024

    let parameters = [
        MethodParameter(
            name: "patch", kind: .number(default: nil, range: 1...1024, whole: true),
            meaning: "the side of a patch in pixels; divides height and width; 8, or 7 for 28x28"),
        MethodParameter(
            name: "normFactor",
            kind: .number(default: 6.0 / 255, range: (1.0 / 255)...1, whole: false),
            meaning: "the Euclidean norm of an image's perturbation over the root of its size"),
    ]

    /// The largest side up to 8 that divides the image.
    func sizedDefault(of parameter: String, shape: ImageShape) -> Double {
        Double(
            (1...8).last { shape.height.isMultiple(of: $0) && shape.width.isMultiple(of: $0) } ?? 1)
    }

    func validate(_ settings: MethodSettings, shape: ImageShape) throws(MethodError) {
        let patch = Int(settings.numbers["patch"] ?? 0)
        guard shape.height.isMultiple(of: patch), shape.width.isMultiple(of: patch) else {
            throw .unsuited(
                method: name,
                reason: "patches of \(patch) do not tile \(shape.height)x\(shape.width) pixels; "
                    + "patch must divide both")
        }
        let features = shape.elements / (patch * patch)
        guard features <= LSPMethod.featuresMax else {
            throw .unsuited(
                method: name,
                reason: "patches of \(patch) give \(features) features, more than "
                    + "\(LSPMethod.featuresMax); choose a larger patch")
        }
    }

    func traits(_ settings: MethodSettings, shape: ImageShape) -> PerturbationTraits {
        PerturbationTraits(
            budget: .norm(LSPMethod.norm(settings, shape)), form: .sampleWise,
            probe: .atLeast(0.95), seedShare: 0.5)
    }

    private static func norm(_ settings: MethodSettings, _ shape: ImageShape) -> Double {
        (settings.numbers["normFactor"] ?? 0) * Double(shape.elements).squareRoot()
    }

    func perturbation(_ request: CraftRequest) throws(MethodError) -> Perturbation {
        let shape = request.images.shape
        let patch = Int(request.number("patch"))
        let clouds = try clouds(request, features: shape.elements / (patch * patch))
        let norm = LSPMethod.norm(request.settings, shape)
        var delta: [Float] = []
        delta.reserveCapacity(request.images.pixels.count)
        for (index, key) in zip(request.images.indices, request.keys) {
            var random = request.stream("point", index)
            let point = clouds[Int(key)].point(&random)
            LSPMethod.paint(point, patch: patch, shape: shape, norm: norm, onto: &delta)
        }
        return Perturbation(delta: delta)
    }

    /// One cloud of points for each key from 0 on, around distinct corners.
    private func clouds(
        _ request: CraftRequest, features: Int
    ) throws(MethodError) -> [LSPCloud] {
        guard features >= 63 || request.keyCount <= 1 << features else {
            throw .unsuited(
                method: name,
                reason: "\(request.keyCount) keys need more than the \(1 << features) corners "
                    + "of \(features) features; choose a smaller patch")
        }
        var corners: Set<[Double]> = []
        return (0..<request.keyCount).map { key in
            var random = request.stream("corner", key)
            var corner: [Double]
            repeat {
                corner = (0..<features).map { _ in
                    random.nextBits() >> 63 == 0 ? LSPMethod.corner : -LSPMethod.corner
                }
            } while !corners.insert(corner).inserted
            var spread = request.stream("spread", key)
            return LSPCloud(
                corner: corner,
                spread: (0..<(features * features)).map { _ in 2 * spread.uniformDouble() - 1 })
        }
    }

    /// Repeats each feature over its patch, `[row, column, channel]` as in the source, at the norm.
    private static func paint(
        _ point: [Double], patch: Int, shape: ImageShape, norm: Double, onto delta: inout [Float]
    ) {
        let pointNorm = point.reduce(0) { $0 + $1 * $1 }.squareRoot() * Double(patch)
        let values = point.map { Float($0 * norm / pointNorm) }
        let columns = shape.width / patch
        for channel in 0..<shape.channels {
            for row in 0..<shape.height {
                for column in 0..<shape.width {
                    let cell = (row / patch) * columns + column / patch
                    delta.append(values[cell * shape.channels + channel])
                }
            }
        }
    }
}

/// The points of one key: `corner + z·spread` with standard normal `z`.
struct LSPCloud {
    let corner: [Double]
    /// `[features, features]`, within -1...1.
    let spread: [Double]

    func point(_ random: inout RandomStream) -> [Double] {
        var point = corner
        for row in corner.indices {
            let weight = random.normal()
            let start = row * corner.count
            for column in corner.indices { point[column] += weight * spread[start + column] }
        }
        return point
    }
}
