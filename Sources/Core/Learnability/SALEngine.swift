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
    private let meter: ObjectiveMeter
    private var cache: ActivationCache
    private var batchOrigins: [ObjectiveSum] = []
    /// What the batches of one evaluation were worth; its memory is used again by the next.
    private var batchSums: [ObjectiveSum] = []

    /// - Parameters:
    ///   - network: Any number of heads; what is measured is the objective's.
    ///   - parameters: The checkpoint. Weights move during a walk and are put back after it.
    ///   - images: The SAL images in their fixed order.
    ///   - augment: With `settings.views > 0`: what the fixed views are drawn from.
    ///   - random: Draws the views.
    ///   - trainingLoss: With `origin: training`: the epoch's running training loss in nats.
    ///   - cacheBytes: Memory for cached activations.
    ///   - objective: The loss that is measured: one task's, or a weighted sum. `nil`: the
    ///     cross-entropy of the images' classes at the first head.
    ///   - normalization: What the network was trained to see instead of pixels in 0...1.
    public init(
        network: Network, parameters: ParameterSet, images: ImageSet, settings: SALSettings,
        augment: [TrainingSettings.Augmentation] = [], random: RandomStream = RandomStream(seed: 0),
        trainingLoss: Double? = nil, cacheBytes: Int = 1 << 30, objective: Objective? = nil,
        normalization: ImageNormalization? = nil
    ) {
        self.network = network
        self.settings = settings
        self.trainingLoss = trainingLoss
        executor = Executor(network: network, parameters: parameters)
        self.images = SALImages(
            images: images, batch: settings.batch, views: augment.isEmpty ? 0 : settings.views,
            augment: augment, random: random, normalization: normalization)
        meter = ObjectiveMeter(
            objective: objective ?? Objective(classesOf: images, network: network),
            network: network)
        cache = ActivationCache(batches: self.images.batches.count, bytes: cacheBytes)
    }

    /// Mean loss and accuracy over the SAL images at the checkpoint; computed once.
    public var origin: LossSum { originSum.total }

    private var originSum: ObjectiveSum {
        if batchOrigins.isEmpty { batchOrigins = images.batches.indices.map(evaluated) }
        return batchOrigins.reduce(into: ObjectiveSum(meter.objective)) { $0 += $1 }
    }

    private func evaluated(_ batch: Int) -> ObjectiveSum {
        executor.prepare(batch: images.batches[batch].count)
        images.load(batch, into: executor)
        executor.forward(fusing: meter.nodes)
        return meter.losses(executor, images.items(batch), scale: { _ in nil })
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

    /// Measures the given entries, in order; `progress` hears how many are done.
    public func measure(
        entries: ArraySlice<SALEntry>, progress: (Int) -> Void = { _ in }
    ) -> [SALMeasurement] {
        entries.enumerated().map { done, entry in
            let measurement = measure(layer: entry.layer, filter: entry.filter)
            progress(done + 1)
            return measurement
        }
    }

    /// Measures one layer, or one filter (output channel) of it.
    public func measure(layer index: Int, filter: Int? = nil) -> SALMeasurement {
        let layer = network.measured[index]
        let origin = originSum
        let part = MovingPart(network: network, layer: layer, meter: meter)
        // A layer that no loss depends on is not walked.
        if !part.nodes.isEmpty { fill(part) }
        let walker = SALWalker(engine: self, part: part, filter: filter)
        let originLoss = settings.origin == .training ? trainingLoss ?? origin.mean : origin.mean
        return walker.measurement(origin: origin, originLoss: originLoss)
    }

    /// How many layers there are to measure.
    public var layerCount: Int { network.measured.count }

    /// Everything there is to measure at the settings' granularity.
    ///
    /// - Parameter random: Draws the sample of filters.
    public func entries(random: RandomStream) -> [SALEntry] {
        settings.entries(filterCounts: network.measured.map(\.filterCount), random: random)
    }

    // MARK: For the walker

    var batchCount: Int { images.batches.count }
    func imageCount(_ batch: Int) -> Int { images.batches[batch].count }
    var imageCount: Int { images.count }

    /// Sums over no batch, for others to be added to.
    var noLoss: ObjectiveSum { ObjectiveSum(meter.objective) }

    /// Runs the part of the network that changes on one batch.
    func forward(_ batch: Int, _ part: MovingPart) {
        bind(batch, part)
        executor.forward(fusing: part.nodes)
    }

    /// What the gradient of a batch is made for.
    enum GradientUse {
        /// The batch's own mean loss.
        case mean
        /// Adding up over the batches to a multiple of the gradient of the whole set's loss.
        case sum
    }

    /// The loss of the batch whose predictions are at hand; with a use, ready for `backward`.
    func loss(_ batch: Int, _ part: MovingPart, gradient use: GradientUse?) -> ObjectiveSum {
        let totals = use == .sum ? originSum : nil
        return meter.losses(executor, images.items(batch)) { term in
            guard let use, part.movesTerm[term] else { return nil }
            guard use == .sum, let totals else { return 1 }
            // The mean's gradient times what the batch counts; of class losses, its images.
            let share = Double(images.count) / Double(max(1, totals[term].count))
            return Float(Double(batchOrigins[batch][term].count) * share)
        }
    }

    /// Adds up the batches' losses in their order, the first batch worked out last.
    func losses(_ loss: (Int) -> ObjectiveSum) -> ObjectiveSum {
        if batchSums.isEmpty { batchSums = Array(repeating: noLoss, count: batchCount) }
        for batch in 1..<max(1, batchCount) { batchSums[batch] = loss(batch) }
        batchSums[0] = loss(0)
        return batchSums.reduce(into: noLoss) { $0 += $1 }
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
        executor.forward(fusing: wanted.filter { $0 != 0 }, keeping: part.entering)
    }
}
