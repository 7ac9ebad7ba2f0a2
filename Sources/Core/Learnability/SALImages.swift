/// How images are shifted and scaled before a network sees them: (x - mean) / deviation, a number
/// each a channel, for pixels in 0...1.
public struct ImageNormalization: Hashable, Sendable {
    let means: [Float]
    let deviations: [Float]

    /// `nil` unless there is one mean and one positive deviation a channel.
    public init?(means: [Double], deviations: [Double]) {
        guard means.count == deviations.count, means.allSatisfy(\.isFinite),
            deviations.allSatisfy({ $0.isFinite && $0 > 0 })
        else { return nil }
        self.means = means.map { Float($0) }
        self.deviations = deviations.map { Float($0) }
    }

    /// For how many channels.
    public var channels: Int { means.count }
}

/// The SAL images in their fixed order and batches, with their fixed views.
struct SALImages {
    private let images: ImageSet
    private let items: [BatchItem]
    private let normalization: ImageNormalization?
    let batches: [Range<Int>]

    init(
        images: ImageSet, batch: Int, views: Int, augment: [TrainingSettings.Augmentation],
        random: RandomStream, normalization: ImageNormalization?
    ) {
        precondition(images.count > 0, "SAL needs at least one image")
        self.images = images
        self.normalization = normalization
        items = (0..<max(1, views)).flatMap { view in
            (0..<images.count).map { image in
                let stream = random.derived("view \(view)", image)
                let placement =
                    views == 0
                    ? Kernels.Placement()
                    : Augmenter.placement(augment, height: images.height, random: stream)
                return BatchItem(image: image, placement: placement)
            }
        }
        let count = items.count
        batches = stride(from: 0, to: count, by: batch).map { $0..<min($0 + batch, count) }
    }

    var count: Int { items.count }

    func items(_ batch: Int) -> ArraySlice<BatchItem> { items[batches[batch]] }

    func load(_ batch: Int, into executor: Executor) {
        BatchLoader.load(images, items(batch), into: executor)
        if let normalization {
            Kernels.normalize(
                executor.image, means: normalization.means, deviations: normalization.deviations)
        }
    }
}
