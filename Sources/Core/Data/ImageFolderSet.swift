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
        var digests: [UInt8] = []
        let train = try images(root, "train", classes, &digests)
        let test = try images(root, "val", classes, &digests)
        return LabelledImages.dataSet(
            name: name, digest: Digest(of: Array("side \(side)\n".utf8) + digests), train: train,
            test: test, notes: ImageFolderSet.notes(classes))
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

    private func images(
        _ root: String, _ part: String, _ classes: [String], _ digests: inout [UInt8]
    ) throws(DataError) -> ImageSet {
        var pixels: [UInt8] = []
        var labels: [Int32] = []
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
                let bytes = try DataFile.raw(path: path)
                digests += Array("\(part)/\(folder)/\(file) \(Digest(of: bytes).hex)\n".utf8)
                let image = try ColorImage(decoding: bytes, file: path)
                pixels += AreaResize.squared(image, side: side)
                labels.append(Int32(label))
            }
        }
        return ImageSet(
            channels: 3, height: side, width: side, classCount: classes.count, pixels: pixels,
            labels: labels, indices: Array(labels.indices))
    }
}
