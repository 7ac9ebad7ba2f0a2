import CKernels

extension Kernels {
    /// What a normalisation keeps: mean and inverse deviation, `count` of each.
    struct Statistics {
        let tensor: Tensor
        let count: Int
        var mean: UnsafeMutablePointer<Float> { tensor.pointer }
        var inverse: UnsafeMutablePointer<Float> { tensor.pointer + count }
    }

    static func batchNormTrain(
        _ x: Tensor, gain: Tensor, bias: Tensor, runningMean: Tensor, runningVariance: Tensor,
        count: Int, stabilizer: Float, momentum: Float, saved: Statistics, into y: Tensor
    ) {
        fathom_batchnorm_train(
            x.pointer, gain.pointer, bias.pointer, saved.count, count, stabilizer, momentum,
            runningMean.pointer, runningVariance.pointer, saved.mean, saved.inverse, y.pointer)
    }

    static func batchNormEval(
        _ x: Tensor, gain: Tensor, bias: Tensor, runningMean: Tensor, runningVariance: Tensor,
        count: Int, stabilizer: Float, saved: Statistics, into y: Tensor
    ) {
        fathom_batchnorm_eval(
            x.pointer, gain.pointer, bias.pointer, runningMean.pointer, runningVariance.pointer,
            saved.count, count, stabilizer, saved.mean, saved.inverse, y.pointer)
    }

    static func batchNormGradient(
        _ x: Tensor, _ gradient: Tensor, gain: Tensor, saved: Statistics, count: Int,
        training: Bool, into result: Tensor?, gainGradient: Tensor?, biasGradient: Tensor?
    ) {
        fathom_batchnorm_gradient(
            x.pointer, gradient.pointer, gain.pointer, saved.mean, saved.inverse, saved.count,
            count, training ? 1 : 0, result?.pointer, gainGradient?.pointer,
            biasGradient?.pointer)
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
