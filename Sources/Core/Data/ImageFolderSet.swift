import Foundation

/// A data set in folders, as ImageNet and many others come: `train/CLASS/FILE.png` and
/// `val/CLASS/FILE.png`, brought to one size.
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
                cure: "Name a folder that holds train/CLASS/*.png and val/CLASS/*.png with --data.")
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
            test: test)
    }

    private func root(_ folder: String) -> String? {
        [folder, folder + "/imagenet100"].first {
            DataFile.exist(["train", "val"], in: $0)
        }
    }

    /// The folders of the classes, in the order of their numbers.
    private func classes(in folder: String) throws(DataError) -> [String] {
        let names = try ImageFolderSet.entries(of: folder)
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
            for file in try ImageFolderSet.entries(of: place) {
                let path = place + "/" + file
                try DataFile.requireInside(path, folder: root)
                guard file.lowercased().hasSuffix(".png") else {
                    throw .malformed(
                        file: path, offset: 0, expected: "a PNG file",
                        found: "one called otherwise; convert it (JPEG is not read)")
                }
                let bytes = try DataFile.raw(path: path)
                digests += Array("\(part)/\(folder)/\(file) \(Digest(of: bytes).hex)\n".utf8)
                let image = try PNGFile(decoding: bytes, file: path)
                pixels += AreaResize.squared(image, side: side)
                labels.append(Int32(label))
            }
        }
        return ImageSet(
            channels: 3, height: side, width: side, classCount: classes.count, pixels: pixels,
            labels: labels, indices: Array(labels.indices))
    }

    /// What a folder holds, in byte order; hidden files apart.
    private static func entries(of folder: String) throws(DataError) -> [String] {
        do {
            return try FileManager.default.contentsOfDirectory(atPath: folder)
                .filter { !$0.hasPrefix(".") }
                .sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        } catch {
            throw .unreadable(file: folder, reason: error.localizedDescription)
        }
    }
}

/// Brings images to a square: each new pixel is the mean over the area it covers, the shorter side
/// becoming the square's and the longer one cut to its middle.
public enum AreaResize {
    /// Red, green and blue planes of `side` times `side` bytes.
    public static func squared(_ file: PNGFile, side: Int) -> [UInt8] {
        let colors = file.rgb
        let shorter = Double(min(file.width, file.height))
        let scale = shorter / Double(side)
        let top = (Double(file.height) - shorter) / 2
        let left = (Double(file.width) - shorter) / 2
        let rows = (0..<side).map {
            covered(from: top + Double($0) * scale, scale, count: file.height)
        }
        let columns = (0..<side).map {
            covered(from: left + Double($0) * scale, scale, count: file.width)
        }
        var pixels = [UInt8](repeating: 0, count: 3 * side * side)
        for (row, down) in rows.enumerated() {
            for (column, across) in columns.enumerated() {
                for channel in 0..<3 {
                    var sum = 0.0
                    for (y, height) in down {
                        for (x, width) in across {
                            let value = colors[3 * (y * file.width + x) + channel]
                            sum += Double(value) * height * width
                        }
                    }
                    pixels[(channel * side + row) * side + column] =
                        UInt8(min(sum / (scale * scale) + 0.5, 255))
                }
            }
        }
        return pixels
    }

    /// The old pixels under a new one along an axis, and how much of each.
    private static func covered(
        from start: Double, _ length: Double, count: Int
    ) -> [(place: Int, share: Double)] {
        let end = start + length
        return (Int(start)..<count).prefix { Double($0) < end }.compactMap { place in
            let share = min(end, Double(place + 1)) - max(start, Double(place))
            return share > 1e-9 ? (place, share) : nil
        }
    }
}
