import CKernels

/// The activations there are.
enum ActivationKind: Sendable, Hashable {
    case relu, relu6, gelu, sigmoid, tanh

    var c: fathom_activation {
        switch self {
        case .relu: FATHOM_RELU
        case .relu6: FATHOM_RELU6
        case .gelu: FATHOM_GELU
        case .sigmoid: FATHOM_SIGMOID
        case .tanh: FATHOM_TANH
        }
    }
}

extension Kernels {
    static func activate(_ kind: ActivationKind, _ x: Tensor, into y: Tensor) {
        fathom_activate(kind.c, x.pointer, y.count, y.pointer)
    }

    static func activateGradient(
        _ kind: ActivationKind, x: Tensor, y: Tensor, _ gradient: Tensor, into result: Tensor
    ) {
        fathom_activate_gradient(
            kind.c, x.pointer, y.pointer, gradient.pointer, result.count, result.pointer)
    }

    static func gate(
        _ x: Tensor, _ gate: Tensor, channels: Int, images: Int, plane: Int, into y: Tensor
    ) {
        fathom_gate(x.pointer, gate.pointer, channels, images, plane, y.pointer)
    }

    static func gateGradient(
        _ x: Tensor, _ gate: Tensor, _ gradient: Tensor, channels: Int, images: Int, plane: Int,
        into result: Tensor?, gateGradient: Tensor?
    ) {
        fathom_gate_gradient(
            x.pointer, gate.pointer, gradient.pointer, channels, images, plane, result?.pointer,
            gateGradient?.pointer)
    }

    struct SGDStep {
        var rate: Float
        var momentum: Float
        var decay: Float
        var nesterov: Bool
        var isFirst: Bool
    }

    static func sgd(_ parameter: Tensor, gradient: Tensor, velocity: Tensor, _ step: SGDStep) {
        fathom_sgd(
            parameter.pointer, gradient.pointer, velocity.pointer, parameter.count, step.rate,
            step.momentum, step.decay, step.nesterov ? 1 : 0, step.isFirst ? 1 : 0)
    }

    struct AdamStep {
        var rate: Float
        var beta1: Float
        var beta2: Float
        var stabilizer: Float
        var correction1: Float
        var correction2: Float
        var decay: Float
        var decoupledDecay: Float
    }

    static func adam(
        _ parameter: Tensor, gradient: Tensor, first: Tensor, second: Tensor, _ step: AdamStep
    ) {
        fathom_adam(
            parameter.pointer, gradient.pointer, first.pointer, second.pointer, parameter.count,
            step.rate, step.beta1, step.beta2, step.stabilizer, step.correction1,
            step.correction2, step.decay, step.decoupledDecay)
    }

    /// Where and how an image is put into a batch.
    struct Placement {
        var rowShift = 0
        var columnShift = 0
        var isFlipped = false
    }

    /// Loads image `source` of `pixels` (`[images][channels][height][width]` bytes) as image
    /// `target` of a batch of `batch`, scaled to 0...1.
    static func loadImage(
        _ pixels: UnsafeBufferPointer<UInt8>, source: Int, channels: Int, height: Int, width: Int,
        _ placement: Placement, target: Int, batch: Int, into y: Tensor
    ) {
        let size = channels * height * width
        precondition((source + 1) * size <= pixels.count, "image \(source) is not there")
        guard let base = pixels.baseAddress else { return }
        fathom_load_image(
            base + source * size, channels, height, width, placement.rowShift,
            placement.columnShift, placement.isFlipped ? 1 : 0, batch * height * width,
            y.pointer + target * height * width)
    }

    /// The same from numbers instead of bytes.
    static func loadImage(
        _ numbers: UnsafeBufferPointer<Float>, source: Int, _ shape: ImageShape,
        _ placement: Placement, target: Int, batch: Int, into y: Tensor
    ) {
        precondition((source + 1) * shape.elements <= numbers.count, "image \(source) is not there")
        guard let base = numbers.baseAddress else { return }
        fathom_load_numbers(
            base + source * shape.elements, shape.channels, shape.height, shape.width,
            placement.rowShift, placement.columnShift, placement.isFlipped ? 1 : 0,
            batch * shape.positions, y.pointer + target * shape.positions)
    }
}
