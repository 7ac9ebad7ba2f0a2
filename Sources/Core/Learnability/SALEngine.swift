/// Measures SAL layer by layer at one checkpoint (Definition 1 of arXiv 2509.08058).
///
/// Everything below the measured layer is constant during its walks, so what enters the part of
/// the network that changes is computed once a layer and batch, carried forward from the layer
/// before, and kept up to `cacheBytes`; beyond that it is computed again, batch by batch, with the
/// same bits. Only the layer's own weight gradient is worked out, and nothing below it.
public final class SALEngine {
    let network: Network
    let executor: Executor
    let settings: SALSettings
    private let images: SALImages
    private let trainingLoss: Double?
    private var cache: ActivationCache
    private var originSum: LossSum?

    /// - Parameters:
    ///   - network: A classifier; its first head is measured.
    ///   - parameters: The checkpoint. Weights move during a walk and are put back after it.
    ///   - images: The SAL images in their fixed order.
    ///   - augment: With `settings.views > 0`: what the fixed views are drawn from.
    ///   - random: Draws the views.
    ///   - trainingLoss: With `origin: training`: the epoch's running training loss in nats.
    ///   - cacheBytes: Memory for cached activations.
    public init(
        network: Network, parameters: ParameterSet, images: ImageSet, settings: SALSettings,
        augment: [TrainingSettings.Augmentation] = [], random: RandomStream = RandomStream(seed: 0),
        trainingLoss: Double? = nil, cacheBytes: Int = 1 << 30
    ) {
        self.network = network
        self.settings = settings
        self.trainingLoss = trainingLoss
        executor = Executor(network: network, parameters: parameters)
        self.images = SALImages(
            images: images, batch: settings.batch, views: augment.isEmpty ? 0 : settings.views,
            augment: augment, random: random)
        cache = ActivationCache(batches: self.images.batches.count, bytes: cacheBytes)
    }

    /// Mean loss and accuracy over the SAL images at the checkpoint; computed once.
    public var origin: LossSum {
        if let originSum { return originSum }
        var sum = LossSum()
        for batch in images.batches.indices {
            executor.prepare(batch: images.batches[batch].count)
            images.load(batch, into: executor)
            executor.forward(mode: .evaluation)
            sum += loss(batch, gradientScale: nil)
        }
        originSum = sum
        return sum
    }

    /// Measures the given layers, in order; `progress` hears how many are done.
    public func measure(
        layers: Range<Int>, progress: (Int) -> Void = { _ in }
    ) -> [SALMeasurement] {
        layers.map { layer in
            let measurement = measure(layer: layer)
            progress(layer - layers.lowerBound + 1)
            return measurement
        }
    }

    /// Measures one layer, or one filter (output channel) of it.
    public func measure(layer index: Int, filter: Int? = nil) -> SALMeasurement {
        let layer = network.measured[index]
        let origin = origin
        let part = MovingPart(network: network, layer: layer)
        fill(part)
        let walker = SALWalker(engine: self, part: part, filter: filter)
        let originLoss = settings.origin == .training ? trainingLoss ?? origin.mean : origin.mean
        return walker.measurement(origin: origin, originLoss: originLoss)
    }

    /// How many layers there are to measure.
    public var layerCount: Int { network.measured.count }

    // MARK: For the walker

    var batchCount: Int { images.batches.count }
    func imageCount(_ batch: Int) -> Int { images.batches[batch].count }
    var imageCount: Int { images.count }

    /// Runs the part of the network that changes on one batch.
    func forward(_ batch: Int, _ part: MovingPart) {
        bind(batch, part)
        executor.forward(nodes: part.nodes)
    }

    /// The loss of the batch whose prediction is at hand; `gradientScale` makes it ready for
    /// `backward`, 1 for the gradient of the batch's mean.
    func loss(_ batch: Int, gradientScale: Float?) -> LossSum {
        let (logits, shape) = executor.prediction(0)
        return images.labels(batch).withUnsafeBufferPointer {
            Losses.crossEntropy(
                logits, classes: shape.elements, labels: $0, weight: gradientScale ?? 1,
                gradient: gradientScale == nil ? nil : executor.headGradient(0))
        }
    }

    // MARK: Cached activations

    /// Makes what enters `part` ready for every batch that the cache has room for.
    private func fill(_ part: MovingPart) {
        for batch in images.batches.indices {
            executor.prepare(batch: images.batches[batch].count)
            guard cache.mayHold(part.entering.map { executor.shapes[$0].elements * executor.batch })
            else {
                cache.drop(batch)
                continue
            }
            compute(batch, part)
            cache.keep(batch, part.entering, of: executor)
        }
    }

    /// Brings the executor to where `part` can run on a batch.
    private func bind(_ batch: Int, _ part: MovingPart) {
        executor.prepare(batch: images.batches[batch].count)
        if cache.holds(batch, part.entering) {
            cache.bind(batch, to: executor)
        } else {
            compute(batch, part)
        }
    }

    /// Computes what enters `part`, from what the cache holds of earlier layers.
    private func compute(_ batch: Int, _ part: MovingPart) {
        cache.bind(batch, to: executor)
        let known = cache.nodes(batch)
        let wanted = network.path(to: part.entering, from: known)
        if wanted.contains(0) { images.load(batch, into: executor) }
        executor.forward(nodes: wanted.filter { $0 != 0 })
    }
}

/// The SAL images in their fixed order and batches, with their fixed views.
private struct SALImages {
    private let images: ImageSet
    private let items: [(image: Int, placement: Kernels.Placement)]
    let batches: [Range<Int>]

    init(
        images: ImageSet, batch: Int, views: Int, augment: [TrainingSettings.Augmentation],
        random: RandomStream
    ) {
        precondition(images.count > 0, "SAL needs at least one image")
        self.images = images
        items = (0..<max(1, views)).flatMap { view in
            (0..<images.count).map { image in
                let stream = random.derived("view \(view)", image)
                let placement =
                    views == 0
                    ? Kernels.Placement()
                    : Augmenter.placement(augment, height: images.height, random: stream)
                return (image, placement)
            }
        }
        let count = items.count
        batches = stride(from: 0, to: count, by: batch).map { $0..<min($0 + batch, count) }
    }

    var count: Int { items.count }

    func labels(_ batch: Int) -> [Int32] {
        batches[batch].map { images.labels[items[$0].image] }
    }

    func load(_ batch: Int, into executor: Executor) {
        images.pixels.withUnsafeBufferPointer { pixels in
            for (target, item) in items[batches[batch]].enumerated() {
                Kernels.loadImage(
                    pixels, source: item.image, channels: images.channels, height: images.height,
                    width: images.width, item.placement, target: target, batch: executor.batch,
                    into: executor.image)
            }
        }
    }
}

/// The part of a network that changes when one layer's weights move.
struct MovingPart {
    let layer: Network.MeasuredLayer
    /// The layer's node and all that depend on it, in order.
    let nodes: [Int]
    /// What they read from outside: constant during the walks.
    let entering: [Int]
    let plan: BackwardPlan

    init(network: Network, layer: Network.MeasuredLayer) {
        self.layer = layer
        var moves = Array(repeating: false, count: network.nodes.count)
        moves[layer.node] = true
        for node in network.nodes.indices.dropFirst(layer.node + 1) {
            moves[node] = network.nodes[node].inputs.contains { moves[$0] }
        }
        nodes = moves.indices.filter { moves[$0] }
        let read = Set(nodes.flatMap { network.nodes[$0].inputs })
        entering = read.filter { !moves[$0] }.sorted()
        plan = BackwardPlan(network, parameters: { $0 == layer.parameter })
    }
}

extension Network {
    /// The nodes to compute, in order, to know `wanted` when `known` are known. Contains 0 when
    /// the image is needed.
    func path(to wanted: [Int], from known: Set<Int>) -> [Int] {
        var needed = Set<Int>()
        var open = wanted.filter { !known.contains($0) }
        while let node = open.popLast() {
            guard needed.insert(node).inserted else { continue }
            open.append(contentsOf: nodes[node].inputs.filter { !known.contains($0) })
        }
        return needed.sorted()
    }
}

/// Activations kept per batch, up to a bound.
private struct ActivationCache {
    private var kept: [[Int: Tensor]]
    private let floatsMax: Int
    private var floats = 0

    init(batches: Int, bytes: Int) {
        kept = Array(repeating: [:], count: batches)
        floatsMax = bytes / MemoryLayout<Float>.stride
    }

    /// Whether one more batch of these sizes may be held beside the others.
    func mayHold(_ sizes: [Int]) -> Bool {
        floats + sizes.reduce(0, +) <= floatsMax
    }

    func holds(_ batch: Int, _ nodes: [Int]) -> Bool {
        nodes.allSatisfy { kept[batch][$0] != nil }
    }

    func nodes(_ batch: Int) -> Set<Int> { Set(kept[batch].keys) }

    func bind(_ batch: Int, to executor: Executor) {
        for (node, tensor) in kept[batch] { executor.bind(tensor, to: node) }
    }

    mutating func drop(_ batch: Int) {
        floats -= kept[batch].values.reduce(0) { $0 + $1.count }
        kept[batch] = [:]
    }

    /// Keeps copies of the executor's values at `nodes`, and nothing else, for `batch`.
    mutating func keep(_ batch: Int, _ nodes: [Int], of executor: Executor) {
        var next: [Int: Tensor] = [:]
        for node in nodes {
            if let tensor = kept[batch][node] {
                next[node] = tensor
            } else {
                let tensor = Tensor(zeros: executor.values[node].count)
                tensor.copy(from: executor.values[node])
                next[node] = tensor
            }
        }
        drop(batch)
        kept[batch] = next
        floats += next.values.reduce(0) { $0 + $1.count }
    }
}
