/// The SAL images as a network is shown them, with their fixed views applied: for programs that
/// measure in our place.
public struct SALShownImages: Sendable {
    /// `[images][channels][height][width]`, pixels scaled to 0...1; view after view.
    public let pixels: [Float]
    /// One class an image, view after view.
    public let labels: [Int32]

    /// - Parameters:
    ///   - images: The SAL images in their fixed order.
    ///   - views: Drawn augmentations per image; 0 for none.
    ///   - random: Draws the views, as `SALEngine` has it.
    public init(
        _ images: ImageSet, views: Int, augment: [TrainingSettings.Augmentation],
        random: RandomStream
    ) {
        let drawn = SALImages(
            images: images, batch: 1, views: augment.isEmpty ? 0 : views, augment: augment,
            random: random, normalization: nil)
        let source = images.scaledPixels
        var pixels: [Float] = []
        pixels.reserveCapacity(drawn.count * images.pixelsPerImage)
        var labels: [Int32] = []
        for index in drawn.batches.indices {
            for item in drawn.items(index) {
                Self.append(item, of: source, images, to: &pixels)
                labels.append(images.labels[item.image])
            }
        }
        self.pixels = pixels
        self.labels = labels
    }

    private static func append(
        _ item: BatchItem, of source: [Float], _ images: ImageSet, to pixels: inout [Float]
    ) {
        let (height, width) = (images.height, images.width)
        for channel in 0..<images.channels {
            let plane = (item.image * images.channels + channel) * height * width
            for row in 0..<height {
                for column in 0..<width {
                    let from = item.placement.source(row, column, height: height, width: width)
                    pixels.append(from.map { source[plane + $0] } ?? 0)
                }
            }
        }
    }
}
