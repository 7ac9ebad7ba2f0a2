import Foundation

/// Keeps a decoded folder of images beside it, so that slots share one decoding: arrays in
/// `.fathom/NAME`, which count only while the files they were made of are as they were, and only
/// with the bytes that the index has the digests of.
struct ImageFolderCache {
    /// Where the arrays lie.
    let folder: String

    /// What the arrays were made of and what they must be.
    private struct Index: Codable {
        var version = 1
        /// Of all files' names, sizes and times.
        var source: Digest
        /// Of all files' contents: the data set's digest.
        var content: Digest
        /// Of the arrays, by file.
        var arrays: [String: Digest]
    }

    private static let indexName = "index.json"

    /// The decoded parts and the set's digest, if they are here and whole.
    func load(source: Digest, side: Int, classCount: Int) -> (parts: [ImageSet], content: Digest)? {
        guard let bytes = try? DataFile.raw(path: folder + "/" + Self.indexName),
            let index = try? JSONDecoder().decode(Index.self, from: Data(bytes)),
            index.version == 1, index.source == source
        else { return nil }
        var parts: [ImageSet] = []
        for part in ["train", "val"] {
            guard let pixels = array("\(part)-images.npy", index)?.bytes,
                let labels = array("\(part)-labels.npy", index)?.integers,
                pixels.count == labels.count * 3 * side * side,
                labels.allSatisfy({ (0..<classCount).contains($0) })
            else { return nil }
            parts.append(
                ImageSet(
                    channels: 3, height: side, width: side, classCount: classCount, pixels: pixels,
                    labels: labels.map { Int32($0) }, indices: Array(labels.indices)))
        }
        return (parts, index.content)
    }

    private func array(_ name: String, _ index: Index) -> StoredArray? {
        guard let bytes = try? DataFile.raw(path: folder + "/" + name),
            Digest(of: bytes) == index.arrays[name]
        else { return nil }
        return try? NPYFile(decoding: bytes, file: name).array
    }

    /// Writes the parts, the index last. A folder that cannot be written to is no failure: the
    /// images are decoded again next time.
    func keep(_ parts: [ImageSet], source: Digest, content: Digest) {
        do {
            try FileManager.default.createDirectory(
                atPath: folder, withIntermediateDirectories: true)
            var arrays: [String: Digest] = [:]
            for (name, images) in zip(["train", "val"], parts) {
                let shape = [images.count, 3, images.height, images.width]
                let stored = [
                    ("images", StoredArray(shape: shape, values: .uint8(images.pixels))),
                    (
                        "labels",
                        StoredArray(shape: [images.count], values: .int32(images.labels))
                    ),
                ]
                for (kind, array) in stored {
                    let bytes = NPYFile(array).encoded()
                    try AtomicFile.write(bytes, to: "\(folder)/\(name)-\(kind).npy")
                    arrays["\(name)-\(kind).npy"] = Digest(of: bytes)
                }
            }
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys]
            let index = Index(source: source, content: content, arrays: arrays)
            try AtomicFile.write(
                Array(try encoder.encode(index)), to: folder + "/" + Self.indexName)
        } catch {
            return
        }
    }
}
