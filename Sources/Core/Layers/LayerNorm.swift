/// Layer normalisation of each row (Ba, Kiros and Hinton, 2016).
struct LayerNorm: Layer {
    let name: String
    let columns: Int
    var stabilizer: Float = 1e-5

    var parameters: [ParameterSpec] {
        [
            ParameterSpec(name: name + ".weight", shape: [columns], start: .constant(1)),
            ParameterSpec(name: name + ".bias", shape: [columns], start: .constant(0)),
        ]
    }

    func outputShape(_ inputs: [SampleShape]) -> SampleShape {
        guard case .rows(_, columns: columns) = inputs[0] else {
            preconditionFailure("\(name) takes rows of \(columns), not \(inputs[0])")
        }
        return inputs[0]
    }

    func savedCount(_ inputs: [SampleShape], batch: Int) -> Int {
        2 * batch * inputs[0].elements / columns
    }

    func forward(_ call: LayerCall) {
        Kernels.layerNorm(
            call.input(0), gain: call.parameter(0), bias: call.parameter(1), columns: columns,
            stabilizer: stabilizer, saved: statistics(call), into: call.output)
    }

    func backward(_ call: LayerCall) {
        Kernels.layerNormGradient(
            call.input(0), call.outputGradient, gain: call.parameter(0), saved: statistics(call),
            columns: columns, into: call.inputGradient(0), gainGradient: call.parameterGradient(0),
            biasGradient: call.parameterGradient(1))
    }

    private func statistics(_ call: LayerCall) -> Kernels.Statistics {
        Kernels.Statistics(tensor: call.saved, count: call.output.count / columns)
    }
}
