import CKernels

extension Kernels {
    /// What is done to a convolution's results before they are left: slope * y + shift + residual,
    /// and then 0 for what is negative. What is `nil` is left out.
    struct Finish {
        var slope: Tensor?
        var shift: Tensor?
        var residual: Tensor?
        var rectifies = false

        var c: fathom_finish {
            fathom_finish(
                slope: slope.map { UnsafePointer($0.pointer) },
                shift: shift.map { UnsafePointer($0.pointer) },
                residual: residual.map { UnsafePointer($0.pointer) },
                rectifies: rectifies ? 1 : 0)
        }

        /// That of channels `first...` of planes whose channels have `size` numbers.
        func dropping(channels first: Int, size: Int) -> Finish {
            Finish(
                slope: slope?.dropping(first), shift: shift?.dropping(first),
                residual: residual?.dropping(first * size), rectifies: rectifies)
        }
    }

    /// Finishes planes of `channels` that no convolution has finished.
    static func finish(_ y: Tensor, channels: Int, _ finish: Finish) {
        let count = y.count / channels
        fathom_finish_rows(finish.c, channels, 0, count, count, y.pointer)
    }

    /// One group of a convolution: its planes, weights and results begin at the offsets.
    static func convolve(
        _ x: Tensor, _ weight: Tensor, outputs: Int, channels: Int, images: Int, _ window: Window,
        finish: Finish, into y: Tensor, xOffset: Int, weightOffset: Int, yOffset: Int
    ) {
        fathom_convolve(
            x.pointer + xOffset, weight.pointer + weightOffset, outputs, channels, images,
            window.c, finish.c, y.pointer + yOffset)
    }

    static func convolveWeightGradient(
        _ x: Tensor, _ gradient: Tensor, outputs: Int, channels: Int, images: Int,
        _ window: Window, into result: Tensor, xOffset: Int, weightOffset: Int, yOffset: Int
    ) {
        fathom_convolve_weight_gradient(
            x.pointer + xOffset, gradient.pointer + yOffset, outputs, channels, images, window.c,
            result.pointer + weightOffset)
    }

    /// Whether a convolution, or its weight's gradient, is worked out in place for its few channels,
    /// by its shape alone.
    static func directServes(outputs: Int, channels: Int, _ window: Window) -> Bool {
        fathom_direct_serves(outputs, channels, window.c) != 0
    }

    static func directGradientServes(outputs: Int, channels: Int, _ window: Window) -> Bool {
        fathom_direct_gradient_serves(outputs, channels, window.c) != 0
    }

    static func direct(
        _ x: Tensor, _ weight: Tensor, outputs: Int, channels: Int, images: Int, _ window: Window,
        finish: Finish, into y: Tensor
    ) {
        fathom_direct_convolve(
            x.pointer, weight.pointer, outputs, channels, images, window.c, finish.c, y.pointer)
    }

    static func directWeightGradient(
        _ x: Tensor, _ gradient: Tensor, outputs: Int, channels: Int, images: Int,
        _ window: Window, into result: Tensor
    ) {
        fathom_direct_weight_gradient(
            x.pointer, gradient.pointer, outputs, channels, images, window.c, result.pointer)
    }

    /// Whether Winograd's algorithm works a convolution out, by its shape alone.
    static func winogradServes(
        outputs: Int, channels: Int, images: Int, _ window: Window
    ) -> Bool {
        fathom_winograd_serves(outputs, channels, images, window.c) != 0
    }

    static func winograd(
        _ x: Tensor, _ weight: Tensor, outputs: Int, channels: Int, images: Int, _ window: Window,
        finish: Finish, into y: Tensor
    ) {
        fathom_winograd(
            x.pointer, weight.pointer, outputs, channels, images, window.c, finish.c, y.pointer)
    }

    static func winogradInputGradient(
        _ gradient: Tensor, _ weight: Tensor, outputs: Int, channels: Int, images: Int,
        _ window: Window, into result: Tensor
    ) {
        fathom_winograd_input_gradient(
            gradient.pointer, weight.pointer, outputs, channels, images, window.c, result.pointer)
    }

    static func winogradWeightGradient(
        _ x: Tensor, _ gradient: Tensor, outputs: Int, channels: Int, images: Int,
        _ window: Window, into result: Tensor
    ) {
        fathom_winograd_weight_gradient(
            x.pointer, gradient.pointer, outputs, channels, images, window.c, result.pointer)
    }

    /// Room that `roll` needs before and after the columns it reads.
    static let rollMargin = 32

    /// Sums columns, from `rollMargin` on, into the images they were unrolled from.
    static func roll(
        _ columns: Tensor, channels: Int, images: Int, first: Int, count: Int, _ window: Window,
        into gradient: Tensor, offset: Int
    ) {
        fathom_col2im(
            columns.pointer + rollMargin, channels, images, first, count, window.c,
            gradient.pointer + offset)
    }

    static func depthwise(
        _ x: Tensor, _ weight: Tensor, channels: Int, images: Int, _ window: Window,
        into y: Tensor
    ) {
        fathom_depthwise(x.pointer, weight.pointer, channels, images, window.c, y.pointer)
    }

    static func depthwiseInputGradient(
        _ gradient: Tensor, _ weight: Tensor, channels: Int, images: Int, _ window: Window,
        into result: Tensor
    ) {
        fathom_depthwise_input_gradient(
            gradient.pointer, weight.pointer, channels, images, window.c, result.pointer)
    }

    static func depthwiseWeightGradient(
        _ x: Tensor, _ gradient: Tensor, channels: Int, images: Int, _ window: Window,
        into result: Tensor
    ) {
        fathom_depthwise_weight_gradient(
            x.pointer, gradient.pointer, channels, images, window.c, result.pointer)
    }

    static func scatter2x2(
        _ blocks: Tensor, channels: Int, images: Int, height: Int, width: Int, into y: Tensor
    ) {
        fathom_scatter2x2(blocks.pointer, channels, images, height, width, y.pointer)
    }

    static func gather2x2(
        _ y: Tensor, channels: Int, images: Int, height: Int, width: Int, into blocks: Tensor
    ) {
        fathom_gather2x2(y.pointer, channels, images, height, width, blocks.pointer)
    }

    static func addToRows(_ bias: Tensor, rows: Int, columns: Int, of y: Tensor) {
        fathom_add_to_rows(bias.pointer, rows, columns, y.pointer)
    }

    static func addRow(_ bias: Tensor, rows: Int, columns: Int, to y: Tensor) {
        fathom_add_row(bias.pointer, rows, columns, y.pointer)
    }

    static func rowSums(_ x: Tensor, rows: Int, columns: Int, into sums: Tensor) {
        fathom_row_sums(x.pointer, rows, columns, sums.pointer)
    }

    static func columnSums(_ x: Tensor, rows: Int, columns: Int, into sums: Tensor) {
        fathom_column_sums(x.pointer, rows, columns, sums.pointer)
    }

    static func imagesToRows(
        _ x: Tensor, channels: Int, images: Int, plane: Int, into y: Tensor
    ) {
        fathom_images_to_rows(x.pointer, channels, images, plane, y.pointer)
    }

    static func rowsToImages(
        _ x: Tensor, channels: Int, images: Int, plane: Int, into y: Tensor
    ) {
        fathom_rows_to_images(x.pointer, channels, images, plane, y.pointer)
    }
}
