/// An image and its four copies shifted by one pixel, cut into square patches: one row a patch,
/// ordered (row, column, channel) (shifted patch tokenisation, Lee et al., 2021).
struct ShiftedPatches: Layer {
    let side: Int

    func outputShape(_ inputs: [SampleShape]) -> SampleShape {
        guard case .image(let channels, let height, let width) = inputs[0],
            height % side == 0, width % side == 0
        else { preconditionFailure("patches of \(side) do not tile \(inputs[0])") }
        return .rows(height / side * (width / side), columns: 5 * channels * side * side)
    }

    func forward(_ call: LayerCall) {
        guard case .image(let channels, let height, let width) = call.inputShape(0) else { return }
        Kernels.shiftedPatches(
            call.input(0), channels: channels, images: call.batch, height: height, width: width,
            side: side, into: call.output)
    }

    func backward(_ call: LayerCall) {
        guard let gradient = call.inputGradient(0),
            case .image(let channels, let height, let width) = call.inputShape(0)
        else { return }
        Kernels.shiftedPatchesGradient(
            call.outputGradient, channels: channels, images: call.batch, height: height,
            width: width, side: side, into: gradient)
    }
}

/// A learned class token in front of the rows, and a learned position added to all.
struct ClassToken: Layer {
    let tokens: Int
    let dimension: Int

    var parameters: [ParameterSpec] {
        [
            ParameterSpec(
                name: "pos_embedding", shape: [1, tokens + 1, dimension], start: .normal),
            ParameterSpec(name: "cls_token", shape: [1, 1, dimension], start: .normal),
        ]
    }

    func outputShape(_ inputs: [SampleShape]) -> SampleShape {
        precondition(
            inputs[0] == .rows(tokens, columns: dimension), "tokens do not fit \(inputs[0])")
        return .rows(tokens + 1, columns: dimension)
    }

    func forward(_ call: LayerCall) {
        Kernels.prependToken(
            call.input(0), token: call.parameter(1), positions: call.parameter(0),
            images: call.batch, count: tokens * dimension, dimension: dimension, into: call.output)
    }

    func backward(_ call: LayerCall) {
        Kernels.prependTokenGradient(
            call.outputGradient, images: call.batch, count: tokens * dimension,
            dimension: dimension, into: call.inputGradient(0),
            tokenGradient: call.parameterGradient(1), positionGradient: call.parameterGradient(0))
    }
}

/// The first row of each image.
struct FirstToken: Layer {
    func outputShape(_ inputs: [SampleShape]) -> SampleShape {
        guard case .rows(_, let columns) = inputs[0] else {
            preconditionFailure("rows are wanted, not \(inputs[0])")
        }
        return .rows(1, columns: columns)
    }

    func forward(_ call: LayerCall) {
        let columns = call.outputShape.elements
        Kernels.firstRows(
            call.input(0), images: call.batch, stride: call.inputShape(0).elements,
            columns: columns, into: call.output)
    }

    func backward(_ call: LayerCall) {
        guard let gradient = call.inputGradient(0) else { return }
        Kernels.firstRowsGradient(
            call.outputGradient, images: call.batch, stride: call.inputShape(0).elements,
            columns: call.outputShape.elements, into: gradient)
    }
}
