/// Judges a task's predictions over a whole set of images, batch after batch, in `Double`.
public struct TaskScore: Sendable {
    private var judge: any Judge

    /// - Parameters:
    ///   - target: What the task should say, image after image.
    ///   - channels: How many planes a prediction has; classes of a classifier.
    ///   - plane: Pixels of a plane.
    public init(_ kind: TaskKind, target: Objective.Target, channels: Int, plane: Int) {
        switch (kind, target) {
        case (.cls, .classes(let labels)):
            judge = ClassJudge(labels: labels, classes: channels)
        case (.cls, .shares(let target)):
            judge = ClassJudge(labels: target.labels, classes: channels)
        case (.sem, .pixelClasses(let labels, _)):
            judge = SegmentationJudge(labels: labels, classes: channels, plane: plane)
        case (.seg2d, .segments(let segments)):
            judge = PairJudge(segments: segments, channels: channels, plane: plane)
        case (.normal, .planes(let target)):
            judge = NormalJudge(target: target, plane: plane)
        case (.depth, .planes(let target)):
            judge = DepthJudge(target: target, plane: plane)
        case (_, .planes(let target)):
            judge = PlaneJudge(kind: kind, target: target, channels: channels, plane: plane)
        default:
            preconditionFailure("the target is not one of task \(kind.rawValue)")
        }
    }

    /// Takes in the predictions of some images.
    ///
    /// - Parameter prediction: Channel after channel, in each image after image.
    public mutating func add(_ prediction: [Float], of images: Range<Int>) {
        judge.add(prediction, of: images)
    }

    /// What all predictions so far came to; the main metric first.
    public var metrics: [TaskMetric] { judge.metrics }
}

/// Judges one kind of task.
protocol Judge: Sendable {
    mutating func add(_ prediction: [Float], of images: Range<Int>)
    var metrics: [TaskMetric] { get }
}

/// Whether the class is the right one.
struct ClassJudge: Judge {
    let labels: [Int32]
    let classes: Int
    private var correct = 0
    private var amongFive = 0
    private var count = 0

    init(labels: [Int32], classes: Int) {
        self.labels = labels
        self.classes = classes
    }

    mutating func add(_ prediction: [Float], of images: Range<Int>) {
        for (position, image) in images.enumerated() {
            let row = prediction[(position * classes)..<((position + 1) * classes)]
            let own = row[row.startIndex + Int(labels[image])]
            // Ties go to the lowest class.
            let ahead = row.enumerated().count { index, value in
                value > own || (value == own && index < Int(labels[image]))
            }
            correct += ahead == 0 ? 1 : 0
            amongFive += ahead < 5 ? 1 : 0
            count += 1
        }
    }

    var metrics: [TaskMetric] {
        func share(_ hits: Int) -> Double? { count == 0 ? nil : Double(hits) / Double(count) }
        let first = [TaskMetric("accuracy", share(correct))]
        return classes >= 20 ? first + [TaskMetric("top5", share(amongFive))] : first
    }
}

/// Pixel accuracy, and intersection over union averaged over the classes that occur in the target
/// or the prediction of the set.
struct SegmentationJudge: Judge {
    let labels: [UInt8]
    let classes: Int
    let plane: Int
    /// Target times classes, plus prediction.
    private var confusion: [Int]

    init(labels: [UInt8], classes: Int, plane: Int) {
        self.labels = labels
        self.classes = classes
        self.plane = plane
        confusion = [Int](repeating: 0, count: classes * classes)
    }

    mutating func add(_ prediction: [Float], of images: Range<Int>) {
        let pixels = images.count * plane
        for place in 0..<pixels {
            let label = labels[images.lowerBound * plane + place]
            guard label != 255 else { continue }
            var top = 0
            for index in 1..<classes
            where prediction[index * pixels + place] > prediction[top * pixels + place] {
                top = index
            }
            confusion[Int(label) * classes + top] += 1
        }
    }

    var metrics: [TaskMetric] {
        let total = confusion.reduce(0, +)
        guard total > 0 else { return [TaskMetric("mIoU", nil), TaskMetric("pixelAccuracy", nil)] }
        var hits = 0
        var ratios: [Double] = []
        for index in 0..<classes {
            let hit = confusion[index * classes + index]
            let target = (0..<classes).reduce(0) { $0 + confusion[index * classes + $1] }
            let said = (0..<classes).reduce(0) { $0 + confusion[$1 * classes + index] }
            hits += hit
            let union = target + said - hit
            if union > 0 { ratios.append(Double(hit) / Double(union)) }
        }
        return [
            TaskMetric("mIoU", ratios.reduce(0, +) / Double(ratios.count)),
            TaskMetric("pixelAccuracy", Double(hits) / Double(total)),
            TaskMetric("count", Double(total)),
        ]
    }
}

/// Whether pairs of pixels are rightly called of one surface: the mean of both recalls.
struct PairJudge: Judge {
    let segments: [UInt8]
    let channels: Int
    let plane: Int
    private var sameRight = 0
    private var same = 0
    private var apartRight = 0
    private var apart = 0

    init(segments: [UInt8], channels: Int, plane: Int) {
        self.segments = segments
        self.channels = channels
        self.plane = plane
    }

    mutating func add(_ prediction: [Float], of images: Range<Int>) {
        let pixels = images.count * plane
        let limit = Float(PixelPairs.sameBelow)
        for (position, image) in images.enumerated() {
            let own = Array(segments[(image * plane)..<((image + 1) * plane)])
            let chosen = PixelPairs.evaluated(image: image, labels: own)
            for first in chosen.indices {
                for second in (first + 1)..<max(chosen.count, first + 1) {
                    var distance: Float = 0
                    for channel in 0..<channels {
                        let base = channel * pixels + position * plane
                        let difference =
                            prediction[base + chosen[first]] - prediction[base + chosen[second]]
                        distance += difference * difference
                    }
                    count(own[chosen[first]] == own[chosen[second]], called: distance <= limit)
                }
            }
        }
    }

    private mutating func count(_ isSame: Bool, called saysSame: Bool) {
        if isSame {
            same += 1
            sameRight += saysSame ? 1 : 0
        } else {
            apart += 1
            apartRight += saysSame ? 0 : 1
        }
    }

    var metrics: [TaskMetric] {
        func share(_ part: Int, _ whole: Int) -> Double? {
            whole == 0 ? nil : Double(part) / Double(whole)
        }
        let recalls = (share(sameRight, same), share(apartRight, apart))
        let both = recalls.0.flatMap { first in recalls.1.map { (first + $0) / 2 } }
        return [
            TaskMetric("pairAccuracy", both), TaskMetric("sameRecall", recalls.0),
            TaskMetric("apartRecall", recalls.1), TaskMetric("count", Double(same + apart)),
        ]
    }
}
