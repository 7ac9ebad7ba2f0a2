/// Multi-head self-attention on rows of queries, keys and values, `[tokens][3 * dim]`, each third
/// head after head (Vaswani et al., 2017).
///
/// With a temperature (small-data vision transformers) the logits are scaled by exp(T) of one
/// learned T and a token does not attend to itself; else by one over the root of the head's width.
struct Attention: Layer {
    /// The temperature's name; `nil` for plain attention.
    var temperature: String?
    let dimension: Int
    let heads: Int

    var parameters: [ParameterSpec] {
        guard let temperature else { return [] }
        let start = -0.5 * Float(Kernels.naturalLog(Double(width)))
        return [ParameterSpec(name: temperature, shape: [], start: .constant(start))]
    }

    func outputShape(_ inputs: [SampleShape]) -> SampleShape {
        guard case .rows(let tokens, let columns) = inputs[0], columns == 3 * dimension else {
            preconditionFailure("attention takes rows of \(3 * dimension), not \(inputs[0])")
        }
        return .rows(tokens, columns: dimension)
    }

    /// The attention weights, `[images][heads][tokens][tokens]`.
    func savedCount(_ inputs: [SampleShape], batch: Int) -> Int {
        let tokens = inputs[0].elements / (3 * dimension)
        return batch * heads * tokens * tokens
    }

    func scratchCount(_ inputs: [SampleShape], batch: Int) -> Int {
        let tokens = inputs[0].elements / (3 * dimension)
        return 2 * tokens * tokens
    }

    func multiplyAdds(_ inputs: [SampleShape]) -> Int {
        let tokens = inputs[0].elements / (3 * dimension)
        return 2 * tokens * tokens * dimension
    }

    func forward(_ call: LayerCall) {
        let tokens = tokens(call)
        let scale = scale(call)
        eachHead(call) { place in
            Kernels.multiply(
                call.input(0), call.input(0), into: call.scratch, m: tokens, n: tokens, k: width,
                transposeB: true, alpha: scale, aOffset: place.query, bOffset: place.key,
                aStride: 3 * dimension, bStride: 3 * dimension)
            if temperature != nil { Kernels.maskDiagonal(call.scratch, size: tokens) }
            Kernels.softmaxRows(
                call.scratch, rows: tokens, columns: tokens, into: call.saved, at: place.weights)
            Kernels.multiply(
                call.saved, call.input(0), into: call.output, m: tokens, n: width, k: tokens,
                aOffset: place.weights, bOffset: place.value, cOffset: place.output,
                bStride: 3 * dimension, cStride: dimension)
        }
    }

    func backward(_ call: LayerCall) {
        var temperatureGradient = 0.0
        eachHead(call) { place in
            temperatureGradient += backwardHead(call, place)
        }
        if temperature != nil, let gradient = call.parameterGradient(0) {
            gradient[0] = Float(temperatureGradient)
        }
    }

    /// Answers the head's part of the temperature's gradient: the sum of gradient times logit.
    private func backwardHead(_ call: LayerCall, _ place: Place) -> Double {
        let tokens = tokens(call)
        let area = tokens * tokens
        let scale = scale(call)
        let stride = 3 * dimension
        // The gradient of the weights, then (in the scratch's first half) of the scaled logits.
        Kernels.multiply(
            call.outputGradient, call.input(0), into: call.scratch, m: tokens, n: tokens, k: width,
            transposeB: true, aOffset: place.output, bOffset: place.value, cOffset: area,
            aStride: dimension, bStride: stride)
        Kernels.softmaxRowsGradient(
            call.saved, at: place.weights, call.scratch, from: area, rows: tokens, columns: tokens,
            into: call.scratch)
        if let gradient = call.inputGradient(0) {
            Kernels.multiply(
                call.saved, call.outputGradient, into: gradient, m: tokens, n: width, k: tokens,
                transposeA: true, aOffset: place.weights, bOffset: place.output,
                cOffset: place.value, bStride: dimension, cStride: stride)
            Kernels.multiply(
                call.scratch, call.input(0), into: gradient, m: tokens, n: width, k: tokens,
                alpha: scale, bOffset: place.key, cOffset: place.query, bStride: stride,
                cStride: stride)
            Kernels.multiply(
                call.scratch, call.input(0), into: gradient, m: tokens, n: width, k: tokens,
                transposeA: true, alpha: scale, bOffset: place.query, cOffset: place.key,
                bStride: stride, cStride: stride)
        }
        guard temperature != nil, call.parameterGradient(0) != nil else { return 0 }
        Kernels.multiply(
            call.input(0), call.input(0), into: call.scratch, m: tokens, n: tokens, k: width,
            transposeB: true, alpha: scale, aOffset: place.query, bOffset: place.key, cOffset: area,
            aStride: stride, bStride: stride)
        return Kernels.dot(call.scratch, 0, call.scratch, area, count: area)
    }

    /// Where one head of one image lies.
    private struct Place {
        let query: Int
        let key: Int
        let value: Int
        let output: Int
        let weights: Int
    }

    private func eachHead(_ call: LayerCall, _ body: (Place) -> Void) {
        let tokens = tokens(call)
        for image in 0..<call.batch {
            for head in 0..<heads {
                let row = image * tokens * 3 * dimension + head * width
                body(
                    Place(
                        query: row, key: row + dimension, value: row + 2 * dimension,
                        output: image * tokens * dimension + head * width,
                        weights: (image * heads + head) * tokens * tokens))
            }
        }
    }

    private var width: Int { dimension / heads }

    private func tokens(_ call: LayerCall) -> Int {
        call.inputShape(0).elements / (3 * dimension)
    }

    private func scale(_ call: LayerCall) -> Float {
        guard temperature != nil else { return 1 / Float(width).squareRoot() }
        return Float(Kernels.exponential(Double(call.parameter(0)[0])))
    }
}
