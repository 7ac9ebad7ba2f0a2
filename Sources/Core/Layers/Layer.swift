/// One operation of a network, forward beside backward.
///
/// A layer is a description: it holds sizes, never numbers. Numbers reach it through a
/// `LayerCall`. Whatever `backward` writes it overwrites whole; the executor adds up.
protocol Layer: Sendable {
    /// What the layer learns or keeps, in registration order.
    var parameters: [ParameterSpec] { get }

    /// The output's shape; stops with a message when the inputs do not fit.
    func outputShape(_ inputs: [SampleShape]) -> SampleShape

    /// Floats that `forward` leaves for `backward`.
    func savedCount(_ inputs: [SampleShape], batch: Int) -> Int

    /// Floats of working memory, shared by all layers.
    func scratchCount(_ inputs: [SampleShape], batch: Int) -> Int

    /// Multiply-adds of a forward pass on one image, as far as they are worth counting.
    func multiplyAdds(_ inputs: [SampleShape]) -> Int

    func forward(_ call: LayerCall)

    /// Writes the gradients that `call` asks for, from the output's.
    func backward(_ call: LayerCall)
}

extension Layer {
    var parameters: [ParameterSpec] { [] }
    func savedCount(_ inputs: [SampleShape], batch: Int) -> Int { 0 }
    func scratchCount(_ inputs: [SampleShape], batch: Int) -> Int { 0 }
    func multiplyAdds(_ inputs: [SampleShape]) -> Int { 0 }
}

/// A parameter or running statistic of a network.
struct ParameterSpec: Sendable {
    /// How it starts (`docs/science/compute.md`).
    enum Start: Sendable, Hashable {
        /// Uniform in plus or minus one over the root of the fan-in.
        case uniform(fanIn: Int)
        case constant(Float)
        case normal
    }
    var name: String
    /// As PyTorch has it, such as `[out, in, k, k]`.
    var shape: [Int]
    var start: Start
    /// Whether an optimizer moves it; running statistics are not trained.
    var isTrained = true
    /// Whether SAL measures it: the weight of a convolution or linear layer.
    var isMeasured = false

    var count: Int { shape.reduce(1, *) }
}

/// Whether statistics come from the batch or from what was gathered in training.
public enum ExecutionMode: Sendable {
    case training, evaluation
}

/// One layer at work on one batch: where its numbers lie.
struct LayerCall {
    unowned(unsafe) let executor: Executor
    let node: Int

    var batch: Int { executor.batch }
    var mode: ExecutionMode { executor.mode }

    func input(_ index: Int) -> Tensor { executor.values[executor.inputs[node][index]] }
    func inputShape(_ index: Int) -> SampleShape { executor.shapes[executor.inputs[node][index]] }
    var output: Tensor { executor.values[node] }
    var outputShape: SampleShape { executor.shapes[node] }
    func parameter(_ index: Int) -> Tensor {
        executor.parameters.tensors[executor.firstParameter[node] + index]
    }

    /// What `forward` left for `backward`.
    var saved: Tensor { executor.saved[node] }
    /// Working memory; its contents mean nothing afterwards.
    var scratch: Tensor { executor.scratch }

    /// The gradient that came down to the output.
    var outputGradient: Tensor { executor.incomingGradient(of: node) }
    /// Where the gradient of an input goes; `nil` when nobody asks for it.
    func inputGradient(_ index: Int) -> Tensor? { executor.outgoing[index] }
    /// Where the gradient of a parameter goes; `nil` when nobody asks for it.
    func parameterGradient(_ index: Int) -> Tensor? {
        executor.gradientOfParameter(executor.firstParameter[node] + index)
    }

    /// The layer's own stream for this step, such as dropout's; derived from step and node.
    var random: RandomStream { executor.stepRandom.derived("node", node) }
}
