/// Orthogonal projection (arXiv 2305.19254): what a linear classifier finds in the poisoned images
/// is taken out of them.
struct ProjectionDefense: DataSetDefense {
    let name = "op"
    let revision = 2
    let summary = "orthogonal projection away from what a linear classifier finds"
    let parameters = [
        MethodParameter(
            name: "updates", kind: .number(default: 1_000, range: 1...1_000_000, whole: true),
            meaning: "steps of the linear classifier, on batches of 1024 images"),
        TestImages.parameter,
    ]

    func validate(_ settings: DefenseSettings, shape: ImageShape) throws(DefenseError) {
        guard shape.elements > 1 else {
            throw .unsuited(defense: name, reason: "images of one pixel have no direction to spare")
        }
    }

    func rewriting(
        _ settings: DefenseSettings, fittedTo images: ImageSet, random: RandomStream
    ) -> any ImageRewriting {
        let classifier = ProjectionFit(
            images: images, updates: Int(settings.number("updates")), random: random)
        return OrthogonalProjection(removing: classifier.weights)
    }
}

/// Takes the span of some vectors out of images.
public struct OrthogonalProjection: ImageRewriting {
    /// Orthonormal, one a direction that was removed.
    public let basis: [[Float]]

    /// - Parameter vectors: Of an image's length; what depends on those before adds nothing.
    public init(removing vectors: [[Float]]) {
        var found: [[Double]] = []
        for vector in vectors {
            let own = vector.map { Double($0) }
            var rest = own
            // Twice, because once leaves what rounding left.
            for _ in 0..<2 {
                for known in found {
                    let share = Self.product(known, rest)
                    for place in rest.indices { rest[place] -= share * known[place] }
                }
            }
            let length = Self.product(rest, rest).squareRoot()
            // Ten times the rounding of the numbers given.
            guard length > 1e-6 * Self.product(own, own).squareRoot() else { continue }
            found.append(rest.map { $0 / length })
        }
        basis = found.map { $0.map { Float($0) } }
    }

    private static func product(_ left: [Double], _ right: [Double]) -> Double {
        var sum = 0.0
        for place in left.indices { sum += left[place] * right[place] }
        return sum
    }

    /// Images as numbers, neither clipped nor rounded; their bytes are the nearest there are.
    public func rewritten(_ images: ImageSet) -> ImageSet {
        var projected = images
        var numbers = images.scaledPixels
        let size = images.pixelsPerImage
        precondition(basis.allSatisfy { $0.count == size }, "a basis for images of another size")
        for start in stride(from: 0, to: numbers.count, by: size) {
            for direction in basis {
                var share = 0.0
                for place in 0..<size {
                    share += Double(direction[place]) * Double(numbers[start + place])
                }
                let factor = Float(share)
                for place in 0..<size { numbers[start + place] -= factor * direction[place] }
            }
        }
        for place in numbers.indices {
            projected.pixels[place] = UInt8(min(max(numbers[place], 0), 1) * 255 + 0.5)
        }
        projected.numbers = numbers
        return projected
    }
}

/// A linear classifier of images without bias: SGD at 0.1, a tenth of it after a half and again
/// after three quarters of the updates.
struct ProjectionFit {
    /// One vector a class.
    let weights: [[Float]]

    private static let batch = 1_024
    private static let rate: Float = 0.1

    init(images: ImageSet, updates: Int, random: RandomStream) {
        let size = images.pixelsPerImage
        let rows = min(Self.batch, images.count)
        let inputs = Tensor(zeros: rows * size)
        let logits = Tensor(zeros: rows * images.classCount)
        let slopes = Tensor(zeros: rows * images.classCount)
        let weights = Tensor(Self.initial(images, random: random.derived("weights")))
        let numbers = images.scaledPixels
        var order: [Int] = []
        for update in 0..<updates {
            let perPass = (images.count + rows - 1) / rows
            if update % perPass == 0 {
                var shuffle = random.derived("shuffle", update / perPass)
                order = shuffle.permutation(images.count)
            }
            // Goes round, so that the last batch of a pass is as large as the others.
            let chosen = (0..<rows).map { order[(update % perPass * rows + $0) % images.count] }
            Kernels.copyRows(numbers, chosen, size: size, into: inputs)
            Kernels.multiply(
                inputs, weights, into: logits, m: rows, n: images.classCount, k: size,
                transposeB: true)
            _ = Losses.crossEntropy(
                logits, classes: images.classCount, labels: chosen.map { images.labels[$0] },
                gradient: slopes)
            Kernels.multiply(
                slopes, inputs, into: weights, m: images.classCount, n: size, k: rows,
                transposeA: true, alpha: -Self.rate(update, of: updates), beta: 1)
        }
        let values = weights.values
        self.weights = (0..<images.classCount).map { Array(values[$0 * size..<($0 + 1) * size]) }
    }

    private static func initial(_ images: ImageSet, random: RandomStream) -> [Float] {
        var random = random
        let bound = 1 / Float(images.pixelsPerImage).squareRoot()
        return (0..<images.classCount * images.pixelsPerImage).map { _ in
            random.uniform(-bound, bound)
        }
    }

    private static func rate(_ update: Int, of updates: Int) -> Float {
        let falls = (2 * update >= updates ? 1 : 0) + (4 * update >= 3 * updates ? 1 : 0)
        return falls == 0 ? rate : falls == 1 ? rate * 0.1 : rate * 0.01
    }
}
