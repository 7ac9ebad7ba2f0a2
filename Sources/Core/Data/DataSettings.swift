/// Which images a run learns from and is judged on.
public struct DataSettings: Codable, Hashable, Sendable {
    /// The data set's name, such as `fashion-mnist`.
    public var set: String
    /// How many training images: a seeded subset with equal shares per class; 0 stands for all.
    public var train: Int
    /// How many test images, chosen likewise.
    public var test: Int

    public init(set: String, train: Int, test: Int) {
        self.set = set
        self.train = train
        self.test = test
    }
}

/// What a data set is before any subset of it is taken: enough to plan with, and to key jobs by.
public struct DataFacts: Codable, Hashable, Sendable {
    /// The digest of the decoded training and test files, in the order read.
    public var digest: Digest
    public var channels: Int
    public var height: Int
    public var width: Int
    public var classCount: Int
    public var trainCount: Int
    public var testCount: Int
    /// The tasks beyond those of pixels and classes that it knows the answers to.
    public var mapTasks: [TaskKind]
    /// How many semantic classes its pixels have, where it knows them.
    public var pixelClassCount: Int
    /// The losses beyond the usual that it has the numbers for.
    public var losses: [TaskLoss]
    /// What a user should know of how the set was read.
    public var notes: [String]

    public init(
        digest: Digest, channels: Int, height: Int, width: Int, classCount: Int, trainCount: Int,
        testCount: Int, mapTasks: [TaskKind] = [], pixelClassCount: Int = 8,
        losses: [TaskLoss] = [], notes: [String] = []
    ) {
        self.digest = digest
        self.channels = channels
        self.height = height
        self.width = width
        self.classCount = classCount
        self.trainCount = trainCount
        self.testCount = testCount
        self.mapTasks = mapTasks
        self.pixelClassCount = pixelClassCount
        self.losses = losses
        self.notes = notes
    }
}

/// Labelled 8-bit images, `[count, channels, height, width]`, row 0 at the top.
public struct ImageSet: Sendable {
    public let channels: Int
    public let height: Int
    public let width: Int
    public let classCount: Int
    /// How many semantic classes pixels have, where the set knows them.
    public var pixelClassCount = 8
    /// `count * channels * height * width` bytes, image after image.
    public var pixels: [UInt8]
    /// One class index in `0..<classCount` an image.
    public var labels: [Int32]
    /// Where each image stood in the set it was taken from.
    public var indices: [Int]
    /// The images as numbers where no byte says them, beside 0...1 too; `nil`: pixels say all.
    public var numbers: [Float]?

    public init(
        channels: Int, height: Int, width: Int, classCount: Int, pixels: [UInt8], labels: [Int32],
        indices: [Int]
    ) {
        precondition(
            pixels.count == labels.count * channels * height * width
                && indices.count == labels.count,
            "\(pixels.count) bytes, \(labels.count) labels and \(indices.count) indices disagree")
        self.channels = channels
        self.height = height
        self.width = width
        self.classCount = classCount
        self.pixels = pixels
        self.labels = labels
        self.indices = indices
    }

    public var count: Int { labels.count }
    /// Bytes of one image.
    public var pixelsPerImage: Int { channels * height * width }
    /// What networks see: `numbers`, or pixels scaled to 0...1.
    var scaledPixels: [Float] { numbers ?? pixels.map { Float($0) / 255 } }
}
