/// No perturbation at all: what everything else is compared with.
struct CleanMethod: PerturbationMethod {
    let name = "clean"
    let revision = 1
    let summary = "the images as they are"
    let parameters: [MethodParameter] = []
    let takesSharedSettings = false

    func traits(_ settings: MethodSettings, shape: ImageShape) -> PerturbationTraits {
        .identity
    }

    func perturbation(_ request: CraftRequest) throws(MethodError) -> Perturbation {
        Perturbation(delta: [Float](repeating: 0, count: request.images.pixels.count))
    }
}
