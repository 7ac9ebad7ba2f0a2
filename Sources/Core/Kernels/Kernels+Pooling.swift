import CKernels

extension Kernels {
    /// `chosen` holds one 32-bit place an output.
    static func maxPool(
        _ x: Tensor, planes: Int, _ window: Window, into y: Tensor, chosen: Tensor
    ) {
        chosen.pointer.withMemoryRebound(to: Int32.self, capacity: max(1, chosen.count)) {
            fathom_maxpool(x.pointer, planes, window.c, y.pointer, $0)
        }
    }

    static func maxPoolGradient(
        _ gradient: Tensor, chosen: Tensor, planes: Int, _ window: Window, into result: Tensor
    ) {
        chosen.pointer.withMemoryRebound(to: Int32.self, capacity: max(1, chosen.count)) {
            fathom_maxpool_gradient(gradient.pointer, $0, planes, window.c, result.pointer)
        }
    }

    static func averagePool(_ x: Tensor, planes: Int, _ window: Window, into y: Tensor) {
        fathom_avgpool(x.pointer, planes, window.c, y.pointer)
    }

    static func averagePoolGradient(
        _ gradient: Tensor, planes: Int, _ window: Window, into result: Tensor
    ) {
        fathom_avgpool_gradient(gradient.pointer, planes, window.c, result.pointer)
    }

    static func globalAverage(
        _ x: Tensor, channels: Int, images: Int, plane: Int, into y: Tensor
    ) {
        fathom_global_average(x.pointer, channels, images, plane, y.pointer)
    }

    static func globalAverageGradient(
        _ gradient: Tensor, channels: Int, images: Int, plane: Int, into result: Tensor
    ) {
        fathom_global_average_gradient(gradient.pointer, channels, images, plane, result.pointer)
    }

    static func upsampleNearest(
        _ x: Tensor, planes: Int, height: Int, width: Int, factor: Int, into y: Tensor
    ) {
        fathom_upsample_nearest(x.pointer, planes, height, width, factor, y.pointer)
    }

    static func upsampleNearestGradient(
        _ gradient: Tensor, planes: Int, height: Int, width: Int, factor: Int, into result: Tensor
    ) {
        fathom_upsample_nearest_gradient(
            gradient.pointer, planes, height, width, factor, result.pointer)
    }

    static func upsampleBilinear(
        _ x: Tensor, planes: Int, height: Int, width: Int, factor: Int, into y: Tensor
    ) {
        fathom_upsample_bilinear(x.pointer, planes, height, width, factor, y.pointer)
    }

    static func upsampleBilinearGradient(
        _ gradient: Tensor, planes: Int, height: Int, width: Int, factor: Int, into result: Tensor
    ) {
        fathom_upsample_bilinear_gradient(
            gradient.pointer, planes, height, width, factor, result.pointer)
    }
}
