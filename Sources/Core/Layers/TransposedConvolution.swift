/// A transposed convolution with a 2x2 kernel and stride 2: weight `[in, out, 2, 2]`. The squares
/// it writes do not overlap, so it is one matrix product and a scatter.
struct TransposedConvolution: Layer {
    let name: String
    let input: Int
    let output: Int

    var parameters: [ParameterSpec] {
        let fanIn = output * 4
        return [
            ParameterSpec(
                name: name + ".weight", shape: [input, output, 2, 2], start: .uniform(fanIn: fanIn),
                isMeasured: true),
            ParameterSpec(name: name + ".bias", shape: [output], start: .uniform(fanIn: fanIn)),
        ]
    }

    func outputShape(_ inputs: [SampleShape]) -> SampleShape {
        guard case .image(let channels, let height, let width) = inputs[0], channels == input
        else { preconditionFailure("\(name) takes \(input) channels, not \(inputs[0])") }
        return .image(channels: output, height: 2 * height, width: 2 * width)
    }

    func scratchCount(_ inputs: [SampleShape], batch: Int) -> Int {
        output * 4 * batch * planes(inputs[0]).plane
    }

    func multiplyAdds(_ inputs: [SampleShape]) -> Int { inputs[0].elements * output * 4 }

    func forward(_ call: LayerCall) {
        guard case .image(_, let height, let width) = call.inputShape(0) else { return }
        let columns = call.batch * height * width
        Kernels.multiply(
            call.parameter(0), call.input(0), into: call.scratch, m: output * 4, n: columns,
            k: input, transposeA: true)
        Kernels.scatter2x2(
            call.scratch, channels: output, images: call.batch, height: height, width: width,
            into: call.output)
        Kernels.addToRows(call.parameter(1), rows: output, columns: columns * 4, of: call.output)
    }

    func backward(_ call: LayerCall) {
        guard case .image(_, let height, let width) = call.inputShape(0) else { return }
        let columns = call.batch * height * width
        if let gradient = call.parameterGradient(1) {
            Kernels.rowSums(
                call.outputGradient, rows: output, columns: columns * 4, into: gradient)
        }
        Kernels.gather2x2(
            call.outputGradient, channels: output, images: call.batch, height: height,
            width: width, into: call.scratch)
        if let gradient = call.parameterGradient(0) {
            Kernels.multiply(
                call.input(0), call.scratch, into: gradient, m: input, n: output * 4, k: columns,
                transposeB: true)
        }
        if let gradient = call.inputGradient(0) {
            Kernels.multiply(
                call.parameter(0), call.scratch, into: gradient, m: input, n: columns,
                k: output * 4)
        }
    }
}
