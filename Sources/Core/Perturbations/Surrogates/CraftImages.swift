/// The images of a request in an order of their own, and their perturbations beside them.
///
/// The order is drawn once from the images' indices and the seed, so that neither the order in
/// which images are given nor one by class matters.
struct CraftImages {
    let shape: ImageShape
    let classes: Int
    /// One for every image, in crafting order.
    let keys: [Int32]
    let indices: [Int]
    private let pixels: [UInt8]
    /// Where each image stood in the request.
    private let order: [Int]
    /// Where each image stands among the targets of the task that is crafted with; empty where
    /// that is classification.
    private let places: [Int]

    /// - Parameter classes: How many classes the surrogate has; `nil`: those of the data, or as
    ///   many as there are keys of another kind.
    init(_ request: CraftRequest, classes: Int? = nil) {
        let canonical = request.canonicalOrder
        var random = request.stream("order", 0)
        order = random.permutation(canonical.count).map { canonical[$0] }
        let images = request.images.selecting(order)
        shape = images.shape
        pixels = images.pixels
        indices = images.indices
        keys = order.map { request.keys[$0] }
        if let known = request.targets?.images.indices {
            let lookup = Dictionary(zip(known, known.indices), uniquingKeysWith: { one, _ in one })
            places = images.indices.map { lookup[$0] ?? -1 }
        } else {
            places = []
        }
        let isByClass = request.settings.words["key"] == nil
        self.classes =
            classes ?? max(2, request.keyCount, isByClass ? request.images.classCount : 0)
    }

    var count: Int { keys.count }
    var size: Int { shape.elements }

    /// Batches of at most `size` images, in order.
    func batches(of size: Int) -> [Range<Int>] {
        stride(from: 0, to: count, by: size).map { $0..<min($0 + size, count) }
    }

    func elements(_ images: Range<Int>) -> Range<Int> {
        (images.lowerBound * size)..<(images.upperBound * size)
    }

    /// Clean images in 0...1.
    func clean(_ images: Range<Int>) -> [Float] { pixels[elements(images)].map { Float($0) / 255 } }

    func clean(_ chosen: [Int]) -> [Float] {
        chosen.flatMap { pixels[elements($0..<($0 + 1))] }.map { Float($0) / 255 }
    }

    /// What the images should be taken for.
    func targets(_ chosen: some Sequence<Int>) -> CraftTargets {
        CraftTargets(
            classes: chosen.map { keys[$0] },
            items: places.isEmpty ? [] : chosen.map { BatchItem(image: places[$0]) })
    }

    /// Numbers in crafting order, as the request's images are ordered.
    func restored(_ values: [Float]) -> [Float] {
        var restored = values
        for (place, image) in order.enumerated() {
            restored.replaceSubrange(
                (image * size)..<((image + 1) * size), with: values[elements(place..<(place + 1))])
        }
        return restored
    }
}

/// What a network makes of images with and without a perturbation.
struct SurrogateJudgement {
    private let network: SurrogateNetwork
    private var before: [CraftVerdict] = []
    private var after: [CraftVerdict] = []
    private var targetHit = 0

    /// - Parameter towards: The class that images were moved towards, if not their own.
    init(
        _ network: SurrogateNetwork, _ images: CraftImages, delta: [Float], batch: Int,
        towards: ((Int32) -> Int32)? = nil
    ) {
        self.network = network
        for range in images.batches(of: batch) {
            let clean = images.clean(range)
            let moved = zip(clean, delta[images.elements(range)]).map { min(max($0 + $1, 0), 1) }
            let targets = images.targets(range)
            before += network.judge(clean, targets: targets)
            after += network.judge(moved, targets: targets)
            if let towards {
                targetHit += network.judge(moved, targets: targets.mapped(towards)).count(
                    where: \.isRight)
            }
        }
    }

    private func share(_ part: Int) -> Double { Double(part) / Double(max(1, after.count)) }

    private func loss(_ verdicts: [CraftVerdict]) -> Double {
        verdicts.reduce(0) { $0 + $1.loss } / Double(max(1, verdicts.count))
    }

    /// Of perturbed images.
    var error: Double { network.error(after) }

    /// The lines of a report that every method with a network has.
    var report: [String: Double] {
        var report = [
            "surrogateLossClean": loss(before), "surrogateLossPoisoned": loss(after),
            "lossLoweredShare": share(zip(before, after).count { $1.loss <= $0.loss }),
        ]
        if network.isClassifier {
            report["surrogateAccuracyClean"] = share(before.count(where: \.isRight))
            report["surrogateAccuracyPoisoned"] = share(after.count(where: \.isRight))
        }
        report["surrogateLossUntrained"] = network.untrainedLoss
        return report
    }

    /// The share that the network takes for the class they were moved towards.
    var targetShare: Double { share(targetHit) }
}
