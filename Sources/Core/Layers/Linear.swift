/// A linear map of each row: y = x W' + b, with W `[out, in]`.
///
/// Also a 1x1 convolution of pooled means, whose weight PyTorch keeps as `[out, in, 1, 1]`.
struct Linear: Layer {
    let name: String
    let input: Int
    let output: Int
    var hasBias = true
    /// Whether the weight is stored with the two unit axes of a convolution.
    var isPointwiseConvolution = false

    var parameters: [ParameterSpec] {
        var all = [
            ParameterSpec(
                name: name + ".weight",
                shape: isPointwiseConvolution ? [output, input, 1, 1] : [output, input],
                start: .uniform(fanIn: input), isMeasured: true)
        ]
        if hasBias {
            all.append(
                ParameterSpec(name: name + ".bias", shape: [output], start: .uniform(fanIn: input)))
        }
        return all
    }

    func outputShape(_ inputs: [SampleShape]) -> SampleShape {
        guard case .rows(let rows, let columns) = inputs[0], columns == input else {
            preconditionFailure("\(name) takes rows of \(input), not \(inputs[0])")
        }
        return .rows(rows, columns: output)
    }

    func multiplyAdds(_ inputs: [SampleShape]) -> Int { inputs[0].elements * output }

    func forward(_ call: LayerCall) {
        let rows = call.input(0).count / input
        Kernels.multiply(
            call.input(0), call.parameter(0), into: call.output, m: rows, n: output, k: input,
            transposeB: true)
        if hasBias {
            Kernels.addRow(call.parameter(1), rows: rows, columns: output, to: call.output)
        }
    }

    func backward(_ call: LayerCall) {
        let rows = call.input(0).count / input
        if let gradient = call.parameterGradient(0) {
            Kernels.multiply(
                call.outputGradient, call.input(0), into: gradient, m: output, n: input, k: rows,
                transposeA: true)
        }
        if hasBias, let gradient = call.parameterGradient(1) {
            Kernels.columnSums(call.outputGradient, rows: rows, columns: output, into: gradient)
        }
        if let gradient = call.inputGradient(0) {
            Kernels.multiply(
                call.outputGradient, call.parameter(0), into: gradient, m: rows, n: input,
                k: output)
        }
    }
}
