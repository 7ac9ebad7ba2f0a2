/// UEraser (arXiv 2303.15127): strong augmentation, of several draws the one with the largest loss.
struct UEraserDefense: BatchDefense {
    /// Whether JPEG comes first, as the public benchmark does against some attacks that it names.
    let compresses: Bool
    let revision = 1
    let parameters = [
        MethodParameter(
            name: "mode", kind: .word(default: "max", allowed: ["lite", "normal", "max"]),
            meaning: "epochs with several draws: none, the leading ones, or all"),
        MethodParameter(
            name: "draws", kind: .number(default: 5, range: 1...32, whole: true),
            meaning: "draws of which the one with the largest loss is trained on"),
        MethodParameter(
            name: "leadingEpochs", kind: .number(default: 50, range: 0...100_000, whole: true),
            meaning: "epochs with several draws, counted from the first",
            condition: .init(name: "mode", values: ["normal"])),
    ]
    let stage = DefenseStage.batch
    let needsClassTarget = true

    var name: String { compresses ? "ueraser-jpeg" : "ueraser" }
    var summary: String {
        "plasma and colour augmentation\(compresses ? " after JPEG" : ""), the hardest of some draws"
    }

    func reasonUnfit(shape: ImageShape) -> String? {
        compresses ? JPEGCodec.reasonUnfit(shape) : nil
    }

    func guarding(_ settings: DefenseSettings) -> any BatchGuard {
        let mode = settings.word("mode")
        let leading =
            mode == "max" ? Int.max : mode == "lite" ? 0 : Int(settings.number("leadingEpochs"))
        return UEraserGuard(
            compresses: compresses, draws: Int(settings.number("draws")), leadingEpochs: leading)
    }
}

private final class UEraserGuard: BatchGuard {
    private let draws: Int
    private let leadingEpochs: Int
    private let augmentation: UEraserAugmentation
    private var clean = BatchCopy()
    private var hardest = BatchCopy()
    private var statistics = RunningStatistics()
    private(set) var drawLosses: [[Double]] = []

    init(compresses: Bool, draws: Int, leadingEpochs: Int) {
        self.draws = draws
        self.leadingEpochs = leadingEpochs
        augmentation = UEraserAugmentation(compresses: compresses)
        drawLosses = Array(repeating: [], count: draws)
    }

    func apply(to batch: TrainingBatch, items: inout [BatchItem]) {
        for draw in drawLosses.indices { drawLosses[draw].removeAll(keepingCapacity: true) }
        if draws == 1 || batch.epoch >= leadingEpochs {
            return augmentation.apply(to: batch, items, draw: 0)
        }
        clean.take(batch.executor.image)
        statistics.keep(batch.executor.parameters)
        for draw in 0..<draws {
            if draw > 0 { batch.executor.image.copy(from: clean.images) }
            augmentation.apply(to: batch, items, draw: draw)
            batch.executor.forward(nodes: batch.meter.nodes, mode: .training)
            batch.meter.imageLosses(batch.executor, items[...], into: &drawLosses[draw])
            keepHarder(batch, draw)
        }
        // What is trained on alone moves the running statistics.
        statistics.putBack(batch.executor.parameters)
        batch.executor.image.copy(from: hardest.images)
    }

    /// Keeps the images of this draw whose loss is above that of all draws before.
    private func keepHarder(_ batch: TrainingBatch, _ draw: Int) {
        guard draw > 0 else { return hardest.take(batch.executor.image) }
        for place in 0..<batch.count {
            let loss = drawLosses[draw][place]
            let isHarder = (0..<draw).allSatisfy { loss > drawLosses[$0][place] }
            guard isHarder else { continue }
            Kernels.paste(
                hardest.images, image: place, from: batch.executor.image, image: place,
                of: batch.count, batch.shape, rows: 0..<batch.shape.height,
                columns: 0..<batch.shape.width)
        }
    }
}

/// What a network learns without a gradient, kept aside and put back.
struct RunningStatistics {
    private var places: [Int] = []
    private var kept: [Tensor] = []

    mutating func keep(_ parameters: ParameterSet) {
        if kept.isEmpty {
            places = parameters.specs.indices.filter { !parameters.specs[$0].isTrained }
            kept = places.map { Tensor(zeros: parameters.specs[$0].count) }
        }
        for (place, copy) in zip(places, kept) { copy.copy(from: parameters.tensors[place]) }
    }

    func putBack(_ parameters: ParameterSet) {
        for (place, copy) in zip(places, kept) { parameters.tensors[place].copy(from: copy) }
    }
}

/// One draw of the augmentation: plasma brightness, plasma contrast, a shuffle of channels, and
/// one of twelve operations for the whole batch.
final class UEraserAugmentation {
    private let compresses: Bool
    private var codec: JPEGCodec?
    private var bytes: [UInt8] = []
    private var canvas = Canvas()
    private var fractal = PlasmaFractal()
    private var counts = [Int](repeating: 0, count: 256)

    init(compresses: Bool) { self.compresses = compresses }

    func apply(to batch: TrainingBatch, _ items: [BatchItem], draw: Int) {
        var own = batch.ownRandom.derived("draw", draw)
        let quality = 10 + own.integer(below: 90)
        let operation = TrivialAugment.draw(&own)
        for (place, item) in items.enumerated() {
            var random = batch.random(of: item).derived("draw", draw)
            canvas.read(batch.executor.image, image: place, of: batch.count, batch.shape)
            if compresses { compress(quality: quality) }
            let plasma: Float = compresses ? 0.8 : 1
            if random.uniform() < plasma { brighten(&random) }
            if random.uniform() < plasma { contrast(&random) }
            if random.uniform() < 0.5 { shuffleChannels(&random) }
            operation.apply(to: &canvas, counts: &counts, random: &random)
            canvas.write(batch.executor.image, image: place, of: batch.count)
        }
    }

    private func compress(quality: Int) {
        let codec = codec ?? JPEGCodec(shape: canvas.shape)
        self.codec = codec
        bytes.removeAll(keepingCapacity: true)
        for value in canvas.pixels { bytes.append(UInt8(min(max(value, 0), 1) * 255 + 0.5)) }
        codec.roundTrip(&bytes, from: 0, quality: quality)
        for place in bytes.indices { canvas.pixels[place] = Float(bytes[place]) / 255 }
    }

    private func brighten(_ random: inout RandomStream) {
        let roughness = random.uniform(0.3, 0.7)
        let intensity = random.uniform(0.5, 1)
        mapPlasma(roughness, &random) { value, map in value + intensity * (2 * map - 1) }
    }

    private func contrast(_ random: inout RandomStream) {
        mapPlasma(random.uniform(0.3, 0.7), &random) { value, map in
            (value - 0.5) * 4 * map + 0.5
        }
    }

    /// Each channel under a map of its own.
    private func mapPlasma(
        _ roughness: Float, _ random: inout RandomStream, _ change: (Float, Float) -> Float
    ) {
        let shape = canvas.shape
        for channel in 0..<shape.channels {
            fractal.draw(
                height: shape.height, width: shape.width, roughness: roughness, random: &random)
            for row in 0..<shape.height {
                for column in 0..<shape.width {
                    let place = channel * shape.positions + row * shape.width + column
                    let value = change(canvas.pixels[place], fractal[row, column])
                    canvas.pixels[place] = min(max(value, 0), 1)
                }
            }
        }
    }

    private func shuffleChannels(_ random: inout RandomStream) {
        for last in stride(from: canvas.shape.channels - 1, to: 0, by: -1) {
            let other = random.integer(below: last + 1)
            guard other != last else { continue }
            for (from, to) in zip(canvas.plane(last), canvas.plane(other)) {
                canvas.pixels.swapAt(from, to)
            }
        }
    }
}
