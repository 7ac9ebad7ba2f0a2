/// Enlarges planes by a whole factor; bilinear corners are not aligned.
struct Upsample: Layer {
    enum Kind: Sendable { case nearest, bilinear }
    let kind: Kind
    let factor: Int

    func outputShape(_ inputs: [SampleShape]) -> SampleShape {
        guard case .image(let channels, let height, let width) = inputs[0] else {
            preconditionFailure("upsampling takes planes, not \(inputs[0])")
        }
        return .image(channels: channels, height: height * factor, width: width * factor)
    }

    func forward(_ call: LayerCall) {
        guard case .image(let channels, let height, let width) = call.inputShape(0) else { return }
        let enlarge =
            switch kind {
            case .nearest: Kernels.upsampleNearest
            case .bilinear: Kernels.upsampleBilinear
            }
        enlarge(call.input(0), channels * call.batch, height, width, factor, call.output)
    }

    func backward(_ call: LayerCall) {
        guard let gradient = call.inputGradient(0),
            case .image(let channels, let height, let width) = call.inputShape(0)
        else { return }
        let reduce =
            switch kind {
            case .nearest: Kernels.upsampleNearestGradient
            case .bilinear: Kernels.upsampleBilinearGradient
            }
        reduce(call.outputGradient, channels * call.batch, height, width, factor, gradient)
    }
}
