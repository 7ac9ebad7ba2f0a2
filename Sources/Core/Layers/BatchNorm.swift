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

    func savedCount(_ inputs: [SampleShape], batch: Int) -> Int { 4 * channels }

    func forward(_ call: LayerCall) {
        switch call.mode {
        case .training:
            forwardTraining(call, residual: nil, rectifies: false, into: call.output)
        case .evaluation:
            Kernels.batchNormEval(
                call.input(0), gain: call.parameter(0), bias: call.parameter(1),
                runningMean: call.parameter(2), runningVariance: call.parameter(3),
                count: call.output.count / channels, stabilizer: stabilizer, saved: saved(call),
                into: call.output)
        }
    }

    /// In training mode, with what follows the layer done to its results.
    func forwardTraining(
        _ call: LayerCall, residual: Tensor?, rectifies: Bool, into output: Tensor
    ) {
        Kernels.batchNormTrain(
            call.input(0), gain: call.parameter(0), bias: call.parameter(1),
            runningMean: call.parameter(2), runningVariance: call.parameter(3),
            count: output.count / channels, stabilizer: stabilizer, momentum: momentum,
            saved: saved(call), residual: residual, rectifies: rectifies, into: output)
    }

    /// The slope and shift that evaluation mode comes to.
    func folded(_ call: LayerCall) -> Kernels.Finish {
        let saved = saved(call)
        Kernels.batchNormFold(
            gain: call.parameter(0), bias: call.parameter(1), runningMean: call.parameter(2),
            runningVariance: call.parameter(3), stabilizer: stabilizer, saved: saved)
        return Kernels.Finish(slope: saved.slope, shift: saved.shift)
    }

    func backward(_ call: LayerCall) {
        backward(call, call.outputGradient, rectified: nil, into: call.inputGradient(0))
    }

    /// The same from the gradient of what was done to the results: what came through `rectified`
    /// goes to `passed` too.
    func backward(
        _ call: LayerCall, _ gradient: Tensor, rectified: Tensor?, into result: Tensor?,
        passed: Tensor? = nil
    ) {
        Kernels.batchNormGradient(
            call.input(0), gradient, gain: call.parameter(0), saved: saved(call),
            count: gradient.count / channels, training: call.mode == .training,
            rectified: rectified, into: result, gainGradient: call.parameterGradient(0),
            biasGradient: call.parameterGradient(1), passed: passed)
    }

    func saved(_ call: LayerCall) -> Kernels.Statistics {
        Kernels.Statistics(tensor: call.saved, count: channels)
    }
}
