/// A function of each number on its own.
struct Activation: Layer {
    let kind: ActivationKind

    func outputShape(_ inputs: [SampleShape]) -> SampleShape { inputs[0] }

    func forward(_ call: LayerCall) {
        Kernels.activate(kind, call.input(0), into: call.output)
    }

    func backward(_ call: LayerCall) {
        guard let gradient = call.inputGradient(0) else { return }
        Kernels.activateGradient(
            kind, x: call.input(0), y: call.output, call.outputGradient, into: gradient)
    }
}
