/// The sum of two values of one shape: the end of a residual branch.
struct Sum: Layer {
    func outputShape(_ inputs: [SampleShape]) -> SampleShape {
        precondition(inputs[0] == inputs[1], "\(inputs[0]) and \(inputs[1]) cannot be added")
        return inputs[0]
    }

    func forward(_ call: LayerCall) {
        Kernels.add(call.input(0), call.input(1), into: call.output)
    }

    func backward(_ call: LayerCall) {
        call.inputGradient(0)?.copy(from: call.outputGradient)
        call.inputGradient(1)?.copy(from: call.outputGradient)
    }
}

/// Planes one after the other along the channels.
struct Concatenation: Layer {
    func outputShape(_ inputs: [SampleShape]) -> SampleShape {
        guard case .image(_, let height, let width) = inputs[0] else {
            preconditionFailure("concatenation takes planes, not \(inputs[0])")
        }
        let channels = inputs.map { shape in
            guard case .image(let channels, height: height, width: width) = shape else {
                preconditionFailure("\(inputs[0]) and \(shape) cannot be concatenated")
            }
            return channels
        }
        return .image(channels: channels.reduce(0, +), height: height, width: width)
    }

    func forward(_ call: LayerCall) {
        var place = 0
        for index in 0..<call.executor.inputs[call.node].count {
            let input = call.input(index)
            Kernels.copy(input, into: call.output, at: place)
            place += input.count
        }
    }

    func backward(_ call: LayerCall) {
        var place = 0
        for index in 0..<call.executor.inputs[call.node].count {
            if let gradient = call.inputGradient(index) {
                Kernels.copy(call.outputGradient, from: place, into: gradient)
            }
            place += call.input(index).count
        }
    }
}

/// Planes times one gate a channel and image (the end of squeeze and excitation).
struct Gate: Layer {
    func outputShape(_ inputs: [SampleShape]) -> SampleShape {
        precondition(
            inputs[1] == .rows(1, columns: planes(inputs[0]).channels),
            "gates \(inputs[1]) do not fit \(inputs[0])")
        return inputs[0]
    }

    func forward(_ call: LayerCall) {
        let (channels, plane) = planes(call.inputShape(0))
        Kernels.gate(
            call.input(0), call.input(1), channels: channels, images: call.batch, plane: plane,
            into: call.output)
    }

    func backward(_ call: LayerCall) {
        let (channels, plane) = planes(call.inputShape(0))
        Kernels.gateGradient(
            call.input(0), call.input(1), call.outputGradient, channels: channels,
            images: call.batch, plane: plane, into: call.inputGradient(0),
            gateGradient: call.inputGradient(1))
    }
}

/// Planes as one row an image, channel after channel.
struct Flatten: Layer {
    func outputShape(_ inputs: [SampleShape]) -> SampleShape {
        .rows(1, columns: inputs[0].elements)
    }

    func forward(_ call: LayerCall) {
        guard case .image = call.inputShape(0) else {
            call.output.copy(from: call.input(0))
            return
        }
        let (channels, plane) = planes(call.inputShape(0))
        Kernels.imagesToRows(
            call.input(0), channels: channels, images: call.batch, plane: plane, into: call.output)
    }

    func backward(_ call: LayerCall) {
        guard let gradient = call.inputGradient(0) else { return }
        guard case .image = call.inputShape(0) else {
            gradient.copy(from: call.outputGradient)
            return
        }
        let (channels, plane) = planes(call.inputShape(0))
        Kernels.rowsToImages(
            call.outputGradient, channels: channels, images: call.batch, plane: plane,
            into: gradient)
    }
}

/// In training each number is dropped with probability `rate`, the others scaled up to keep the
/// mean; in evaluation nothing happens.
struct Dropout: Layer {
    let rate: Float

    func outputShape(_ inputs: [SampleShape]) -> SampleShape { inputs[0] }

    func savedCount(_ inputs: [SampleShape], batch: Int) -> Int { batch * inputs[0].elements }

    func forward(_ call: LayerCall) {
        guard call.mode == .training, rate > 0 else {
            call.output.copy(from: call.input(0))
            return
        }
        Kernels.drawMask(rate: rate, random: call.random, into: call.saved)
        Kernels.multiplyElements(call.input(0), call.saved, into: call.output)
    }

    func backward(_ call: LayerCall) {
        guard let gradient = call.inputGradient(0) else { return }
        guard call.mode == .training, rate > 0 else {
            gradient.copy(from: call.outputGradient)
            return
        }
        Kernels.multiplyElements(call.outputGradient, call.saved, into: gradient)
    }
}

/// Softmax over the channels of planes.
struct ChannelSoftmax: Layer {
    func outputShape(_ inputs: [SampleShape]) -> SampleShape { inputs[0] }

    func scratchCount(_ inputs: [SampleShape], batch: Int) -> Int {
        2 * batch * inputs[0].elements
    }

    func forward(_ call: LayerCall) {
        let channels = planes(call.inputShape(0)).channels
        let pixels = call.output.count / channels
        Kernels.transpose(call.input(0), rows: channels, columns: pixels, into: call.scratch)
        let half = call.scratch.count / 2
        Kernels.softmaxRows(
            call.scratch, rows: pixels, columns: channels, into: call.scratch, at: half)
        Kernels.transpose(
            call.scratch, from: half, rows: pixels, columns: channels, into: call.output)
    }

    func backward(_ call: LayerCall) {
        guard let gradient = call.inputGradient(0) else { return }
        let channels = planes(call.inputShape(0)).channels
        let pixels = call.output.count / channels
        Kernels.channelSoftmaxGradient(
            call.output, call.outputGradient, channels: channels, pixels: pixels, into: gradient)
    }
}
