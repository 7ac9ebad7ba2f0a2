/// A 2-D convolution: `[out, in / groups, k, k]` over planes, with or without bias.
///
/// 3x3 of stride 1 with enough channels: Winograd's algorithm. Very few channels: in place. Else, of
/// one group: the weight matrix times the windows of the planes, which are unrolled a few columns at a time, or not at all for
/// 1x1. As many groups as channels: a direct loop. Else: group by group.
struct Convolution: Layer {
    let name: String
    let input: Int
    let output: Int
    let kernel: Int
    let stride: Int
    let padding: Int
    var groups = 1
    var hasBias = false

    var parameters: [ParameterSpec] {
        let fanIn = input / groups * kernel * kernel
        var all = [
            ParameterSpec(
                name: name + ".weight", shape: [output, input / groups, kernel, kernel],
                start: .uniform(fanIn: fanIn), isMeasured: true)
        ]
        if hasBias {
            all.append(
                ParameterSpec(name: name + ".bias", shape: [output], start: .uniform(fanIn: fanIn)))
        }
        return all
    }

    func outputShape(_ inputs: [SampleShape]) -> SampleShape {
        let window = window(inputs[0])
        return .image(channels: output, height: window.outHeight, width: window.outWidth)
    }

    func scratchCount(_ inputs: [SampleShape], batch: Int) -> Int {
        let window = window(inputs[0])
        guard !isDirect, !isDepthwise, !isWinograd(window, batch: batch) else { return 0 }
        return columnRows * imagesPerSlice(window, batch: batch) * window.outPlane
            + 2 * Kernels.rollMargin
    }

    func multiplyAdds(_ inputs: [SampleShape]) -> Int {
        output * columnRows * window(inputs[0]).outPlane
    }

    func forward(_ call: LayerCall) {
        forward(call, finish: Kernels.Finish(), into: call.output)
    }

    /// The same with what follows the layer done to its results; a bias goes before all that.
    func forward(_ call: LayerCall, finish: Kernels.Finish, into output: Tensor) {
        var finish = finish
        if hasBias {
            precondition(finish.shift == nil, "\(name) has a bias, and one shift only can follow")
            finish.shift = call.parameter(1)
        }
        let window = window(call.inputShape(0))
        if isDepthwise {
            Kernels.depthwise(
                call.input(0), call.parameter(0), channels: self.output, images: call.batch,
                window, into: output)
            Kernels.finish(output, channels: self.output, finish)
        } else if isDirect {
            Kernels.multiply(
                call.parameter(0), call.input(0), into: output, m: self.output,
                n: call.batch * window.outPlane, k: input)
            Kernels.finish(output, channels: self.output, finish)
        } else if isWinograd(window, batch: call.batch) {
            Kernels.winograd(
                call.input(0), call.parameter(0), outputs: self.output, channels: input,
                images: call.batch, window, finish: finish, into: output)
        } else if isDirectlyServed(window) {
            Kernels.direct(
                call.input(0), call.parameter(0), outputs: self.output, channels: input,
                images: call.batch, window, finish: finish, into: output)
        } else {
            forwardUnrolled(call, window, finish, into: output)
        }
    }

    private func forwardUnrolled(
        _ call: LayerCall, _ window: Window, _ finish: Kernels.Finish, into output: Tensor
    ) {
        let rows = self.output / groups
        let columns = call.batch * window.outPlane
        for group in 0..<groups {
            Kernels.convolve(
                call.input(0), call.parameter(0), outputs: rows, channels: input / groups,
                images: call.batch, window,
                finish: finish.dropping(channels: group * rows, size: columns), into: output,
                xOffset: xOffset(group, call, window), weightOffset: group * rows * columnRows,
                yOffset: group * rows * columns)
        }
    }

    func backward(_ call: LayerCall) {
        let window = window(call.inputShape(0))
        if hasBias, let gradient = call.parameterGradient(1) {
            Kernels.rowSums(
                call.outputGradient, rows: output, columns: call.batch * window.outPlane,
                into: gradient)
        }
        if isDepthwise {
            backwardDepthwise(call, window)
        } else if isDirect {
            backwardDirect(call, columns: call.batch * window.outPlane)
        } else if isWinograd(window, batch: call.batch) {
            backwardWinograd(call, window)
        } else {
            backwardUnrolled(call, window)
        }
    }

    private func backwardDepthwise(_ call: LayerCall, _ window: Window) {
        if let gradient = call.parameterGradient(0) {
            Kernels.depthwiseWeightGradient(
                call.input(0), call.outputGradient, channels: output, images: call.batch, window,
                into: gradient)
        }
        if let gradient = call.inputGradient(0) {
            Kernels.depthwiseInputGradient(
                call.outputGradient, call.parameter(0), channels: output, images: call.batch,
                window, into: gradient)
        }
    }

    private func backwardDirect(_ call: LayerCall, columns: Int) {
        if let gradient = call.parameterGradient(0) {
            Kernels.multiply(
                call.outputGradient, call.input(0), into: gradient, m: output, n: input, k: columns,
                transposeB: true)
        }
        if let gradient = call.inputGradient(0) {
            Kernels.multiply(
                call.parameter(0), call.outputGradient, into: gradient, m: input, n: columns,
                k: output, transposeA: true)
        }
    }

    private func backwardWinograd(_ call: LayerCall, _ window: Window) {
        if let gradient = call.parameterGradient(0) {
            Kernels.winogradWeightGradient(
                call.input(0), call.outputGradient, outputs: output, channels: input,
                images: call.batch, window, into: gradient)
        }
        if let gradient = call.inputGradient(0) {
            Kernels.winogradInputGradient(
                call.outputGradient, call.parameter(0), outputs: output, channels: input,
                images: call.batch, window, into: gradient)
        }
    }

    private func backwardUnrolled(_ call: LayerCall, _ window: Window) {
        let columns = call.batch * window.outPlane
        let rows = output / groups
        if let gradient = call.parameterGradient(0), groups == 1,
            Kernels.directGradientServes(outputs: output, channels: input, window)
        {
            Kernels.directWeightGradient(
                call.input(0), call.outputGradient, outputs: output, channels: input,
                images: call.batch, window, into: gradient)
        } else if let gradient = call.parameterGradient(0) {
            for group in 0..<groups {
                Kernels.convolveWeightGradient(
                    call.input(0), call.outputGradient, outputs: rows, channels: input / groups,
                    images: call.batch, window, into: gradient,
                    xOffset: xOffset(group, call, window),
                    weightOffset: group * rows * columnRows, yOffset: group * rows * columns)
            }
        }
        guard let gradient = call.inputGradient(0) else { return }
        slices(call, window) { first, count, group in
            Kernels.multiply(
                call.parameter(0), call.outputGradient, into: call.scratch, m: columnRows,
                n: count * window.outPlane, k: rows, transposeA: true,
                aOffset: group * rows * columnRows,
                bOffset: group * rows * columns + first * window.outPlane,
                cOffset: Kernels.rollMargin, bStride: columns)
            Kernels.roll(
                call.scratch, channels: input / groups, images: call.batch, first: first,
                count: count, window, into: gradient,
                offset: xOffset(group, call, window))
        }
    }

    private func xOffset(_ group: Int, _ call: LayerCall, _ window: Window) -> Int {
        group * (input / groups) * call.batch * window.plane
    }

    /// Calls `body(first image, images, group)` for slices small enough to stay in the cache.
    private func slices(
        _ call: LayerCall, _ window: Window, _ body: (Int, Int, Int) -> Void
    ) {
        let size = imagesPerSlice(window, batch: call.batch)
        for group in 0..<groups {
            var first = 0
            while first < call.batch {
                body(first, min(size, call.batch - first), group)
                first += size
            }
        }
    }

    /// As many as stay in the cache, but enough that reading the weights is worth it: with many
    /// channels and few places, one image would read them all for a handful of columns.
    private func imagesPerSlice(_ window: Window, batch: Int) -> Int {
        let sliceFloats = 128 * 1024
        let fit = sliceFloats / max(1, columnRows * window.outPlane)
        let enough = 256 / max(1, window.outPlane)
        return min(batch, max(1, fit, enough))
    }

    private var columnRows: Int { input / groups * kernel * kernel }
    private var isDirect: Bool { kernel == 1 && stride == 1 && padding == 0 && groups == 1 }
    private func isDirectlyServed(_ window: Window) -> Bool {
        groups == 1 && Kernels.directServes(outputs: output, channels: input, window)
    }
    private func isWinograd(_ window: Window, batch: Int) -> Bool {
        groups == 1
            && Kernels.winogradServes(
                outputs: output, channels: input, images: batch, window)
    }
    private var isDepthwise: Bool { groups == input && groups == output && groups > 1 }

    private func window(_ shape: SampleShape) -> Window {
        guard case .image(let channels, let height, let width) = shape, channels == input else {
            preconditionFailure("\(name) takes planes of \(input) channels, not \(shape)")
        }
        return Window(
            height: height, width: width, kernel: kernel, stride: stride, padding: padding)
    }
}
