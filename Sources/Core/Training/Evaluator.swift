/// Loads batches and judges predictions.
public enum Evaluator {
    /// The loss of the class prediction at hand; with a gradient, ready for `backward`.
    static func loss(_ executor: Executor, labels: [Int32], wantsGradient: Bool) -> LossSum {
        let (logits, shape) = executor.prediction(0)
        return labels.withUnsafeBufferPointer {
            Losses.crossEntropy(
                logits, classes: shape.elements, labels: $0,
                gradient: wantsGradient ? executor.headGradient(0) : nil)
        }
    }

    /// Mean loss and accuracy over all images, in order, in evaluation mode.
    public static func evaluate(
        _ executor: Executor, on images: ImageSet, batch: Int
    ) -> LossSum {
        var sum = LossSum()
        for start in stride(from: 0, to: images.count, by: batch) {
            let chosen = start..<min(start + batch, images.count)
            executor.prepare(batch: chosen.count)
            BatchLoader.load(images, Array(chosen)[...], into: executor)
            executor.forward(mode: .evaluation)
            sum += loss(executor, labels: Array(images.labels[chosen]), wantsGradient: false)
        }
        return sum
    }

    /// The same under any objective, whose targets are those of the images.
    public static func evaluate(
        _ executor: Executor, under objective: Objective, on images: ImageSet, batch: Int
    ) -> ObjectiveSum {
        let meter = ObjectiveMeter(objective: objective, network: executor.network)
        var sum = ObjectiveSum(objective)
        for start in stride(from: 0, to: images.count, by: batch) {
            let items = (start..<min(start + batch, images.count)).map { BatchItem(image: $0) }
            executor.prepare(batch: items.count)
            BatchLoader.load(images, items[...], into: executor)
            executor.forward(fusing: meter.nodes)
            sum += meter.losses(executor, items[...], scale: { _ in nil })
        }
        return sum
    }
}

/// Puts images into an executor's batch, scaled to 0...1, placed as told.
enum BatchLoader {
    static func load(_ images: ImageSet, _ chosen: ArraySlice<Int>, into executor: Executor) {
        load(images, chosen.map { BatchItem(image: $0) }[...], into: executor)
    }

    /// - Parameter placed: Whether images are cropped and flipped as their items say.
    static func load(
        _ images: ImageSet, _ items: ArraySlice<BatchItem>, into executor: Executor,
        placed: Bool = true
    ) {
        if let numbers = images.numbers {
            return loadNumbers(numbers, images.shape, items, into: executor, placed: placed)
        }
        images.pixels.withUnsafeBufferPointer { pixels in
            for (target, item) in items.enumerated() {
                Kernels.loadImage(
                    pixels, source: item.image, channels: images.channels, height: images.height,
                    width: images.width, placed ? item.placement : Kernels.Placement(),
                    target: target, batch: executor.batch,
                    into: executor.image)
            }
        }
    }

    private static func loadNumbers(
        _ numbers: [Float], _ shape: ImageShape, _ items: ArraySlice<BatchItem>,
        into executor: Executor, placed: Bool
    ) {
        numbers.withUnsafeBufferPointer { numbers in
            for (target, item) in items.enumerated() {
                Kernels.loadImage(
                    numbers, source: item.image, shape,
                    placed ? item.placement : Kernels.Placement(), target: target,
                    batch: executor.batch, into: executor.image)
            }
        }
    }

    /// Draws how the chosen images are augmented, into the memory of an earlier batch.
    static func place(
        _ chosen: ArraySlice<Int>, of images: ImageSet, augment: [TrainingSettings.Augmentation],
        random: RandomStream, in items: inout [BatchItem]
    ) {
        items.removeAll(keepingCapacity: true)
        for image in chosen {
            // The stream belongs to the image, not to its place in a batch.
            let placement = Augmenter.placement(
                augment, height: images.height, random: random.derived("image", image))
            items.append(BatchItem(image: image, placement: placement))
        }
    }
}

/// Draws how an image is cropped and flipped.
enum Augmenter {
    /// Four pixels of padding at 32x32 and 28x28 (`side / 8`, rounded), then a crop of the old
    /// size; a flip with probability one half.
    static func placement(
        _ augment: [TrainingSettings.Augmentation], height: Int, random: RandomStream
    ) -> Kernels.Placement {
        var placement = Kernels.Placement()
        guard !augment.isEmpty else { return placement }
        var random = random
        let padding = (height + 4) / 8
        let row = random.integer(below: 2 * padding + 1)
        let column = random.integer(below: 2 * padding + 1)
        let flip = random.uniform() < 0.5
        if augment.contains(.crop) {
            placement.rowShift = row - padding
            placement.columnShift = column - padding
        }
        placement.isFlipped = augment.contains(.flip) && flip
        return placement
    }
}
