/// A finished perturbation on its images.
public struct CraftedPoison: Sendable {
    /// The perturbed images in 8 bits; labels and indices are those of the clean ones.
    public var images: ImageSet
    /// What was added, before clipping and rounding, in pixels scaled to 0...1.
    public var delta: [Float]
    /// Budgets, probes and so on, in the units their names say.
    public var numbers: [String: Double]
    /// What numbers cannot say, such as names of variants.
    public var words: [String: String]

    /// Takes every part as given.
    public init(
        images: ImageSet, delta: [Float], numbers: [String: Double], words: [String: String]
    ) {
        self.images = images
        self.delta = delta
        self.numbers = numbers
        self.words = words
    }
}

/// Puts perturbations on 8-bit images: the quantisation rule, in one place.
enum Quantisation {
    /// `floor(255·clip(x + delta) + 1/2)`, in grey levels and in `Double`, where the sum is so
    /// exact that one delta moves all unclipped pixels by the same number of levels.
    static func perturbed(_ level: UInt8, by delta: Float) -> UInt8 {
        let moved = Double(level) + 255 * Double(delta)
        return UInt8(min(max(moved, 0), 255) + 0.5)
    }

    /// All pixels of a set, moved.
    static func perturbed(_ images: ImageSet, by delta: [Float]) -> ImageSet {
        precondition(delta.count == images.pixels.count, "\(delta.count) numbers for the images")
        var moved = images
        for index in delta.indices {
            moved.pixels[index] = perturbed(images.pixels[index], by: delta[index])
        }
        return moved
    }
}
