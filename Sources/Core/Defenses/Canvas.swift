/// One image `[channels][height][width]` taken out of a batch to be worked on, with memory beside
/// it; both are used again by the next image.
struct Canvas {
    private(set) var shape = ImageShape(channels: 0, height: 0, width: 0)
    var pixels: [Float] = []
    var spare: [Float] = []

    mutating func read(_ batch: Tensor, image: Int, of count: Int, _ shape: ImageShape) {
        if pixels.count != shape.elements {
            pixels = Array(repeating: 0, count: shape.elements)
            spare = pixels
        }
        self.shape = shape
        Kernels.read(batch, image: image, of: count, shape, into: &pixels)
    }

    func write(_ batch: Tensor, image: Int, of count: Int) {
        Kernels.write(pixels, into: batch, image: image, of: count, shape)
    }

    /// Changes every number, and keeps it within 0...1.
    mutating func map(_ change: (Float) -> Float) {
        for place in pixels.indices { pixels[place] = min(max(change(pixels[place]), 0), 1) }
    }

    /// Where a channel's numbers lie.
    func plane(_ channel: Int) -> Range<Int> {
        channel * shape.positions..<(channel + 1) * shape.positions
    }
}
