/// What selects each image's pattern: its class, or which of a few clusters its pixels belong to,
/// as a control whose patterns are consistent but know nothing of the classes.
public enum PoisonKeys {
    /// The keys that `settings` ask for, one for every image.
    public static func keys(
        _ settings: MethodSettings, images: ImageSet, seed: UInt64
    ) -> [Int32] {
        guard settings.words["key"] == "cluster", images.count > 0 else { return images.labels }
        let count = Int(settings.numbers["clusters"] ?? 10)
        return PixelClusters(images: images, seed: seed).assignments(count: count)
    }
}

/// Lloyd's algorithm on images averaged over blocks of pixels, started by k-means++ (Arthur and
/// Vassilvitskii, 2007). Images are gone through by index, so that their order does not matter.
struct PixelClusters {
    private static let roundsMax = 20
    private static let blocks = 7
    private let features: [[Double]]
    private let order: [Int]
    private let random: RandomStream

    init(images: ImageSet, seed: UInt64) {
        random = RandomStream(seed: seed).derived("perturbation/clusters")
        order =
            CraftRequest(
                settings: MethodSettings(name: "clean"), images: images, keys: [], seed: seed
            ).canonicalOrder
        features = (0..<images.count).map { PixelClusters.features(of: $0, images) }
    }

    /// Which cluster each image belongs to, in the order the images were given.
    func assignments(count: Int) -> [Int32] {
        var centres = firstCentres(count)
        var nearest: [Int] = []
        for _ in 0..<PixelClusters.roundsMax {
            let found = features.map { PixelClusters.nearest($0, centres).index }
            if found == nearest { break }
            nearest = found
            centres = means(nearest, centres)
        }
        return nearest.map { Int32($0) }
    }

    private func firstCentres(_ count: Int) -> [[Double]] {
        var random = random
        var centres = [features[order[random.integer(below: order.count)]]]
        while centres.count < count {
            let distances = order.map { PixelClusters.nearest(features[$0], centres).distance }
            var left = random.uniformDouble() * distances.reduce(0, +)
            let place = distances.firstIndex { distance in
                left -= distance
                return left < 0
            }
            centres.append(features[order[place ?? order.count - 1]])
        }
        return centres
    }

    /// The means of what belongs to each centre; a centre that nothing belongs to stays.
    private func means(_ nearest: [Int], _ centres: [[Double]]) -> [[Double]] {
        var sums = centres.map { [Double](repeating: 0, count: $0.count) }
        var counts = [Int](repeating: 0, count: centres.count)
        for image in order {
            counts[nearest[image]] += 1
            for (place, value) in features[image].enumerated() {
                sums[nearest[image]][place] += value
            }
        }
        return centres.indices.map { index in
            counts[index] == 0
                ? centres[index] : sums[index].map { $0 / Double(counts[index]) }
        }
    }

    private static func nearest(
        _ point: [Double], _ centres: [[Double]]
    ) -> (index: Int, distance: Double) {
        var best = (index: 0, distance: Double.infinity)
        for (index, centre) in centres.enumerated() {
            var distance = 0.0
            for place in point.indices {
                let difference = point[place] - centre[place]
                distance += difference * difference
            }
            if distance < best.distance { best = (index, distance) }
        }
        return best
    }

    private static func features(of image: Int, _ images: ImageSet) -> [Double] {
        let (rows, columns) = (min(blocks, images.height), min(blocks, images.width))
        var sums = [Double](repeating: 0, count: images.channels * rows * columns)
        let base = image * images.pixelsPerImage
        for channel in 0..<images.channels {
            for row in 0..<images.height {
                for column in 0..<images.width {
                    let block =
                        (channel * rows + row * rows / images.height) * columns
                        + column * columns / images.width
                    let at = base + (channel * images.height + row) * images.width + column
                    sums[block] += Double(images.pixels[at])
                }
            }
        }
        let perBlock = Double(images.height * images.width) / Double(rows * columns)
        return sums.map { $0 / (255 * perBlock) }
    }
}
