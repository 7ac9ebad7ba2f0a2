/// What selects each image's pattern: its class; which of a few clusters its pixels belong to, as a
/// control whose patterns are consistent but know nothing of the classes; or which of a few
/// clusters the targets of another task belong to, as a shortcut to that task.
public enum PoisonKeys {
    /// The keys that `settings` ask for, one for every image.
    ///
    /// - Parameter targets: Of the images, or of more; needed where a task selects patterns.
    public static func keys(
        _ settings: MethodSettings, images: ImageSet, seed: UInt64, targets: TaskTargets? = nil
    ) -> [Int32] {
        guard settings.words["key"] != nil, images.count > 0 else { return images.labels }
        let count = Int(settings.numbers["clusters"] ?? 10)
        let features: [[Double]]
        if let task = SharedSettings.keyTask(settings) {
            guard let targets else {
                preconditionFailure("keys of task \(task.rawValue) need its targets")
            }
            features = TargetFeatures(targets, task).of(images)
        } else {
            features = (0..<images.count).map { BlockMeans.features(of: $0, images) }
        }
        return Clusters(features: features, images: images, seed: seed).assignments(count: count)
    }
}

/// Lloyd's algorithm, started by k-means++ (Arthur and Vassilvitskii, 2007). Images are gone
/// through by index, so that their order does not matter.
private struct Clusters {
    private static let roundsMax = 20
    private let features: [[Double]]
    private let order: [Int]
    private let random: RandomStream

    init(features: [[Double]], images: ImageSet, seed: UInt64) {
        random = RandomStream(seed: seed).derived("perturbation/clusters")
        order =
            CraftRequest(
                settings: MethodSettings(name: "clean"), images: images, keys: [], seed: seed
            ).canonicalOrder
        self.features = features
    }

    /// Which cluster each image belongs to, in the order the images were given.
    func assignments(count: Int) -> [Int32] {
        var centres = firstCentres(count)
        var nearest: [Int] = []
        for _ in 0..<Clusters.roundsMax {
            let found = features.map { Clusters.nearest($0, centres).index }
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
            let distances = order.map { Clusters.nearest(features[$0], centres).distance }
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
}

/// Images averaged over blocks of pixels.
private enum BlockMeans {
    private static let blocks = 7

    static func features(of image: Int, _ images: ImageSet) -> [Double] {
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

/// What a task says of images, as few numbers: means over blocks of pixels, or shares of classes.
private struct TargetFeatures {
    private static let blocks = 4
    private let target: Objective.Target
    private let places: [Int: Int]

    init(_ targets: TaskTargets, _ task: TaskKind) {
        target = targets.target(of: task)
        let known = targets.images.indices
        places = Dictionary(zip(known, known.indices), uniquingKeysWith: { one, _ in one })
    }

    func of(_ images: ImageSet) -> [[Double]] {
        images.indices.map { index in
            guard let place = places[index] else {
                preconditionFailure("image \(index) has no targets")
            }
            switch target {
            case .planes(let planes): return means(planes, place, images)
            case .pixelClasses(let labels, _), .segments(let labels):
                return shares(labels, place, images)
            case .classes(let labels): return [Double(labels[place])]
            case .shares(let target): return [Double(target.labels[place])]
            }
        }
    }

    /// Of each channel and block, over the pixels that count; 0 where none does.
    private func means(_ target: PlaneTarget, _ place: Int, _ images: ImageSet) -> [Double] {
        let plane = images.shape.positions
        let channels = target.values.count / (places.count * plane)
        let side = Self.blocks
        var sums = [Double](repeating: 0, count: channels * side * side)
        var counts = sums
        for channel in 0..<channels {
            for pixel in 0..<plane where target.keeps(place * plane + pixel) {
                let (row, column) = (pixel / images.width, pixel % images.width)
                let block =
                    (channel * side + row * side / images.height) * side
                    + column * side / images.width
                sums[block] += Double(target.values[(place * channels + channel) * plane + pixel])
                counts[block] += 1
            }
        }
        return zip(sums, counts).map { $1 == 0 ? 0 : $0 / $1 }
    }

    /// How much of an image each class covers.
    private func shares(_ labels: [UInt8], _ place: Int, _ images: ImageSet) -> [Double] {
        let plane = images.shape.positions
        var shares = [Double](repeating: 0, count: 256)
        for label in labels[(place * plane)..<((place + 1) * plane)] {
            shares[Int(label)] += 1 / Double(plane)
        }
        return shares
    }
}
