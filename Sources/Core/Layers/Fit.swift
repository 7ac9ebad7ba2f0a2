/// Brings planes to a given size around their centre: what is too much is cut, what is missing
/// repeats the nearest edge.
///
/// Dense heads need it where a side is not a multiple of the strides (28 pixels become 14, 7 and
/// 4, and 4 enlarged is 8, not 7) and where convolutions are unpadded. An odd difference of one
/// is cut or added at the bottom and at the right, since strided windows are counted from the top
/// left.
struct Fit: Layer {
    let height: Int
    let width: Int

    func outputShape(_ inputs: [SampleShape]) -> SampleShape {
        .image(channels: planes(inputs[0]).channels, height: height, width: width)
    }

    func forward(_ call: LayerCall) {
        guard let placement = placement(call.inputShape(0)) else { return }
        Kernels.fit(
            call.input(0), planes: call.output.count / (height * width), placement,
            into: call.output)
    }

    func backward(_ call: LayerCall) {
        guard let gradient = call.inputGradient(0), let placement = placement(call.inputShape(0))
        else { return }
        Kernels.fitGradient(
            call.outputGradient, planes: call.outputGradient.count / (height * width), placement,
            into: gradient)
    }

    private func placement(_ shape: SampleShape) -> Kernels.FitPlacement? {
        guard case .image(_, let inHeight, let inWidth) = shape else { return nil }
        return Kernels.FitPlacement(
            height: inHeight, width: inWidth, outHeight: height, outWidth: width)
    }
}
