/// A black square in every image (arXiv 1708.04552).
struct CutoutDefense: BatchDefense {
    let name = "cutout"
    let revision = 1
    let summary = "a black square at a random place of every image"
    let parameters = [
        MethodParameter(
            name: "side", kind: .number(default: nil, range: 0...1_024, whole: true),
            meaning: "side of the square, in pixels; half an image's if absent")
    ]
    let stage = DefenseStage.sample

    func standard(of parameter: String, words: [String: String], shape: ImageShape) -> Double {
        Double(min(shape.height, shape.width) / 2)
    }

    func validate(_ settings: DefenseSettings, shape: ImageShape) throws(DefenseError) {
        let side = Int(settings.number("side"))
        guard side <= min(shape.height, shape.width) else {
            throw .unsuited(
                defense: name,
                reason: "side is \(side), and images are \(shape.height)x\(shape.width)")
        }
    }

    func guarding(_ settings: DefenseSettings) -> any BatchGuard {
        CutoutGuard(side: Int(settings.number("side")))
    }
}

private final class CutoutGuard: BatchGuard {
    private let side: Int

    init(side: Int) { self.side = side }

    /// The centre is any pixel, and what lies outside the image is cut off.
    func apply(to batch: TrainingBatch, items: inout [BatchItem]) {
        for (place, item) in items.enumerated() {
            var random = batch.random(of: item)
            let top = random.integer(below: batch.shape.height) - side / 2
            let left = random.integer(below: batch.shape.width) - side / 2
            Kernels.clear(
                batch.executor.image, image: place, of: batch.count, batch.shape,
                rows: max(0, top)..<min(batch.shape.height, top + side),
                columns: max(0, left)..<min(batch.shape.width, left + side))
        }
    }
}
