extension Losses {
    /// Mean of |p/|p| - t| over planes: directions held against directions of length 1, number by
    /// number. Lengths are floored at `stabilizer`; only pixels that `mask` keeps count, each with
    /// all its channels. The gradient is that of the mean times `weight`.
    static func directionL1(
        _ prediction: Tensor, target: Tensor, mask: Tensor, channels: Int, stabilizer: Double,
        weight: Float = 1, gradient: Tensor?
    ) -> LossSum {
        let pixels = prediction.count / channels
        var sum = LossSum()
        sum.count = kept(mask, pixels: pixels) * channels
        let scale = Double(weight) / Double(max(1, sum.count))
        if let gradient { Kernels.clear(gradient) }
        for pixel in 0..<pixels where mask.pointer[pixel] != 0 {
            var square = 0.0
            for channel in 0..<channels {
                let number = Double(prediction.pointer[channel * pixels + pixel])
                square += number * number
            }
            let own = square.squareRoot()
            let length = max(own, stabilizer)
            // How far the signs of the differences point along the prediction itself, which its
            // length takes out of the slope; a floored length does not move.
            var along = 0.0
            for channel in 0..<channels {
                let place = channel * pixels + pixel
                let unit = Double(prediction.pointer[place]) / length
                let difference = unit - Double(target.pointer[place])
                sum.loss += abs(difference)
                along += sign(difference) * unit
            }
            guard let gradient else { continue }
            if own <= stabilizer { along = 0 }
            for channel in 0..<channels {
                let place = channel * pixels + pixel
                let unit = Double(prediction.pointer[place]) / length
                let slope = sign(unit - Double(target.pointer[place])) - unit * along
                gradient.pointer[place] = Float(slope / length * scale)
            }
        }
        return sum
    }

    private static func sign(_ number: Double) -> Double {
        number > 0 ? 1 : (number < 0 ? -1 : 0)
    }
}
