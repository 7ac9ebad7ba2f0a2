/// The loss fixtures: a scalar, and the gradient of the prediction.
enum GoldenLosses {
    /// `nil` when the case is no loss.
    static func checks(
        _ one: GoldenLayers.Case, _ numbers: GoldenLayerNumbers,
        _ tolerance: GoldenLayers.Notes.Tolerance
    ) -> [GoldenCase.Check]? {
        let known = ["cross_entropy", "l1_masked_mean", "mse_mean", "one_minus_cosine"]
        guard known.contains(one.op) else { return nil }
        guard let input = numbers.array("input0"), let shape = numbers.sampleShape(input),
            let values = numbers.laidOut("input0", shape),
            let output = numbers.array("output")?.floats?.first,
            let scale = numbers.array("grad_output")?.floats?.first,
            let expected = numbers.laidOut("grad_input0", shape)
        else { return [] }
        let prediction = Tensor(values)
        let gradient = Tensor(zeros: values.count)
        guard let sum = loss(one, numbers, shape, prediction, scale, gradient) else { return [] }
        return [
            GoldenCase.Check(
                what: "output", error: GoldenMeasure.worst([Float(sum.mean)], [output]),
                tolerance: tolerance.forward),
            GoldenCase.Check(
                what: "grad_input0", error: GoldenMeasure.worst(gradient.values, expected),
                tolerance: tolerance.gradient),
        ]
    }

    private static func loss(
        _ one: GoldenLayers.Case, _ numbers: GoldenLayerNumbers, _ shape: SampleShape,
        _ prediction: Tensor, _ scale: Float, _ gradient: Tensor
    ) -> LossSum? {
        if one.op == "cross_entropy" {
            return crossEntropy(one, numbers, shape, prediction, scale, gradient)
        }
        guard let target = numbers.laidOut("target", shape).map({ Tensor($0) }) else { return nil }
        switch one.op {
        case "mse_mean":
            return Losses.meanSquare(
                prediction, target: target, weight: scale, gradient: gradient)
        case "l1_masked_mean":
            guard let mask = numbers.array("mask")?.floats else { return nil }
            return Losses.maskedL1(
                prediction, target: target, mask: Tensor(mask), channels: planes(shape).channels,
                weight: scale, gradient: gradient)
        default:
            guard let stabilizer = one.stabilizer else { return nil }
            return Losses.oneMinusCosine(
                prediction, target: target, channels: planes(shape).channels,
                stabilizer: stabilizer, weight: scale, gradient: gradient)
        }
    }

    private static func crossEntropy(
        _ one: GoldenLayers.Case, _ numbers: GoldenLayerNumbers, _ shape: SampleShape,
        _ prediction: Tensor, _ scale: Float, _ gradient: Tensor
    ) -> LossSum? {
        guard let target = numbers.array("target")?.integers else { return nil }
        guard let ignored = one.ignoreIndex else {
            return target.map { Int32($0) }.withUnsafeBufferPointer {
                Losses.crossEntropy(
                    prediction, classes: shape.elements, labels: $0, weight: scale,
                    gradient: gradient)
            }
        }
        return target.map { $0 == ignored ? 255 : UInt8($0) }.withUnsafeBufferPointer {
            Losses.pixelCrossEntropy(
                prediction, classes: planes(shape).channels, labels: $0, weight: scale,
                gradient: gradient)
        }
    }
}
