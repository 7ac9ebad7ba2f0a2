/// What a network's predictions are held against: a weighted sum of task losses, each on one head.
///
/// An objective belongs to one network and one set of images; making it checks that they fit.
public struct Objective: Sendable {
    /// One task's loss.
    public struct Term: Sendable {
        /// Which head, by its task.
        public var task: String
        public var target: Target
        /// How much the task's mean loss counts in the sum.
        public var weight: Double

        public init(task: String, target: Target, weight: Double = 1) {
            self.task = task
            self.target = target
            self.weight = weight
        }
    }

    /// What a head should say, image after image, and thereby how its loss is measured.
    public enum Target: Sendable {
        /// A class an image; cross-entropy.
        case classes([Int32])
        /// How likely each class of an image is.
        case shares(ShareTarget)
        /// A class a pixel, row after row, 255 where it does not count; cross-entropy, in which
        /// pixels count as their classes weigh, if that is told.
        case pixelClasses([UInt8], weights: [Float]? = nil)
        /// The surface of each pixel, numbered anew in every image, 255 where it does not count;
        /// embeddings of one surface's pixels are drawn together, and others apart.
        case segments([UInt8])
        /// Numbers a pixel.
        case planes(PlaneTarget)
    }

    let terms: [Term]
    /// Each term's weight.
    let weights: [Double]
    /// Each term's head in the network.
    let heads: [Int]

    /// More terms than there are tasks at all; a bound so that sums take no memory of their own.
    static let termsMax = 12

    /// - Throws: `Failure` naming the task whose target does not fit the network or the images.
    public init(network: Network, images: ImageSet, terms: [Term]) throws(Failure) {
        guard !terms.isEmpty else { throw Failure(task: "-", problem: "there is no task at all") }
        guard terms.count <= Self.termsMax else {
            throw Failure(
                task: terms[Self.termsMax].task,
                problem: "it is one more than the \(Self.termsMax) tasks an objective takes")
        }
        var heads: [Int] = []
        for term in terms {
            guard let head = network.heads.firstIndex(where: { $0.task == term.task }) else {
                let known = network.heads.map(\.task).joined(separator: ", ")
                throw Failure(task: term.task, problem: "the network has heads for \(known) only")
            }
            if heads.contains(head) { throw Failure(task: term.task, problem: "it is there twice") }
            guard term.weight.isFinite, term.weight > 0 else {
                throw Failure(
                    task: term.task, problem: "its weight is \(term.weight), not above 0")
            }
            let shape = network.shapes[network.heads[head].node]
            if let problem = term.target.problem(shape: shape, images: images) {
                throw Failure(task: term.task, problem: problem)
            }
            heads.append(head)
        }
        self.terms = terms
        self.heads = heads
        weights = terms.map(\.weight)
    }

    /// The images' own classes at the network's first head, which is a classifier's.
    init(classesOf images: ImageSet, network: Network) {
        terms = [Term(task: network.heads[0].task, target: .classes(images.labels))]
        heads = [0]
        weights = [1]
    }

    /// The term that accuracy is told of: the first that is a classification.
    var accuracyTerm: Int? { terms.firstIndex { $0.target.isClassification } }

    /// Whether every target is about the class of a whole image.
    var takesClassesOnly: Bool {
        terms.allSatisfy { term in
            switch term.target {
            case .classes, .shares: true
            case .pixelClasses, .segments, .planes: false
            }
        }
    }

    /// Why an objective does not fit.
    public struct Failure: Error, CustomStringConvertible {
        public let task: String
        public let problem: String

        public var description: String { "the objective of task \(task) does not fit: \(problem)" }
    }
}

/// Numbers that a head should predict at every pixel.
public struct PlaneTarget: Sendable {
    public enum Loss: String, Codable, Hashable, Sendable, CaseIterable {
        /// Mean of |prediction - target|.
        case absolute
        /// Mean of (prediction - target)².
        case square
        /// Mean over pixels of 1 - cos(prediction, target), vectors along the channels.
        case cosine
        /// Mean of |p/|p| - target|, vectors `p` along the channels.
        case direction
    }

    /// `[images][channels][height][width]`.
    public var values: [Float]
    /// `[images][height][width]`, 0 where a pixel does not count; `nil`: all count.
    public var mask: [UInt8]?
    public var loss: Loss
    /// Whether a left-right flip turns the sign of the first channel, as of surface normals.
    public var flipTurnsFirstChannel: Bool

    public init(
        values: [Float], mask: [UInt8]? = nil, loss: Loss, flipTurnsFirstChannel: Bool = false
    ) {
        self.values = values
        self.mask = mask
        self.loss = loss
        self.flipTurnsFirstChannel = flipTurnsFirstChannel
    }
}

extension Objective.Target {
    var isClassification: Bool {
        switch self {
        case .classes, .shares, .pixelClasses: true
        case .segments, .planes: false
        }
    }

    /// Why the target does not fit a head of this shape; `nil`: it does.
    fileprivate func problem(shape: SampleShape, images: ImageSet) -> String? {
        switch (self, shape) {
        case (.classes(let labels), .rows(1, let classes)):
            return labels.count == images.count
                && labels.allSatisfy { (0..<Int32(classes)).contains($0) }
                ? nil : "it takes \(images.count) classes in 0..<\(classes)"
        case (.shares(let target), .rows(1, let classes)):
            return target.labels.count == images.count
                && target.values.count == images.count * classes
                && target.values.allSatisfy { $0 >= 0 && $0.isFinite }
                && target.labels.allSatisfy { (0..<Int32(classes)).contains($0) }
                ? nil : "it takes \(images.count) classes, and times \(classes) shares"
        case (.pixelClasses(let labels, let weights), .image(let classes, let height, let width)):
            if let weights, weights.count != classes || !weights.allSatisfy({ $0 > 0 }) {
                return "it takes \(classes) weights of classes, all above 0"
            }
            return labels.count == images.count * height * width
                && labels.allSatisfy { $0 < classes || $0 == 255 }
                ? nil
                : "it takes \(images.count) times \(height)x\(width) classes in 0..<\(classes)"
        case (.segments(let labels), .image(_, let height, let width)):
            return labels.count == images.count * height * width
                ? nil : "it takes \(images.count) times \(height)x\(width) surfaces"
        case (.planes(let target), .image(_, let height, let width)):
            let isWhole = target.values.count == images.count * shape.elements
            let masked = target.mask.map { $0.count == images.count * height * width } ?? true
            return isWhole && masked
                ? nil : "it takes \(images.count) times \(shape) numbers, and a mask a pixel"
        case (.classes, _), (.shares, _):
            return "classes are for classifiers; this head predicts \(shape)"
        case (_, _):
            return "planes are for dense heads; this head predicts \(shape)"
        }
    }
}

/// What predictions were worth under an objective: each term's sums. Made every step, so it holds
/// them in place rather than in memory taken for them.
public struct ObjectiveSum: Sendable {
    private var places = InlineArray<12, LossSum>(repeating: LossSum())
    private let weights: [Double]
    private let accuracyTerm: Int?

    init(_ objective: Objective) {
        weights = objective.weights
        accuracyTerm = objective.accuracyTerm
    }

    /// In the objective's order.
    public var sums: [LossSum] { weights.indices.map { places[$0] } }

    subscript(term: Int) -> LossSum {
        get { places[term] }
        set { places[term] = newValue }
    }

    public static func += (left: inout ObjectiveSum, right: ObjectiveSum) {
        for term in left.weights.indices { left.places[term] += right.places[term] }
    }

    /// The weighted sum of the terms' mean losses.
    public var mean: Double {
        weights.indices.reduce(0) { $0 + weights[$1] * places[$1].mean }
    }

    /// Of the first classification among the terms, 0...1; 0 where there is none.
    public var accuracy: Double { accuracyTerm.map { places[$0].accuracy } ?? 0 }

    public var isFinite: Bool { mean.isFinite }

    /// All terms as one sum whose mean is theirs; that of a lone term of weight 1 is its own.
    public var total: LossSum {
        if weights.count == 1, weights[0] == 1 { return places[0] }
        var total = accuracyTerm.map { places[$0] } ?? LossSum()
        if accuracyTerm == nil { total.count = places[0].count }
        total.mass = 0
        total.loss = mean * Double(max(1, total.count))
        return total
    }
}
