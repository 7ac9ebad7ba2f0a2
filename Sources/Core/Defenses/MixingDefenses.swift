/// Mixup with a share of its own for every image (arXiv 1710.09412).
struct MixupDefense: BatchDefense {
    let name = "mixup"
    let revision = 1
    let summary = "every image is blended with another one, and so are their labels"
    let parameters = [
        MethodParameter(
            name: "lambdaMax", kind: .number(default: 1, range: 0...1, whole: false),
            meaning: "the other image's share is uniform between 0 and this")
    ]
    let stage = DefenseStage.batch
    let needsClassTarget = true

    func guarding(_ settings: DefenseSettings) -> any BatchGuard {
        MixupGuard(largest: Float(settings.number("lambdaMax")))
    }
}

private final class MixupGuard: BatchGuard {
    private let largest: Float
    private var partners = Partners()
    private var copy = BatchCopy()

    init(largest: Float) { self.largest = largest }

    func apply(to batch: TrainingBatch, items: inout [BatchItem]) {
        partners.draw(items.count, random: batch.ownRandom)
        copy.take(batch.executor.image)
        for place in items.indices {
            var random = batch.random(of: items[place])
            let share = largest * random.uniform()
            Kernels.blend(
                batch.executor.image, image: place, with: copy.images, image: partners[place],
                of: batch.count, batch.shape, share: share)
            items[place].partner = items[partners[place]].image
            items[place].share = share
        }
    }
}

/// CutMix with a box of its own for every image (arXiv 1905.04899).
struct CutMixDefense: BatchDefense {
    let name = "cutmix"
    let revision = 1
    let summary = "a box of every image is another one's, and labels count by area"
    let parameters = [
        MethodParameter(
            name: "probability", kind: .number(default: 1, range: 0...1, whole: false),
            meaning: "how probably a batch is mixed at all")
    ]
    let stage = DefenseStage.batch
    let needsClassTarget = true

    func guarding(_ settings: DefenseSettings) -> any BatchGuard {
        CutMixGuard(probability: Float(settings.number("probability")))
    }
}

private final class CutMixGuard: BatchGuard {
    private let probability: Float
    private var partners = Partners()
    private var copy = BatchCopy()

    init(probability: Float) { self.probability = probability }

    func apply(to batch: TrainingBatch, items: inout [BatchItem]) {
        var own = batch.ownRandom.derived("whether")
        guard own.uniform() < probability else { return }
        partners.draw(items.count, random: batch.ownRandom)
        copy.take(batch.executor.image)
        for place in items.indices {
            var random = batch.random(of: items[place])
            let box = Box(in: batch.shape, random: &random)
            Kernels.paste(
                batch.executor.image, image: place, from: copy.images, image: partners[place],
                of: batch.count, batch.shape, rows: box.rows, columns: box.columns)
            items[place].partner = items[partners[place]].image
            items[place].share =
                Float(box.rows.count * box.columns.count) / Float(batch.shape.positions)
        }
    }

    /// A box inside an image, whose expected area is a uniform share of it.
    private struct Box {
        let rows: Range<Int>
        let columns: Range<Int>

        init(in shape: ImageShape, random: inout RandomStream) {
            let side = (1 - random.uniform()).squareRoot()
            let height = Int(side * Float(shape.height))
            let width = Int(side * Float(shape.width))
            let top = random.integer(below: shape.height - height + 1)
            let left = random.integer(below: shape.width - width + 1)
            rows = top..<(top + height)
            columns = left..<(left + width)
        }
    }
}
