/// An image of a batch, and how it is cropped and flipped there.
struct BatchItem {
    let image: Int
    var placement = Kernels.Placement()
    /// The image it is mixed with.
    var partner = 0
    /// How much the partner's class counts, 0...1.
    var share: Float = 0
}

/// Works out an objective's losses on batches; owns the targets' memory of one thread.
final class ObjectiveMeter {
    let objective: Objective
    /// What the objective's heads need, without the image, in order of computation.
    let nodes: [Int]
    private var targets: [TargetMemory]
    private var classes: [Int32] = []
    /// One image's prediction and target by themselves.
    private var lone = (prediction: Tensor(zeros: 0), target: TargetMemory())

    init(objective: Objective, network: Network) {
        self.objective = objective
        nodes = network.path(to: objective.heads.map { network.heads[$0].node }, from: [])
            .filter { $0 != 0 }
        targets = objective.terms.map { _ in TargetMemory() }
    }

    /// The losses of the predictions at hand.
    ///
    /// - Parameter scale: What the gradient of a term's batch mean is to be multiplied by, beside
    ///   its weight; `nil`: no gradient of this term is wanted.
    func losses(
        _ executor: Executor, _ items: ArraySlice<BatchItem>, scale: (Int) -> Float?
    ) -> ObjectiveSum {
        var sum = ObjectiveSum(objective)
        for (index, term) in objective.terms.enumerated() {
            let scale = scale(index)
            let head = objective.heads[index]
            let weight = (scale ?? 1) * Float(term.weight)
            let gradient = scale == nil ? nil : executor.headGradient(head)
            let (prediction, shape) = executor.prediction(head)
            switch term.target {
            case .classes(let labels):
                classes.removeAll(keepingCapacity: true)
                for item in items { classes.append(labels[item.image]) }
                sum[index] = Losses.crossEntropy(
                    prediction, classes: shape.elements, labels: classes, weight: weight,
                    gradient: gradient)
                Losses.mix(
                    prediction, classes: shape.elements, labels: labels, items, weight: weight,
                    sum: &sum[index], gradient: gradient)
            case .shares(let target):
                sum[index] = Losses.shares(
                    prediction, classes: shape.elements, target: target, items, weight: weight,
                    gradient: gradient)
            case .pixelClasses, .segments, .planes:
                sum[index] = denseLoss(
                    term.target, executor, items, prediction, shape, memory: &targets[index],
                    weight: weight, gradient: gradient)
            }
        }
        return sum
    }

    /// The loss of a prediction at every pixel, under a target that is no class of images.
    private func denseLoss(
        _ target: Objective.Target, _ executor: Executor, _ items: ArraySlice<BatchItem>,
        _ prediction: Tensor, _ shape: SampleShape, memory: inout TargetMemory, weight: Float,
        gradient: Tensor?
    ) -> LossSum {
        switch target {
        case .classes, .shares: preconditionFailure("classes of images are no planes")
        case .pixelClasses(let labels, let classWeights):
            memory.load(labels, items, shape)
            return Losses.pixelCrossEntropy(
                prediction, classes: planes(shape).channels, labels: memory.labels,
                classWeights: classWeights, weight: weight, gradient: gradient)
        case .segments(let labels):
            memory.load(labels, items, shape)
            return pairLoss(
                executor, items, memory.labels, prediction, shape, weight: weight,
                gradient: gradient)
        case .planes(let target):
            memory.load(target, items, shape)
            return memory.loss(
                target.loss, prediction, shape, weight: weight, gradient: gradient)
        }
    }

    /// The loss of every image of the batch by itself, over all terms.
    func imageLosses(
        _ executor: Executor, _ items: ArraySlice<BatchItem>, into losses: inout [Double]
    ) {
        losses.removeAll(keepingCapacity: true)
        for _ in items { losses.append(0) }
        for (index, term) in objective.terms.enumerated() {
            let (prediction, shape) = executor.prediction(objective.heads[index])
            for (place, item) in items.enumerated() {
                let loss =
                    switch term.target {
                    case .classes(let labels):
                        Losses.crossEntropy(
                            prediction, classes: shape.elements, row: place,
                            label: labels[item.image])
                    case .shares(let target):
                        Losses.shares(
                            prediction, classes: shape.elements, row: place, target: target,
                            image: item.image)
                    case .pixelClasses, .segments, .planes:
                        loneLoss(
                            term.target, executor, items[(items.startIndex + place)...].prefix(1),
                            prediction, shape, at: place, of: items.count)
                    }
                losses[place] += term.weight * loss
            }
        }
    }

    /// The loss of the image at `place` of a batch of `count`, under a dense target.
    private func loneLoss(
        _ target: Objective.Target, _ executor: Executor, _ item: ArraySlice<BatchItem>,
        _ prediction: Tensor, _ shape: SampleShape, at place: Int, of count: Int
    ) -> Double {
        if lone.prediction.storage.capacity < shape.elements {
            lone.prediction = Tensor(zeros: shape.elements)
        }
        lone.prediction = lone.prediction.prefixOfStorage(shape.elements)
        let plane = planes(shape).plane
        for channel in 0..<planes(shape).channels {
            let from = (channel * count + place) * plane
            for pixel in 0..<plane {
                lone.prediction[channel * plane + pixel] = prediction[from + pixel]
            }
        }
        return denseLoss(
            target, executor, item, lone.prediction, shape, memory: &lone.target, weight: 1,
            gradient: nil
        ).mean
    }

    /// The mean over pairs of pixels; which pixels is drawn for each image and step, and is the
    /// same every time where nothing is trained.
    private func pairLoss(
        _ executor: Executor, _ items: ArraySlice<BatchItem>, _ labels: [UInt8],
        _ prediction: Tensor, _ shape: SampleShape, weight: Float, gradient: Tensor?
    ) -> LossSum {
        let channels = planes(shape).channels
        let plane = planes(shape).plane
        let random = executor.mode == .training ? executor.stepRandom : nil
        let chosen = items.enumerated().map { position, item in
            let own = Array(labels[(position * plane)..<((position + 1) * plane)])
            guard let random else { return PixelPairs.evaluated(image: item.image, labels: own) }
            return PixelPairs.chosen(
                own, count: PixelPairs.trainedCount, random: random.derived("pairs", item.image))
        }
        if let gradient { Kernels.clear(gradient) }
        let pairs = chosen.reduce(0) { $0 + $1.count * $1.count }
        var sum = LossSum()
        for (position, pixels) in chosen.enumerated() {
            let own = Array(labels[(position * plane)..<((position + 1) * plane)])
            let loss = PixelPairs.loss(
                prediction.pointer + position * plane, stride: items.count * plane,
                channels: channels, labels: own, chosen: pixels,
                scale: Double(weight) / Double(max(1, pairs)),
                gradient: gradient.map { $0.pointer + position * plane })
            sum.loss += loss.sum
            sum.count += loss.pairs
        }
        return sum
    }
}

/// One term's targets of a batch, placed as its images are; grows to the largest batch met.
private struct TargetMemory {
    private(set) var labels: [UInt8] = []
    private var values = Tensor(zeros: 0)
    private var mask = Tensor(zeros: 0)

    mutating func load(
        _ source: [UInt8], _ items: ArraySlice<BatchItem>, _ shape: SampleShape
    ) {
        guard case .image(_, let height, let width) = shape else { return }
        labels.removeAll(keepingCapacity: true)
        for item in items {
            let base = item.image * height * width
            for row in 0..<height {
                for column in 0..<width {
                    let from = item.placement.source(row, column, height: height, width: width)
                    labels.append(from.map { source[base + $0] } ?? 255)
                }
            }
        }
    }

    mutating func load(
        _ target: PlaneTarget, _ items: ArraySlice<BatchItem>, _ shape: SampleShape
    ) {
        guard case .image(let channels, let height, let width) = shape else { return }
        let pixels = items.count * height * width
        if mask.storage.capacity < pixels {
            values = Tensor(zeros: pixels * channels)
            mask = Tensor(zeros: pixels)
        }
        values = values.prefixOfStorage(pixels * channels)
        mask = mask.prefixOfStorage(pixels)
        for (position, item) in items.enumerated() {
            Kernels.loadTarget(
                target.values, mask: target.mask, source: item.image, channels: channels,
                height: height, width: width, item.placement,
                turnsFirst: target.flipTurnsFirstChannel, target: position, batch: items.count,
                into: values, maskInto: mask)
        }
    }

    func loss(
        _ loss: PlaneTarget.Loss, _ prediction: Tensor, _ shape: SampleShape, weight: Float,
        gradient: Tensor?
    ) -> LossSum {
        let channels = planes(shape).channels
        return switch loss {
        case .absolute:
            Losses.maskedL1(
                prediction, target: values, mask: mask, channels: channels, weight: weight,
                gradient: gradient)
        case .square:
            Losses.maskedSquare(
                prediction, target: values, mask: mask, channels: channels, weight: weight,
                gradient: gradient)
        case .cosine:
            Losses.oneMinusCosine(
                prediction, target: values, mask: mask, channels: channels, stabilizer: 1e-6,
                weight: weight, gradient: gradient)
        case .direction:
            Losses.directionL1(
                prediction, target: values, mask: mask, channels: channels, stabilizer: 1e-6,
                weight: weight, gradient: gradient)
        }
    }
}
