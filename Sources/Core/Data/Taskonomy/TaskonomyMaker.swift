import Foundation

/// Decodes a Taskonomy tree once: brings every file to one size and writes arrays that are quick
/// to read, a shard of some hundred images at a time.
struct TaskonomyMaker {
    let tree: TaskonomyTree
    let split: TaskonomySplit
    let side: Int
    /// Classes with fewer training images become one.
    let classImagesMin: Int
    /// Where the arrays are written to.
    let folder: String

    private struct Item {
        var files: [TaskonomyDomain: String]
        var number: Int
    }

    /// Writes everything, the index last: without it the folder counts for nothing.
    func make() throws(DataError) -> TaskonomyIndex {
        try makeFolder()
        var gaps: [TaskonomyGap] = []
        var missing: [String] = []
        let train = try items(split.train, &gaps, &missing)
        let test = try items(split.test, &gaps, &missing)
        guard !train.isEmpty, !test.isEmpty else {
            throw .malformed(
                file: tree.root, offset: 0,
                expected: "training and test images that every domain has",
                found: "\(train.count) and \(test.count); missing buildings: \(missing), "
                    + gaps.map(\.description).joined(separator: "; "))
        }
        let classes = TaskonomyClasses(
            train: train.map(\.number), test: test.map(\.number), imagesMin: classImagesMin)
        let index = TaskonomyIndex(
            side: side, domains: tree.domains, classes: classes, gaps: gaps,
            missingBuildings: missing, train: try part(.train, train, classes),
            test: try part(.test, test, classes))
        try write(index.encoded, to: TaskonomyIndex.fileName)
        return index
    }

    private func makeFolder() throws(DataError) {
        do {
            try FileManager.default.createDirectory(
                atPath: folder, withIntermediateDirectories: true)
        } catch {
            throw .unreadable(
                file: folder,
                reason: "decoded images are kept there, and it cannot be made "
                    + "(\(error.localizedDescription)); let it be written to, or copy the set to "
                    + "where it can")
        }
        try DataFile.requireInside(folder, folder: tree.root)
    }

    private func write(_ bytes: [UInt8], to name: String) throws(DataError) {
        do throws(CheckpointError) {
            try AtomicFile.write(bytes, to: folder + "/" + name)
        } catch {
            throw .unreadable(file: folder + "/" + name, reason: "\(error)")
        }
    }

    /// The images of a part in order, and the most likely class of each.
    private func items(
        _ buildings: [String], _ gaps: inout [TaskonomyGap], _ missing: inout [String]
    ) throws(DataError) -> [Item] {
        let labeller = tree.folders[.scene] == nil ? TaskonomyDomain.object : .scene
        var items: [Item] = []
        for building in buildings.sorted() {
            let found = try tree.views(of: building)
            if found.views.isEmpty, found.gaps.isEmpty { missing.append(building) }
            gaps += found.gaps
            for (view, files) in found.views where takes(view, of: building) {
                var number = 0
                if let path = files[labeller] {
                    let shares = try labeller.probabilities(
                        decoding: try DataFile.raw(path: path), file: path)
                    number = shares.indices.max { shares[$0] < shares[$1] } ?? 0
                }
                items.append(Item(files: files, number: number))
            }
        }
        return items
    }

    /// Of the sample's one building every fifth point is for the test.
    private func takes(_ view: TaskonomyView, of building: String) -> Bool {
        guard building.hasPrefix(Self.samplePrefix) else { return true }
        return (building == Self.sampleTest) == (view.point % 5 == 4)
    }

    private static let samplePrefix = "sample-"
    private static let sampleTest = "sample-test"
    /// The split of a tree with one building and no folders for buildings.
    static let sampleSplit = TaskonomySplit(
        train: ["sample-train"], validation: [], test: [sampleTest])

    private func part(
        _ part: DataSet.Part, _ items: [Item], _ classes: TaskonomyClasses
    ) throws(DataError) -> TaskonomyIndex.Part {
        var shards: [String: [Digest]] = [:]
        for (number, start) in stride(
            from: 0, to: items.count, by: TaskonomyIndex.shardImages
        ).enumerated() {
            let chosen = items[start..<min(start + TaskonomyIndex.shardImages, items.count)]
            let sizes = try shard(.rgb, chosen, sizes: nil, part, number, &shards)
            for domain in tree.domains where domain != .rgb {
                _ = try shard(domain, chosen, sizes: sizes, part, number, &shards)
            }
        }
        return TaskonomyIndex.Part(
            labels: items.map { classes.label($0.number) }, shards: shards)
    }

    /// Decodes one domain of some images; answers their sizes.
    private func shard(
        _ domain: TaskonomyDomain, _ items: ArraySlice<Item>, sizes: [(Int, Int)]?,
        _ part: DataSet.Part, _ number: Int, _ shards: inout [String: [Digest]]
    ) throws(DataError) -> [(Int, Int)] {
        var bytes: [UInt8] = []
        var words: [Int32] = []
        var shares: [Float] = []
        var found: [(Int, Int)] = []
        for (place, item) in items.enumerated() {
            guard let path = item.files[domain] else { continue }
            let contents = try DataFile.raw(path: path)
            if domain.isClass {
                shares += try domain.probabilities(decoding: contents, file: path)
                continue
            }
            let (values, size) = try domain.planes(
                decoding: contents, file: path, side: side, sizedAs: sizes?[place])
            if case .uint8(let planes) = values { bytes += planes }
            if case .int32(let planes) = values { words += planes }
            found.append(size)
        }
        let values: StoredValues =
            !shares.isEmpty ? .float32(shares) : words.isEmpty ? .uint8(bytes) : .int32(words)
        let shape =
            domain.isClass
            ? [items.count, domain.channels] : [items.count, domain.channels, side, side]
        let encoded = NPYFile(StoredArray(shape: shape, values: values)).encoded()
        try write(encoded, to: TaskonomyIndex.shardName(domain, part, number))
        shards[domain.rawValue, default: []].append(Digest(of: encoded))
        return found
    }
}
