import CKernels

extension Kernels {
    /// What a normalisation keeps: mean and inverse deviation, `count` of each, and of a batch norm
    /// in evaluation mode the slope and shift it comes to.
    struct Statistics {
        let tensor: Tensor
        let count: Int
        var mean: UnsafeMutablePointer<Float> { tensor.pointer }
        var inverse: UnsafeMutablePointer<Float> { tensor.pointer + count }
        var slope: Tensor { tensor.dropping(2 * count).prefix(count) }
        var shift: Tensor { tensor.dropping(3 * count).prefix(count) }
    }

    /// y = (x - mean) / deviation * gain + bias, `residual` added, and rectified if so.
    static func batchNormTrain(
        _ x: Tensor, gain: Tensor, bias: Tensor, runningMean: Tensor, runningVariance: Tensor,
        count: Int, stabilizer: Float, momentum: Float, saved: Statistics, residual: Tensor? = nil,
        rectifies: Bool = false, into y: Tensor
    ) {
        fathom_batchnorm_train(
            x.pointer, gain.pointer, bias.pointer, residual?.pointer, rectifies ? 1 : 0,
            saved.count, count, stabilizer, momentum, runningMean.pointer,
            runningVariance.pointer, saved.mean, saved.inverse, y.pointer)
    }

    static func batchNormEval(
        _ x: Tensor, gain: Tensor, bias: Tensor, runningMean: Tensor, runningVariance: Tensor,
        count: Int, stabilizer: Float, saved: Statistics, into y: Tensor
    ) {
        fathom_batchnorm_eval(
            x.pointer, gain.pointer, bias.pointer, runningMean.pointer, runningVariance.pointer,
            saved.count, count, stabilizer, saved.mean, saved.inverse, y.pointer)
    }

    /// Leaves what evaluation mode comes to in `saved`.
    static func batchNormFold(
        gain: Tensor, bias: Tensor, runningMean: Tensor, runningVariance: Tensor,
        stabilizer: Float, saved: Statistics
    ) {
        fathom_batchnorm_fold(
            gain.pointer, bias.pointer, runningMean.pointer, runningVariance.pointer, saved.count,
            stabilizer, saved.mean, saved.inverse, saved.slope.pointer, saved.shift.pointer)
    }

    /// - Parameters:
    ///   - rectified: The rectified result, if it was; only what it let through counts.
    ///   - passed: Where what it let through goes as well; may be `gradient` itself.
    static func batchNormGradient(
        _ x: Tensor, _ gradient: Tensor, gain: Tensor, saved: Statistics, count: Int,
        training: Bool, rectified: Tensor? = nil, into result: Tensor?, gainGradient: Tensor?,
        biasGradient: Tensor?, passed: Tensor? = nil
    ) {
        fathom_batchnorm_gradient(
            x.pointer, rectified?.pointer, gradient.pointer, gain.pointer, saved.mean,
            saved.inverse, saved.count, count, training ? 1 : 0, result?.pointer,
            gainGradient?.pointer, biasGradient?.pointer, passed?.pointer)
    }

    /// The gradient of slope * x + shift + residual, rectified to `rectified` if that is given:
    /// `result` is that of x, `passed` that of the residual; either may be `gradient` itself.
    static func finishGradient(
        rectified: Tensor?, _ gradient: Tensor, slope: Tensor?, channels: Int,
        into result: Tensor?, passed: Tensor?
    ) {
        fathom_finish_gradient(
            rectified?.pointer, gradient.pointer, slope?.pointer, channels,
            gradient.count / channels, result?.pointer, passed?.pointer)
    }

    static func layerNorm(
        _ x: Tensor, gain: Tensor, bias: Tensor, columns: Int, stabilizer: Float,
        saved: Statistics, into y: Tensor
    ) {
        fathom_layernorm(
            x.pointer, gain.pointer, bias.pointer, saved.count, columns, stabilizer, saved.mean,
            saved.inverse, y.pointer)
    }

    static func layerNormGradient(
        _ x: Tensor, _ gradient: Tensor, gain: Tensor, saved: Statistics, columns: Int,
        into result: Tensor?, gainGradient: Tensor?, biasGradient: Tensor?
    ) {
        fathom_layernorm_gradient(
            x.pointer, gradient.pointer, gain.pointer, saved.mean, saved.inverse, saved.count,
            columns, result?.pointer, gainGradient?.pointer, biasGradient?.pointer)
    }

    static func softmaxRows(_ x: Tensor, rows: Int, columns: Int, into y: Tensor) {
        fathom_softmax_rows(x.pointer, rows, columns, y.pointer)
    }

    static func softmaxRowsGradient(
        _ y: Tensor, _ gradient: Tensor, rows: Int, columns: Int, into result: Tensor
    ) {
        fathom_softmax_rows_gradient(y.pointer, gradient.pointer, rows, columns, result.pointer)
    }
}
