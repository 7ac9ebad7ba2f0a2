/// A 2-D convolution: `[out, in / groups, k, k]` over planes, with or without bias.
///
/// One group: unrolled columns times the weight matrix, a slice of the batch at a time, or no
/// unrolling at all for 1x1. As many groups as channels: a direct loop. Else: group by group.
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
        guard !isDirect, !isDepthwise else { return 0 }
        let window = window(inputs[0])
        return columnRows * imagesPerSlice(window, batch: batch) * window.outPlane
    }

    func multiplyAdds(_ inputs: [SampleShape]) -> Int {
        output * columnRows * window(inputs[0]).outPlane
    }

    func forward(_ call: LayerCall) {
        let window = window(call.inputShape(0))
        let columns = call.batch * window.outPlane
        if isDepthwise {
            Kernels.depthwise(
                call.input(0), call.parameter(0), channels: output, images: call.batch, window,
                into: call.output)
        } else if isDirect {
            Kernels.multiply(
                call.parameter(0), call.input(0), into: call.output, m: output, n: columns,
                k: input)
        } else {
            slices(call, window) { first, count, group in
                unroll(call, window, first: first, count: count, group: group)
                Kernels.multiply(
                    call.parameter(0), call.scratch, into: call.output, m: output / groups,
                    n: count * window.outPlane, k: columnRows,
                    aOffset: group * output / groups * columnRows,
                    cOffset: group * output / groups * columns + first * window.outPlane,
                    cStride: columns)
            }
        }
        if hasBias {
            Kernels.addToRows(call.parameter(1), rows: output, columns: columns, of: call.output)
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

    private func backwardUnrolled(_ call: LayerCall, _ window: Window) {
        let columns = call.batch * window.outPlane
        let rows = output / groups
        if let gradient = call.parameterGradient(0) {
            slices(call, window) { first, count, group in
                unroll(call, window, first: first, count: count, group: group)
                Kernels.multiply(
                    call.outputGradient, call.scratch, into: gradient, m: rows, n: columnRows,
                    k: count * window.outPlane, transposeB: true, beta: first == 0 ? 0 : 1,
                    aOffset: group * rows * columns + first * window.outPlane,
                    cOffset: group * rows * columnRows, aStride: columns)
            }
        }
        guard let gradient = call.inputGradient(0) else { return }
        Kernels.clear(gradient)
        slices(call, window) { first, count, group in
            Kernels.multiply(
                call.parameter(0), call.outputGradient, into: call.scratch, m: columnRows,
                n: count * window.outPlane, k: rows, transposeA: true,
                aOffset: group * rows * columnRows,
                bOffset: group * rows * columns + first * window.outPlane, bStride: columns)
            Kernels.roll(
                call.scratch, channels: input / groups, images: call.batch, first: first,
                count: count, window, onto: gradient,
                offset: group * (input / groups) * call.batch * window.plane)
        }
    }

    private func unroll(
        _ call: LayerCall, _ window: Window, first: Int, count: Int, group: Int
    ) {
        Kernels.unroll(
            call.input(0), offset: group * (input / groups) * call.batch * window.plane,
            channels: input / groups, images: call.batch, first: first, count: count, window,
            into: call.scratch)
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

    /// A pure function of the shape, since a product's bits depend on its size.
    private func imagesPerSlice(_ window: Window, batch: Int) -> Int {
        let sliceFloats = 128 * 1024
        return min(batch, max(1, sliceFloats / max(1, columnRows * window.outPlane)))
    }

    private var columnRows: Int { input / groups * kernel * kernel }
    private var isDirect: Bool { kernel == 1 && stride == 1 && padding == 0 && groups == 1 }
    private var isDepthwise: Bool { groups == input && groups == output && groups > 1 }

    private func window(_ shape: SampleShape) -> Window {
        guard case .image(let channels, let height, let width) = shape, channels == input else {
            preconditionFailure("\(name) takes planes of \(input) channels, not \(shape)")
        }
        return Window(
            height: height, width: width, kernel: kernel, stride: stride, padding: padding)
    }
}
