/// Convolution-based unlearnable data (Sadasivan et al., CVPR 2023, arXiv 2303.04278): every image
/// is blurred by a secret kernel of its key, and scaled so that its brightest pixel is white.
///
/// Kernel entries are uniform below `blur`, one random entry is 1, and all channels share the
/// kernel. An image that the kernel turns black stays black where the source divides by zero.
struct CUDAMethod: PerturbationMethod {
    let name = "cuda"
    let revision = 1
    let summary = "images blurred by a kernel of their class"

    let parameters = [
        MethodParameter(
            name: "side", kind: .number(default: 3, range: 3...15, whole: true),
            meaning: "the side of a kernel in pixels, odd"),
        MethodParameter(
            name: "blur", kind: .number(default: 0.3, range: 0.001...1, whole: false),
            meaning: "the largest entry of a kernel beside its one 1"),
    ]

    func validate(_ settings: MethodSettings, shape: ImageShape) throws(MethodError) {
        let side = Int(settings.numbers["side"] ?? 3)
        guard side % 2 == 1 else {
            throw .unsuited(method: name, reason: "side is \(side); a kernel has an odd side")
        }
    }

    func traits(_ settings: MethodSettings, shape: ImageShape) -> PerturbationTraits {
        PerturbationTraits(
            budget: .unbounded, form: .fromImage, probe: .reported, seedShare: 0.5)
    }

    func perturbation(_ request: CraftRequest) throws(MethodError) -> Perturbation {
        let images = request.images
        let side = Int(request.number("side"))
        var kernels: [Int32: [Double]] = [:]
        for key in Set(request.keys) { kernels[key] = kernel(request, key: key, side: side) }
        var delta: [Float] = []
        delta.reserveCapacity(images.pixels.count)
        for (image, key) in request.keys.enumerated() {
            let start = image * images.pixelsPerImage
            let clean = images.pixels[start..<(start + images.pixelsPerImage)]
            let blurred = Self.blurred(
                Array(clean), by: kernels[key] ?? [], side: side, shape: images.shape)
            for (level, value) in zip(clean, blurred) {
                delta.append(Float(value - Double(level) / 255))
            }
        }
        return Perturbation(delta: delta, words: ["kernelSides": "\(side)"])
    }

    /// The kernel of one key, row after row.
    private func kernel(_ request: CraftRequest, key: Int32, side: Int) -> [Double] {
        var random = request.stream("kernel", Int(key))
        let blur = request.number("blur")
        var kernel = (0..<(side * side)).map { _ in blur * random.uniformDouble() }
        kernel[random.integer(below: side * side)] = 1
        return kernel
    }

    /// Cross-correlation of every channel with zeros outside, over its maximum on all channels.
    private static func blurred(
        _ levels: [UInt8], by kernel: [Double], side: Int, shape: ImageShape
    ) -> [Double] {
        var blurred = [Double](repeating: 0, count: levels.count)
        let reach = side / 2
        for (place, weight) in kernel.enumerated() {
            let (down, right) = (place / side - reach, place % side - reach)
            let rows = max(0, -down)..<max(max(0, -down), min(shape.height, shape.height - down))
            let columns =
                max(0, -right)..<max(max(0, -right), min(shape.width, shape.width - right))
            for channel in 0..<shape.channels {
                for row in rows {
                    let to = (channel * shape.height + row) * shape.width
                    let from = to + down * shape.width + right
                    for column in columns {
                        blurred[to + column] += weight * Double(levels[from + column])
                    }
                }
            }
        }
        let largest = blurred.max() ?? 0
        return largest > 0 ? blurred.map { $0 / largest } : blurred
    }
}
