/// What an epoch of training draws for its images: for programs that train in our place, so that
/// they see the same images in the same order.
public struct EpochDraws: Sendable {
    /// Places among the training images, in the order they are trained on.
    public let order: [Int]
    /// By image: rows and columns that what is shown is shifted by, and 1 where it is flipped left
    /// to right; three numbers an image. Empty without augmentation.
    ///
    /// Shown at row `r`, column `c` is the pixel at row `r + rows`, column `c' + columns`, where
    /// `c'` is `c`, or `width - 1 - c` when flipped; 0 where there is none.
    public let placements: [Int32]

    /// - Parameters:
    ///   - epoch: Counted from 0.
    ///   - random: The run's stream.
    public init(
        epoch: Int, of images: ImageSet, augment: [TrainingSettings.Augmentation],
        random: RandomStream
    ) {
        order = Self.order(epoch: epoch, count: images.count, random: random)
        let stream = random.derived("augment", epoch)
        placements =
            augment.isEmpty
            ? []
            : (0..<images.count).flatMap { image in
                let placement = Augmenter.placement(
                    augment, height: images.height, random: stream.derived("image", image))
                return [
                    Int32(placement.rowShift), Int32(placement.columnShift),
                    placement.isFlipped ? 1 : 0,
                ]
            }
    }

    /// The order of an epoch, counted from 0.
    static func order(epoch: Int, count: Int, random: RandomStream) -> [Int] {
        var shuffle = random.derived("shuffle", epoch)
        return shuffle.permutation(count)
    }
}
