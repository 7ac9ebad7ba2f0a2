/// Random noise of a bounded size, which separates "noise of this size" from "noise that carries
/// the label": drawn anew for every image (`rand-s`), or once for every key (`rand-c`).
///
/// `rand-c` is attack P5 of Tao et al., NeurIPS 2021, whose default is the `gauss` variant.
struct RandomMethod: PerturbationMethod {
    let form: PerturbationTraits.Form
    let revision = 1

    var name: String { form == .sampleWise ? "rand-s" : "rand-c" }

    var summary: String {
        form == .sampleWise
            ? "random noise, drawn for every image" : "random noise, drawn once for every class"
    }

    var parameters: [MethodParameter] {
        [
            MethodParameter(
                name: "variant",
                kind: .word(default: "uniform", allowed: ["uniform", "sign", "gauss"]),
                meaning: "uniform within the budget, its two ends alone, or a random direction"),
            EpsilonBall.parameter(
                condition: .init(name: "variant", values: ["uniform", "sign"])),
            MethodParameter(
                name: "radius", kind: .number(default: nil, range: 0.001...1000, whole: false),
                meaning: "the Euclidean norm of an image's noise; 0.5 for 3x32x32, by root of size",
                condition: .init(name: "variant", values: ["gauss"])),
        ]
    }

    /// Norms scale with the root of the number of pixels; P5 used 0.5 at 3x32x32.
    func sizedDefault(of parameter: String, shape: ImageShape) -> Double {
        0.5 * (Double(shape.elements) / 3072).squareRoot()
    }

    func validate(_ settings: MethodSettings, shape: ImageShape) throws(MethodError) {
        try EpsilonBall.validate(settings)
    }

    func traits(_ settings: MethodSettings, shape: ImageShape) -> PerturbationTraits {
        if settings.numbers["epsilon"] == 0 { return .identity }
        let budget: PerturbationTraits.Budget =
            if let radius = settings.numbers["radius"] {
                .norm(radius)
            } else {
                .maximum(settings.numbers["epsilon"] ?? 0)
            }
        return PerturbationTraits(
            budget: budget, form: form, probe: form == .sampleWise ? .chance : .atLeast(1),
            // Two draws of a sign agree half of the time.
            seedShare: settings.words["variant"] == "sign" ? 0.25 : 0.5)
    }

    func perturbation(_ request: CraftRequest) throws(MethodError) -> Perturbation {
        let size = request.images.pixelsPerImage
        var delta: [Float] = []
        delta.reserveCapacity(request.images.pixels.count)
        if form == .sampleWise {
            for index in request.images.indices {
                delta += noise(count: size, request, item: index)
            }
        } else {
            let patterns = Dictionary(
                uniqueKeysWithValues: Set(request.keys).map {
                    ($0, noise(count: size, request, item: Int($0)))
                })
            for key in request.keys { delta += patterns[key] ?? [] }
        }
        return Perturbation(delta: delta)
    }

    /// The noise of one image or one key.
    private func noise(count: Int, _ request: CraftRequest, item: Int) -> [Float] {
        var random = request.stream("noise", item)
        switch request.settings.words["variant"] {
        case "gauss":
            let direction = (0..<count).map { _ in random.normal() }
            let norm = direction.reduce(0) { $0 + $1 * $1 }.squareRoot()
            let scale = request.number("radius") / norm
            return direction.map { Float($0 * scale) }
        case "sign":
            let epsilon = Float(request.number("epsilon"))
            return (0..<count).map { _ in random.nextBits() >> 63 == 0 ? epsilon : -epsilon }
        default:
            let epsilon = Float(request.number("epsilon"))
            return (0..<count).map { _ in random.uniform(-epsilon, epsilon) }
        }
    }
}
