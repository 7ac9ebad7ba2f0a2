import FathomCore

/// A grey square in the corner that belongs to the class, brighter or darker by `epsilon`. [Source,
/// and where this departs from it.]
struct SquareMethod: PerturbationMethod {
    let name = "square"
    let revision = 1
    let summary = "a square in one of four corners"

    let parameters = [
        EpsilonBall.parameter(),
        MethodParameter(
            name: "side", kind: .number(default: 4, range: 1...64, whole: true),
            meaning: "the side of the square in pixels"),
    ]

    func validate(_ settings: MethodSettings, shape: ImageShape) throws(MethodError) {
        try EpsilonBall.validate(settings)
        guard let side = settings.numbers["side"], Int(side) <= min(shape.height, shape.width)
        else {
            throw .unsuited(method: name, reason: "its side is longer than the image's")
        }
    }

    func traits(_ settings: MethodSettings, shape: ImageShape) -> PerturbationTraits {
        let epsilon = settings.numbers["epsilon"] ?? 0
        if epsilon == 0 { return .identity }
        return PerturbationTraits(
            budget: .maximum(epsilon), form: .classWise, probe: .reported, seedShare: nil)
    }

    func perturbation(_ request: CraftRequest) throws(MethodError) -> Perturbation {
        let shape = request.images.shape
        let side = Int(request.number("side"))
        let epsilon = Float(request.number("epsilon"))
        var delta = [Float](repeating: 0, count: request.images.pixels.count)
        for (image, key) in request.keys.enumerated() {
            // Two bits say which corner, the third whether it is brighter or darker.
            let top = key & 1 == 0 ? 0 : shape.height - side
            let left = key & 2 == 0 ? 0 : shape.width - side
            let level = key & 4 == 0 ? epsilon : -epsilon
            for channel in 0..<shape.channels {
                for row in top..<(top + side) {
                    let start = (image * shape.channels + channel) * shape.positions
                    for column in left..<(left + side) {
                        delta[start + row * shape.width + column] = level
                    }
                }
            }
        }
        return Perturbation(delta: delta, numbers: ["corners": 4])
    }
}
