/// A data set in folders, as ImageNet and many others come: `train/CLASS/FILE` and
/// `val/CLASS/FILE`, PNG or JPEG, brought to one size.
///
/// Classes are numbered by the byte order of their folders' names. Where all names are whole
/// numbers, the number is the class: poisoned sets are published in folders `0` to `99`, which
/// byte order would shuffle.
struct ImageFolderSet {
    let side: Int

    /// More classes than any set has.
    private static let classesMax = 65_536

    func open(name: String, folder: String?) throws(DataError) -> DataSet {
        guard let folder, let root = root(folder) else {
            throw .missing(
                name: name, looked: folder.map { [$0] } ?? [],
                cure: "Name a folder that holds train/CLASS/* and val/CLASS/*, PNG or JPEG, "
                    + "with --data.")
        }
        let classes = try classes(in: root + "/train")
        guard try self.classes(in: root + "/val") == classes else {
            throw .malformed(
                file: root + "/val", offset: 0, expected: "the classes of train",
                found: "others")
        }
        let files = try files(root, classes)
        let stamps = ["side \(side)", "classes \(classes.count)"] + files.map(\.stamp)
        let source = Digest(of: Array(stamps.joined(separator: "\n").utf8))
        let cache = DecodedCache(folder: "\(root)/.fathom/\(name)")
        return try cache.dataSet(
            name: name, source: source, notes: ImageFolderSet.notes(classes)
        ) { () throws(DataError) in
            try decode(files, classCount: classes.count)
        }
    }

    /// What a user should know of how classes were numbered.
    private static func notes(_ classes: [String]) -> [String] {
        let inBytes = classes.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        guard let place = zip(classes, inBytes).enumerated().first(where: { $1.0 != $1.1 }) else {
            return []
        }
        return [
            "folders are named by numbers, and the number is the class; by byte order, as "
                + "torchvision has it, class \(place.offset) would be folder \(place.element.1)"
        ]
    }

    private func root(_ folder: String) -> String? {
        [folder, folder + "/imagenet100"].first {
            DataFile.exist(["train", "val"], in: $0)
        }
    }

    /// The folders of the classes, in the order of their numbers.
    private func classes(in folder: String) throws(DataError) -> [String] {
        let names = try FolderListing.names(in: folder)
        guard !names.isEmpty, names.count <= ImageFolderSet.classesMax else {
            throw .malformed(
                file: folder, offset: 0,
                expected: "1 to \(ImageFolderSet.classesMax) folders, one a class",
                found: "\(names.count)")
        }
        let numbers = names.compactMap { Int($0) }
        guard numbers.count == names.count else { return names }
        let sorted = zip(numbers, names).sorted { $0.0 < $1.0 }
        guard sorted.map(\.0) == Array(0..<names.count) else {
            throw .malformed(
                file: folder, offset: 0, expected: "classes 0 to \(names.count - 1), each once",
                found: "\(sorted.map(\.0).prefix(5))...")
        }
        return sorted.map(\.1)
    }

    /// A file of the set.
    private struct File {
        var part: String
        var label: Int32
        var path: String
        /// Its place in the set.
        var name: String
        /// Its place, size and time, by which a change is noticed.
        var stamp: String
    }

    /// All files in order, training images first.
    private func files(_ root: String, _ classes: [String]) throws(DataError) -> [File] {
        var files: [File] = []
        for part in ["train", "val"] {
            for (label, folder) in classes.enumerated() {
                let place = "\(root)/\(part)/\(folder)"
                for file in try FolderListing.names(in: place) {
                    let path = place + "/" + file
                    try DataFile.requireInside(path, folder: root)
                    guard ColorImage.endings.contains(where: file.lowercased().hasSuffix) else {
                        throw .malformed(
                            file: path, offset: 0, expected: "a file called .png, .jpg or .jpeg",
                            found: "one called otherwise; convert it, or take it out")
                    }
                    let name = "\(part)/\(folder)/\(file)"
                    files.append(
                        File(
                            part: part, label: Int32(label), path: path, name: name,
                            stamp: "\(name) \(try DataFile.stamp(path: path))"))
                }
            }
        }
        return files
    }

    /// Reads and decodes every file; the digest is of their names and contents.
    private func decode(
        _ files: [File], classCount: Int
    ) throws(DataError) -> DecodedCache.Decoded {
        var digests = Array("side \(side)\n".utf8)
        var parts: [ImageSet] = []
        for part in ["train", "val"] {
            var pixels: [UInt8] = []
            var labels: [Int32] = []
            for file in files where file.part == part {
                let bytes = try DataFile.raw(path: file.path)
                digests += Array("\(file.name) \(Digest(of: bytes).hex)\n".utf8)
                pixels += AreaResize.squared(
                    try ColorImage(decoding: bytes, file: file.path), side: side)
                labels.append(file.label)
            }
            parts.append(
                ImageSet(
                    channels: 3, height: side, width: side, classCount: classCount, pixels: pixels,
                    labels: labels, indices: Array(labels.indices)))
        }
        return DecodedCache.Decoded(
            content: Digest(of: digests), train: parts[0], test: parts[1])
    }
}
