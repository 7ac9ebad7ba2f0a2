/// The mean of each of `rows` times `columns` blocks of a plane, as even as whole pixels allow.
struct BlockMean: Layer {
    let rows: Int
    let columns: Int

    func outputShape(_ inputs: [SampleShape]) -> SampleShape {
        guard case .image(let channels, let height, let width) = inputs[0],
            height >= rows, width >= columns
        else { preconditionFailure("\(inputs[0]) has no \(rows) times \(columns) blocks") }
        return .image(channels: channels, height: rows, width: columns)
    }

    func forward(_ call: LayerCall) {
        guard case .image(let channels, let height, let width) = call.inputShape(0) else { return }
        Kernels.blockMeans(
            call.input(0), planes: channels * call.batch, height: height, width: width, rows: rows,
            columns: columns, into: call.output)
    }

    func backward(_ call: LayerCall) {
        guard let gradient = call.inputGradient(0),
            case .image(let channels, let height, let width) = call.inputShape(0)
        else { return }
        Kernels.blockMeansGradient(
            call.outputGradient, planes: channels * call.batch, height: height, width: width,
            rows: rows, columns: columns, into: gradient)
    }
}
