/// A batch as a network is shown it in training, for looking at.
public struct BatchView: Sendable {
    /// `[images][channels][height][width]`, pixels scaled to 0...1.
    public let images: [Float]
    /// Which image each place of the batch holds, and which other one is mixed into it.
    public let chosen: [Int]
    public let partners: [Int]
    /// How much the partner's class counts, 0...1.
    public let shares: [Float]
    /// Of defenses that choose among draws: each draw's loss of each image.
    public let drawLosses: [[Double]]

    init(executor: Executor, shape: ImageShape, items: [BatchItem], drawLosses: [[Double]]) {
        var canvas = Canvas()
        images = items.indices.flatMap { place in
            canvas.read(executor.image, image: place, of: items.count, shape)
            return canvas.pixels
        }
        chosen = items.map(\.image)
        partners = items.map(\.partner)
        shares = items.map(\.share)
        self.drawLosses = drawLosses
    }
}
