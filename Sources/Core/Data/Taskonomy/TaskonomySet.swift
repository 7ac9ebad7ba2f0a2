import Foundation
import Synchronization

/// A Taskonomy set at a small size: decoded once into arrays beside the data, which all slots and
/// machines that see the folder share, and of which only what is asked for is read.
public final class TaskonomySet: Sendable {
    let index: TaskonomyIndex
    /// Of the index, which holds the digests of everything else.
    let digest: Digest
    private let folder: String
    /// The shards read last, so that images near each other are read once.
    private let recent = Mutex<[String: StoredArray]>([:])

    /// Shards of one domain are read in their order; a few domains at once.
    private static let recentMax = 24

    /// - Parameters:
    ///   - root: The tree's folder.
    ///   - name: The set's name, after which its folder of decoded images is called.
    ///   - partition: Which split file counts; `nil`: the sample's one building, without any.
    ///   - classImagesMin: Classes with fewer training images become one.
    /// - Throws: `DataError`; a tree is decoded the first time, which may take long.
    public static func open(
        root: String, name: String, partition: String?, side: Int, classImagesMin: Int = 50
    ) throws(DataError) -> TaskonomySet {
        let folder = "\(root)/.fathom/\(name)"
        let path = folder + "/" + TaskonomyIndex.fileName
        if FileManager.default.fileExists(atPath: path) {
            return try TaskonomySet(folder: folder, root: root, contents: DataFile.raw(path: path))
        }
        let tree = try TaskonomyTree(root: root)
        guard tree.folders[.rgb] != nil,
            tree.folders[.scene] ?? tree.folders[.object] != nil
        else {
            throw .missing(
                name: name, looked: [root],
                cure: "It needs the folders rgb and class_scene or class_object; there are "
                    + tree.domains.map(\.rawValue).joined(separator: ", ") + ".")
        }
        let split = try split(partition, root: root, isSample: tree.isSample, name: name)
        let maker = TaskonomyMaker(
            tree: tree, split: split, side: side, classImagesMin: classImagesMin, folder: folder)
        return try TaskonomySet(folder: folder, root: root, contents: try maker.make().encoded)
    }

    private init(folder: String, root: String, contents: [UInt8]) throws(DataError) {
        self.folder = folder
        try DataFile.requireInside(folder, folder: root)
        index = try TaskonomyIndex(
            decoding: contents, file: folder + "/" + TaskonomyIndex.fileName)
        digest = Digest(of: contents)
    }

    private static func split(
        _ partition: String?, root: String, isSample: Bool, name: String
    ) throws(DataError) -> TaskonomySplit {
        guard let partition, !isSample else {
            guard partition == nil else {
                throw .missing(
                    name: name, looked: [root],
                    cure: "There are files in rgb itself, as the sample has them: ask for "
                        + "taskonomy-sample-64.")
            }
            guard isSample else {
                throw .missing(
                    name: name, looked: [root],
                    cure: "The sample has files in rgb itself; this tree has folders of buildings "
                        + "there. Ask for taskonomy-tiny-64 or another with a split file.")
            }
            return TaskonomyMaker.sampleSplit
        }
        let places = ["", "/splits_taskonomy", "/splits"].flatMap { place in
            ["train_val_test_\(partition).csv", "\(partition).csv"].map { root + place + "/" + $0 }
        }
        guard let path = places.first(where: FileManager.default.fileExists) else {
            throw .missing(
                name: name, looked: places,
                cure: "Put Taskonomy's split file train_val_test_\(partition).csv there.")
        }
        try DataFile.requireInside(path, folder: root)
        return try TaskonomySplit(decoding: try DataFile.raw(path: path), file: path)
    }

    var facts: DataFacts {
        DataFacts(
            digest: digest, channels: 3, height: index.side, width: index.side,
            classCount: index.classCount, trainCount: index.train.labels.count,
            testCount: index.test.labels.count, mapTasks: index.mapTasks,
            pixelClassCount: TaskonomyDomain.semanticClassCount,
            losses: [.soft, .square]
                + (index.domains.contains(.semantic) ? [TaskLoss.prior] : []),
            notes: index.notes)
    }

    /// The images at these positions of a part.
    func images(_ part: DataSet.Part, _ positions: [Int]) throws(DataError) -> ImageSet {
        let labels = index.part(part).labels
        var images = ImageSet(
            channels: 3, height: index.side, width: index.side, classCount: index.classCount,
            pixels: try bytes(.rgb, part, positions), labels: positions.map { labels[$0] },
            indices: positions)
        images.pixelClassCount = TaskonomyDomain.semanticClassCount
        return images
    }

    // MARK: Reading shards

    /// One domain's bytes of some images.
    func bytes(
        _ domain: TaskonomyDomain, _ part: DataSet.Part, _ positions: [Int]
    ) throws(DataError) -> [UInt8] {
        try gathered(domain, part, positions) { array in
            if case .uint8(let values) = array.values { values } else { nil }
        }
    }

    /// One domain's 16-bit levels of some images.
    func levels(
        _ domain: TaskonomyDomain, _ part: DataSet.Part, _ positions: [Int]
    ) throws(DataError) -> [Int32] {
        try gathered(domain, part, positions) { array in
            if case .int32(let values) = array.values { values } else { nil }
        }
    }

    /// One class domain's probabilities of some images.
    func shares(
        _ domain: TaskonomyDomain, _ part: DataSet.Part, _ positions: [Int]
    ) throws(DataError) -> [Float] {
        try gathered(domain, part, positions) { $0.floats }
    }

    private func gathered<Value>(
        _ domain: TaskonomyDomain, _ part: DataSet.Part, _ positions: [Int],
        _ values: (StoredArray) -> [Value]?
    ) throws(DataError) -> [Value] {
        let size = domain.isClass ? domain.channels : domain.channels * index.side * index.side
        var places: [Int: [(place: Int, within: Int)]] = [:]
        for (place, position) in positions.enumerated() {
            let (shard, within) = position.quotientAndRemainder(
                dividingBy: TaskonomyIndex.shardImages)
            places[shard, default: []].append((place, within))
        }
        var pieces = [ArraySlice<Value>](repeating: [], count: positions.count)
        for shard in places.keys.sorted() {
            let array = try self.shard(domain, part, shard)
            guard let all = values(array) else {
                throw .malformed(
                    file: path(domain, part, shard), offset: 0,
                    expected: "the number type of \(domain.rawValue)", found: "another")
            }
            for (place, within) in places[shard] ?? [] {
                pieces[place] = all[(within * size)..<((within + 1) * size)]
            }
        }
        return Array(pieces.joined())
    }

    private func path(_ domain: TaskonomyDomain, _ part: DataSet.Part, _ number: Int) -> String {
        folder + "/" + TaskonomyIndex.shardName(domain, part, number)
    }

    /// Reads a shard and holds it against the index.
    private func shard(
        _ domain: TaskonomyDomain, _ part: DataSet.Part, _ number: Int
    ) throws(DataError) -> StoredArray {
        let path = path(domain, part, number)
        if let known = recent.withLock({ $0[path] }) { return known }
        let contents = try DataFile.raw(path: path)
        let wanted = index.part(part).shards[domain.rawValue]?[number]
        guard let wanted, Digest(of: contents) == wanted else {
            throw .malformed(
                file: path, offset: 0,
                expected: "bytes of digest \(wanted?.short ?? "none"), as the index has them",
                found: "\(Digest(of: contents).short); delete the folder, and it is made again")
        }
        let array = try NPYFile(decoding: contents, file: path).array
        let total = index.part(part).labels.count
        let count = min(
            TaskonomyIndex.shardImages, total - number * TaskonomyIndex.shardImages)
        let shape =
            domain.isClass
            ? [count, domain.channels] : [count, domain.channels, index.side, index.side]
        guard array.shape == shape else {
            throw .malformed(
                file: path, offset: 10, expected: "shape \(shape)", found: "\(array.shape)")
        }
        recent.withLock { kept in
            if kept.count >= Self.recentMax { kept = [:] }
            kept[path] = array
        }
        return array
    }
}
