/// The best that can be said of an image without looking at it, fitted on clean training targets:
/// the majority class, each pixel's median, mean direction or most frequent class.
///
/// What a trained network gains is measured from here, not from 0.
public struct ChancePredictor: Sendable {
    private let kind: TaskKind
    /// `[channels][height][width]`, or one number a class.
    private let planes: [Float]
    private let channels: Int

    /// - Parameters:
    ///   - target: The clean training targets.
    ///   - channels: How many planes a prediction has; classes of a classifier.
    ///   - plane: Pixels of a plane; 1 for a classifier.
    public init(_ kind: TaskKind, target: Objective.Target, channels: Int, plane: Int) {
        self.kind = kind
        self.channels = channels
        switch target {
        case .classes(let labels):
            planes = ChancePredictor.shares(labels.map { Int($0) }, plane: 1, classes: channels)
        case .shares(let target):
            // Predictions are judged by their top class, so the majority's is the best one.
            planes = ChancePredictor.shares(
                target.labels.map { Int($0) }, plane: 1, classes: channels)
        case .pixelClasses(let labels, _):
            planes = ChancePredictor.shares(
                labels.map { Int($0) }, plane: plane, classes: channels)
        case .segments:
            // Everything in one place: all pairs are called the same, which is half right.
            planes = [Float](repeating: 0, count: channels * plane)
        case .planes(let target):
            planes = ChancePredictor.planes(kind, target, channels: channels, plane: plane)
        }
    }

    /// How often each class stands at each pixel; its top is the majority.
    private static func shares(_ labels: [Int], plane: Int, classes: Int) -> [Float] {
        var counts = [Float](repeating: 0, count: classes * plane)
        for (place, label) in labels.enumerated() where label < classes {
            counts[label * plane + place % plane] += 1
        }
        return counts
    }

    private static func planes(
        _ kind: TaskKind, _ target: PlaneTarget, channels: Int, plane: Int
    ) -> [Float] {
        let images = target.values.count / max(1, channels * plane)
        var result = [Float](repeating: 0, count: channels * plane)
        var column: [Float] = []
        for channel in 0..<channels {
            var unseen: [Int] = []
            var everything: [Float] = []
            for pixel in 0..<plane {
                column.removeAll(keepingCapacity: true)
                for image in 0..<images where target.keeps(image * plane + pixel) {
                    column.append(target.values[(image * channels + channel) * plane + pixel])
                }
                if column.isEmpty {
                    unseen.append(pixel)
                } else {
                    result[channel * plane + pixel] = centre(column, target.loss)
                    everything.append(result[channel * plane + pixel])
                }
            }
            let typical = everything.isEmpty ? 0 : centre(everything, target.loss)
            for pixel in unseen { result[channel * plane + pixel] = typical }
        }
        return result
    }

    /// The number that the loss is least for. Of directions, the mean vector points to it.
    private static func centre(_ values: [Float], _ loss: PlaneTarget.Loss) -> Float {
        switch loss {
        case .absolute:
            let sorted = values.sorted()
            let middle = sorted.count / 2
            return sorted.count % 2 == 1
                ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
        case .square, .cosine, .direction:
            return Float(values.reduce(0.0) { $0 + Double($1) } / Double(values.count))
        }
    }

    /// The same prediction for each of `count` images, as `TaskScore.add` takes it.
    public func prediction(count: Int) -> [Float] {
        if kind == .cls { return (0..<count).flatMap { _ in planes } }
        let plane = planes.count / channels
        return (0..<channels).flatMap { channel in
            let own = planes[(channel * plane)..<((channel + 1) * plane)]
            return (0..<count).flatMap { _ in own }
        }
    }
}
