/// The largest number of each window; padding counts as minus infinity.
struct MaxPool: Layer {
    let kernel: Int
    let stride: Int
    var padding = 0

    func outputShape(_ inputs: [SampleShape]) -> SampleShape {
        pooledShape(inputs[0], window(inputs[0]))
    }

    func savedCount(_ inputs: [SampleShape], batch: Int) -> Int {
        batch * outputShape(inputs).elements
    }

    func forward(_ call: LayerCall) {
        let window = window(call.inputShape(0))
        Kernels.maxPool(
            call.input(0), planes: call.output.count / window.outPlane, window, into: call.output,
            chosen: call.saved)
    }

    func backward(_ call: LayerCall) {
        guard let gradient = call.inputGradient(0) else { return }
        let window = window(call.inputShape(0))
        Kernels.maxPoolGradient(
            call.outputGradient, chosen: call.saved, planes: call.output.count / window.outPlane,
            window, into: gradient)
    }

    private func window(_ shape: SampleShape) -> Window {
        poolWindow(shape, kernel: kernel, stride: stride, padding: padding)
    }
}

/// The mean of each window.
struct AveragePool: Layer {
    let kernel: Int
    let stride: Int

    func outputShape(_ inputs: [SampleShape]) -> SampleShape {
        pooledShape(inputs[0], window(inputs[0]))
    }

    func forward(_ call: LayerCall) {
        let window = window(call.inputShape(0))
        Kernels.averagePool(
            call.input(0), planes: call.output.count / window.outPlane, window, into: call.output)
    }

    func backward(_ call: LayerCall) {
        guard let gradient = call.inputGradient(0) else { return }
        let window = window(call.inputShape(0))
        Kernels.averagePoolGradient(
            call.outputGradient, planes: call.output.count / window.outPlane, window,
            into: gradient)
    }

    private func window(_ shape: SampleShape) -> Window {
        poolWindow(shape, kernel: kernel, stride: stride, padding: 0)
    }
}

/// The mean of each whole plane: planes to one row a image.
struct GlobalAverage: Layer {
    func outputShape(_ inputs: [SampleShape]) -> SampleShape {
        .rows(1, columns: planes(inputs[0]).channels)
    }

    func forward(_ call: LayerCall) {
        let (channels, plane) = planes(call.inputShape(0))
        Kernels.globalAverage(
            call.input(0), channels: channels, images: call.batch, plane: plane, into: call.output)
    }

    func backward(_ call: LayerCall) {
        guard let gradient = call.inputGradient(0) else { return }
        let (channels, plane) = planes(call.inputShape(0))
        Kernels.globalAverageGradient(
            call.outputGradient, channels: channels, images: call.batch, plane: plane,
            into: gradient)
    }
}

/// The channels of planes, and the numbers in one plane.
func planes(_ shape: SampleShape) -> (channels: Int, plane: Int) {
    guard case .image(let channels, let height, let width) = shape else {
        preconditionFailure("planes are wanted, not \(shape)")
    }
    return (channels, height * width)
}

private func poolWindow(_ shape: SampleShape, kernel: Int, stride: Int, padding: Int) -> Window {
    guard case .image(_, let height, let width) = shape else {
        preconditionFailure("pooling takes planes, not \(shape)")
    }
    return Window(height: height, width: width, kernel: kernel, stride: stride, padding: padding)
}

private func pooledShape(_ shape: SampleShape, _ window: Window) -> SampleShape {
    .image(channels: planes(shape).channels, height: window.outHeight, width: window.outWidth)
}
