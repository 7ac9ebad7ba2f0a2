import CKernels

extension Kernels {
    static func unroll(
        _ x: Tensor, offset: Int, channels: Int, images: Int, first: Int, count: Int,
        _ window: Window, into columns: Tensor
    ) {
        fathom_im2col(
            x.pointer + offset, channels, images, first, count, window.c, columns.pointer)
    }

    static func roll(
        _ columns: Tensor, channels: Int, images: Int, first: Int, count: Int, _ window: Window,
        onto gradient: Tensor, offset: Int
    ) {
        fathom_col2im(
            columns.pointer, channels, images, first, count, window.c, gradient.pointer + offset)
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
