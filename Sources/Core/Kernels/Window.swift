import CKernels

/// A square window sliding over a plane; output sizes are rounded down.
struct Window: Sendable {
    let height: Int
    let width: Int
    let kernel: Int
    let stride: Int
    let padding: Int

    var outHeight: Int { (height + 2 * padding - kernel) / stride + 1 }
    var outWidth: Int { (width + 2 * padding - kernel) / stride + 1 }
    var plane: Int { height * width }
    var outPlane: Int { outHeight * outWidth }

    init(height: Int, width: Int, kernel: Int, stride: Int, padding: Int) {
        precondition(
            height + 2 * padding >= kernel && width + 2 * padding >= kernel,
            "a window of \(kernel) does not fit \(height)x\(width) padded by \(padding)")
        self.height = height
        self.width = width
        self.kernel = kernel
        self.stride = stride
        self.padding = padding
    }

    var c: fathom_window {
        fathom_window(
            height: height, width: width, out_height: outHeight, out_width: outWidth,
            kernel: kernel, stride: stride, padding: padding)
    }
}
