import Foundation

/// Keeps a decoded data set on disk, so that all slots of a machine share one decoding: arrays that
/// count only while the files they were made of are as they were, and only with the bytes that the
/// index has the digests of.
struct DecodedCache {
    /// Where the arrays lie; `nil`: nowhere, and every process decodes for itself.
    let folder: String?

    /// - Parameters:
    ///   - root: The folder for the sets of all names and places.
    ///   - place: Where the set's own files lie.
    init(root: String?, name: String, place: String) {
        folder = root.map { "\($0)/\(name)-\(Digest(of: Array(place.utf8)).short)" }
    }

    init(folder: String) { self.folder = folder }

    /// A set as its reader decodes it.
    struct Decoded {
        var content: Digest
        var train: ImageSet
        var test: ImageSet
    }

    /// What the arrays were made of and what they must be.
    private struct Index: Codable {
        var version = Self.version
        /// Of all files' names, sizes and times.
        var source: Digest
        /// Of all files' contents: the data set's digest.
        var content: Digest
        var shape: DecodedSet.Shape
        /// Of the arrays, by file.
        var arrays: [String: Digest]
        /// Of all of the above, so that an index that was altered does not count either.
        var seal: Digest?

        static let version = 2

        var sealed: Index {
            var sealed = self
            sealed.seal = nil
            sealed.seal = Digest(of: sealed.encoded)
            return sealed
        }

        var encoded: [UInt8] {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys]
            do {
                return Array(try encoder.encode(self))
            } catch {
                preconditionFailure("an index must be encodable: \(error)")
            }
        }
    }

    private static let indexName = "index.json"

    /// The set, from the arrays where they are here and whole; otherwise decoded, and kept.
    ///
    /// While one process decodes, others wait for what it makes.
    ///
    /// - Parameters:
    ///   - source: Of all files' names, sizes and times.
    ///   - notes: What a user should know of how the set was read.
    func dataSet(
        name: String, source: Digest, notes: [String] = [],
        decode: () throws(DataError) -> Decoded
    ) throws(DataError) -> DataSet {
        if let kept = load(source) { return DataSet(name: name, decoded: kept, notes: notes) }
        let turn = FileTurn(folder: folder)
        defer { turn?.end() }
        if turn != nil, let kept = load(source) {
            return DataSet(name: name, decoded: kept, notes: notes)
        }
        let decoded = try decode()
        if turn != nil, keep(decoded, source: source), let kept = load(source) {
            return DataSet(name: name, decoded: kept, notes: notes)
        }
        return LabelledImages.dataSet(
            name: name, digest: decoded.content, train: decoded.train, test: decoded.test,
            notes: notes)
    }

    /// The digest that changes with any of these files.
    static func source(of files: [String]) throws(DataError) -> Digest {
        var lines: [String] = []
        for file in files { lines.append("\(file) \(try DataFile.stamp(path: file))") }
        return Digest(of: Array(lines.joined(separator: "\n").utf8))
    }

    // MARK: Files

    /// The decoded parts, if they are here and whole.
    private func load(_ source: Digest) -> DecodedSet? {
        guard let folder, let bytes = try? DataFile.raw(path: folder + "/" + Self.indexName),
            let index = try? JSONDecoder().decode(Index.self, from: Data(bytes)),
            index.version == Index.version, index.source == source,
            index.seal == index.sealed.seal,
            let train = part("train", index), let test = part("test", index)
        else { return nil }
        return DecodedSet(content: index.content, shape: index.shape, train: train, test: test)
    }

    private func part(_ name: String, _ index: Index) -> DecodedSet.Part? {
        guard let written = mapped("\(name)-labels.npy", index),
            let numbers = try? NPYFile(decoding: Array(written), file: name).array.integers,
            numbers.allSatisfy({ (0..<index.shape.classCount).contains($0) }),
            let pixels = mapped("\(name)-images.npy", index)
        else { return nil }
        let header = Self.header(index.shape, count: numbers.count)
        guard pixels.starts(with: header),
            pixels.count - header.count == numbers.count * index.shape.pixelsPerImage
        else { return nil }
        return DecodedSet.Part(
            labels: numbers.map { Int32($0) }, file: pixels, start: header.count)
    }

    /// A file's bytes, if they are those that the index has. Files here are replaced whole, never
    /// written into, so that what is mapped stays as it was when it was held against the index.
    private func mapped(_ name: String, _ index: Index) -> Data? {
        guard let folder,
            let data = try? Data(
                contentsOf: URL(fileURLWithPath: folder + "/" + name), options: .alwaysMapped),
            Digest(of: data) == index.arrays[name]
        else { return nil }
        return data
    }

    private static func header(_ shape: DecodedSet.Shape, count: Int) -> [UInt8] {
        NPYFile.header(
            descriptor: "|u1", shape: [count, shape.channels, shape.height, shape.width])
    }

    /// Writes the parts, the index last. A folder that cannot be written to is no failure: the
    /// images are decoded again next time.
    ///
    /// - Returns: Whether everything was written.
    private func keep(_ decoded: Decoded, source: Digest) -> Bool {
        guard let folder else { return false }
        let images = decoded.train
        var index = Index(
            source: source, content: decoded.content,
            shape: DecodedSet.Shape(
                channels: images.channels, height: images.height, width: images.width,
                classCount: images.classCount), arrays: [:])
        do {
            for (name, part) in [("train", decoded.train), ("test", decoded.test)] {
                let labels = StoredArray(shape: [part.count], values: .int32(part.labels))
                let files = [
                    "\(name)-labels.npy": NPYFile(labels).encoded(),
                    "\(name)-images.npy": Self.header(index.shape, count: part.count)
                        + part.pixels,
                ]
                for (file, bytes) in files {
                    try AtomicFile.write(bytes, to: "\(folder)/\(file)")
                    index.arrays[file] = Digest(of: bytes)
                }
            }
            try AtomicFile.write(index.sealed.encoded, to: folder + "/" + Self.indexName)
            return true
        } catch {
            return false
        }
    }
}

/// The right to fill a folder, which one process has at a time; it ends with the process.
private struct FileTurn {
    private let descriptor: Int32

    /// Waits for the turn; `nil` where the folder cannot be written to.
    init?(folder: String?) {
        guard let folder else { return nil }
        try? FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true)
        descriptor = open(folder + "/lock", O_CREAT | O_RDWR | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { return nil }
        while flock(descriptor, LOCK_EX) != 0 {
            guard errno == EINTR else {
                close(descriptor)
                return nil
            }
        }
    }

    func end() { close(descriptor) }
}
