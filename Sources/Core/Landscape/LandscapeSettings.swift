/// How the loss is sampled on a plane through a network's weights (`docs/science/landscapes.md`).
public struct LandscapeSettings: Codable, Hashable, Sendable {
    public enum Plane: String, Codable, Hashable, Sendable, CaseIterable {
        /// Two random directions around the last checkpoint, each filter as long as the network's
        /// (Li et al., 2018, arXiv 1712.09913).
        case random
        /// The two directions that explain most of the run's way to its last checkpoint.
        case trajectory
    }

    public var plane: Plane
    /// Points along each side; odd, so that a random plane has a point at its centre.
    public var points: Int
    /// How far the plane reaches: for `random` in multiples of the directions to each side, for
    /// `trajectory` beyond what the run covers, as a share of that.
    public var reach: Double
    /// How many images, class-balanced and seeded.
    public var images: Int
    public var batch: Int
    public var data: SALSettings.Source

    public init(
        plane: Plane, points: Int = 25, reach: Double, images: Int = 256, batch: Int = 64,
        data: SALSettings.Source = .train
    ) {
        self.plane = plane
        self.points = points
        self.reach = reach
        self.images = images
        self.batch = batch
        self.data = data
    }

    /// How many points there are, row after row; each is an entry of its job.
    public var entryCount: Int { points * points }

    /// The most checkpoints that a trajectory is made of: all are in memory together.
    public static let checkpointsMax = 24

    /// Which of `count` checkpoints a trajectory is made of: evenly spread, the last always.
    public static func chosen(of count: Int) -> [Int] {
        guard count > checkpointsMax else { return Array(0..<count) }
        return (1...checkpointsMax).map { $0 * count / checkpointsMax - 1 }
    }
}

/// The loss at one point of a plane.
public struct LandscapePoint: Hashable, Sendable, Codable {
    /// Place among the plane's points, row after row, from 0.
    public var entry: Int
    /// Along the first and the second direction, from the plane's checkpoint.
    public var x: Double
    public var y: Double
    /// In nats for cross-entropies; `nil`, with a flag, where it is no number.
    public var loss: Double?
    /// Share of images classified rightly, 0...1; `nil` where nothing is classified.
    public var accuracy: Double?
    public var flag: String?

    public init(
        entry: Int, x: Double, y: Double, loss: Double?, accuracy: Double?, flag: String? = nil
    ) {
        self.entry = entry
        self.x = x
        self.y = y
        self.loss = loss
        self.accuracy = accuracy
        self.flag = flag
    }
}

/// What a plane is, the same for all its points.
public struct PlaneReport: Hashable, Sendable, Codable {
    /// A checkpoint of the run as the plane shows it.
    public struct Step: Hashable, Sendable, Codable {
        public var epoch: Int
        public var x: Double
        public var y: Double
        /// How far the checkpoint lies off the plane: the L2 norm of what is left of it.
        public var distance: Double

        public init(epoch: Int, x: Double, y: Double, distance: Double) {
            self.epoch = epoch
            self.x = x
            self.y = y
            self.distance = distance
        }
    }

    public var plane: LandscapeSettings.Plane
    /// After which the checkpoint at x = y = 0 was taken.
    public var epoch: Int
    /// The loss and accuracy there, as in `LandscapePoint`.
    public var loss: Double?
    public var accuracy: Double?
    /// L2 norms of the two directions: what one unit of x and of y is.
    public var lengthX: Double
    public var lengthY: Double
    /// Shares of the squared distances of all checkpoints to the last one that lie along x and
    /// y; `nil` for a random plane.
    public var explainedX: Double?
    public var explainedY: Double?
    /// Of a trajectory, in the order of epochs, the centre last.
    public var steps: [Step]

    public init(
        plane: LandscapeSettings.Plane, epoch: Int, loss: Double?, accuracy: Double?,
        lengthX: Double, lengthY: Double, explainedX: Double? = nil, explainedY: Double? = nil,
        steps: [Step] = []
    ) {
        self.plane = plane
        self.epoch = epoch
        self.loss = loss
        self.accuracy = accuracy
        self.lengthX = lengthX
        self.lengthY = lengthY
        self.explainedX = explainedX
        self.explainedY = explainedY
        self.steps = steps
    }
}
