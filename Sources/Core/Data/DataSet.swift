/// A data set: what it is, and its training and test images in the files' order.
public struct DataSet: Sendable {
    /// The name it is asked for by, such as `fashion-mnist`.
    public let name: String
    /// What the set is, for plans and keys.
    public let facts: DataFacts
    private let content: Content

    /// The two parts that runs use.
    public enum Part: String, Hashable, Sendable, CaseIterable {
        case train, test
    }

    private enum Content: Sendable {
        case images(train: ImageSet, test: ImageSet)
        /// Images that lie decoded on disk.
        case decoded(DecodedSet)
        /// Images that are drawn when they are asked for.
        case rooms(RoomsRenderer)
        /// Images that are read when they are asked for.
        case taskonomy(TaskonomySet)
    }

    /// A set read whole; takes every part as given.
    public init(name: String, facts: DataFacts, train: ImageSet, test: ImageSet) {
        self.name = name
        self.facts = facts
        content = .images(train: train, test: test)
    }

    /// A set that lies decoded on disk, of which nothing is read yet but its labels.
    init(name: String, decoded set: DecodedSet, notes: [String]) {
        self.name = name
        facts = DataFacts(
            digest: set.content, channels: set.shape.channels, height: set.shape.height,
            width: set.shape.width, classCount: set.shape.classCount,
            trainCount: set.train.labels.count, testCount: set.test.labels.count, notes: notes)
        content = .decoded(set)
    }

    /// A set of rooms, of which nothing is drawn yet but what its digest needs.
    public init(name: String, rooms settings: RoomsSettings) {
        let renderer = RoomsRenderer(settings)
        self.name = name
        facts = renderer.facts
        content = .rooms(renderer)
    }

    /// A Taskonomy set, of which nothing is read yet but its index.
    public init(name: String, taskonomy set: TaskonomySet) {
        self.name = name
        facts = set.facts
        content = .taskonomy(set)
    }

    /// All training images.
    public var train: ImageSet { get throws(DataError) { try whole(.train) } }
    /// All test images.
    public var test: ImageSet { get throws(DataError) { try whole(.test) } }

    private func whole(_ part: Part) throws(DataError) -> ImageSet {
        if case .images(let train, let test) = content { return part == .train ? train : test }
        return try images(
            part, at: Array(0..<(part == .train ? facts.trainCount : facts.testCount)))
    }

    /// A random subset of a part with equal shares of the classes, as
    /// `ImageSet.stratifiedSubset` has it; nothing outside of it is drawn or read.
    public func subset(
        _ part: Part, count: Int, random: RandomStream
    ) throws(DataError) -> ImageSet {
        let labels: [Int32]
        switch content {
        case .images(let train, let test):
            return try (part == .train ? train : test).stratifiedSubset(
                count: count, random: random)
        case .decoded(let set):
            labels = set.part(part).labels
        case .rooms(let renderer):
            labels = (0..<renderer.count(part)).map { renderer.label($0) }
        case .taskonomy(let set):
            labels = set.index.part(part).labels
        }
        let positions = try StratifiedSubset.positions(
            labels: labels, classCount: facts.classCount, count: count, random: random)
        return try images(part, at: positions)
    }

    /// The images of a part at these positions of its own order, which must be there.
    ///
    /// - Throws: `DataError` where they have to be read first.
    public func images(_ part: Part, at positions: [Int]) throws(DataError) -> ImageSet {
        switch content {
        case .images(let train, let test):
            return (part == .train ? train : test).selecting(positions)
        case .decoded(let set):
            return set.images(part, at: positions)
        case .rooms(let renderer):
            return renderer.images(part.split, positions)
        case .taskonomy(let set):
            return try set.images(part, positions)
        }
    }

    /// What is known of every pixel of images of a part, as far as some tasks ask for it; `nil`:
    /// this set says nothing of pixels.
    ///
    /// - Parameter losses: Those that the tasks are learned by, as far as they are not the usual.
    /// - Throws: `DataError` where it has to be read first.
    public func maps(
        _ part: Part, of images: ImageSet, for tasks: [TaskKind] = TaskKind.allCases,
        losses: [TaskLoss] = []
    ) throws(DataError) -> SceneMaps? {
        switch content {
        case .images, .decoded: return nil
        case .rooms(let renderer):
            // Rooms know what pixels do not tell; the others are worked out from pixels.
            guard tasks.contains(where: \.needsMaps) else { return nil }
            return renderer.maps(part.split, images.indices)
        case .taskonomy(let set):
            return try set.maps(part, images.indices, for: tasks, losses: losses)
        }
    }
}

extension DataSet.Part {
    var split: RoomsSettings.Split { self == .train ? .train : .test }
}

extension RoomsRenderer {
    func count(_ part: DataSet.Part) -> Int {
        part == .train ? settings.trainCount : settings.testCount
    }

    /// The digest covers the settings, and the first hundred training images as this machine draws
    /// them: two machines that drew differently would not be taken for each other.
    var facts: DataFacts {
        let sample = images(.train, Array(0..<min(100, settings.trainCount)))
        let words =
            "rooms10 generator \(RoomsSettings.generatorVersion) \(settings.difficulty.rawValue) "
            + "side \(settings.side) seed \(settings.seed) train \(settings.trainCount) "
            + "test \(settings.testCount)"
        return DataFacts(
            digest: Digest(of: Array(words.utf8) + sample.pixels), channels: 3,
            height: settings.side, width: settings.side, classCount: RoomsSettings.classCount,
            trainCount: settings.trainCount, testCount: settings.testCount,
            mapTasks: TaskKind.allCases.filter(\.needsMaps))
    }
}
