/// Batch normalisation over planes (Ioffe and Szegedy, 2015): normalises by the batch's biased
/// variance in training, by the running statistics in evaluation.
struct BatchNorm: Layer {
    let name: String
    let channels: Int
    var stabilizer: Float = 1e-5
    var momentum: Float = 0.1

    var parameters: [ParameterSpec] {
        func spec(_ suffix: String, _ value: Float, trained: Bool) -> ParameterSpec {
            ParameterSpec(
                name: "\(name).\(suffix)", shape: [channels], start: .constant(value),
                isTrained: trained)
        }
        return [
            spec("weight", 1, trained: true), spec("bias", 0, trained: true),
            spec("running_mean", 0, trained: false), spec("running_var", 1, trained: false),
        ]
    }

    func outputShape(_ inputs: [SampleShape]) -> SampleShape {
        guard case .image(let planes, _, _) = inputs[0], planes == channels else {
            preconditionFailure("\(name) takes \(channels) channels, not \(inputs[0])")
        }
        return inputs[0]
    }

    func savedCount(_ inputs: [SampleShape], batch: Int) -> Int { 2 * channels }

    func forward(_ call: LayerCall) {
        let saved = Kernels.Statistics(tensor: call.saved, count: channels)
        let count = call.output.count / channels
        switch call.mode {
        case .training:
            Kernels.batchNormTrain(
                call.input(0), gain: call.parameter(0), bias: call.parameter(1),
                runningMean: call.parameter(2), runningVariance: call.parameter(3), count: count,
                stabilizer: stabilizer, momentum: momentum, saved: saved, into: call.output)
        case .evaluation:
            Kernels.batchNormEval(
                call.input(0), gain: call.parameter(0), bias: call.parameter(1),
                runningMean: call.parameter(2), runningVariance: call.parameter(3), count: count,
                stabilizer: stabilizer, saved: saved, into: call.output)
        }
    }

    func backward(_ call: LayerCall) {
        Kernels.batchNormGradient(
            call.input(0), call.outputGradient, gain: call.parameter(0),
            saved: Kernels.Statistics(tensor: call.saved, count: channels),
            count: call.output.count / channels, training: call.mode == .training,
            into: call.inputGradient(0), gainGradient: call.parameterGradient(0),
            biasGradient: call.parameterGradient(1))
    }
}
