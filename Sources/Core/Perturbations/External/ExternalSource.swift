import Foundation

/// What the files of a poison made elsewhere hold, not yet put on any image.
enum ExternalSource {
    /// Images by their index in the clean training set, `[channels][height][width]` bytes each.
    case images([Int: [UInt8]])
    /// An array, by the name of the file it is from.
    case array(StoredArray)
    /// Grey levels to be added, as `fathom poison import` writes them, and which images they
    /// cover; all, where nothing is said.
    case imported(StoredArray, covered: StoredArray?)

    /// Reads whatever lies at `path`: a folder of PNG files called by number, an imported poison,
    /// or an `.npy`, `.npz` or `.pt` file.
    static func read(
        _ path: String, shape: ImageShape, settings: ExternalSettings
    ) throws(ExternalError) -> ExternalSource {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
            throw .misfit(file: path, expected: "a folder or a file", found: "nothing")
        }
        do throws(DataError) {
            guard isFolder.boolValue else {
                return .array(try array(path, name: settings.array))
            }
            let delta = path + "/" + ExternalPoison.deltaName
            guard !FileManager.default.fileExists(atPath: delta) else {
                return .imported(
                    try array(path, ExternalPoison.deltaName),
                    covered: FileManager.default.fileExists(
                        atPath: path + "/" + ExternalPoison.coveredName)
                        ? try array(path, ExternalPoison.coveredName) : nil)
            }
        } catch {
            throw .data(error)
        }
        return .images(try PNGFolder(path: path, shape: shape).images())
    }

    /// An array of an imported poison's folder.
    private static func array(
        _ folder: String, _ name: String
    ) throws(DataError) -> StoredArray {
        try DataFile.requireInside(folder + "/" + name, folder: folder)
        return try NPYFile(path: folder + "/" + name).array
    }

    /// The one array of a file, or the one that is named.
    private static func array(
        _ path: String, name: String?
    ) throws(DataError) -> StoredArray {
        let bytes = try DataFile.raw(path: path)
        if bytes.starts(with: NPYHeader.magic) {
            return try NPYFile(decoding: bytes, file: path).array
        }
        guard ZIPFile.isArchive(bytes) else {
            if TorchFile.isOld(bytes) { _ = try TorchFile(decoding: bytes, file: path) }
            let isPickle = bytes.first == 0x80
            throw .malformed(
                file: path, offset: 0, expected: "an .npy, .npz or .pt file",
                found: isPickle
                    ? "a pickle, which is never run; load it and save the array with numpy.save"
                    : "\(bytes.prefix(4))")
        }
        let isTorch = try ZIPFile(decoding: bytes, file: path).names.contains {
            $0.hasSuffix("/data.pkl")
        }
        let arrays =
            isTorch
            ? try TorchFile(decoding: bytes, file: path).tensors
            : try NPZFile(decoding: bytes, file: path).arrays
        let chosen = name.map { name in arrays.filter { $0.name == name } } ?? arrays
        guard chosen.count == 1 else {
            throw .malformed(
                file: path, offset: 0,
                expected: name.map { "an array called \($0)" } ?? "one array, or array: NAME",
                found: "arrays \(arrays.map(\.name).joined(separator: ", "))")
        }
        return chosen[0].array
    }
}

/// A folder of images called `0.png`, `1.png` and so on by their index in the clean training set,
/// or a folder with such a folder `data` in it.
struct PNGFolder {
    let path: String
    let shape: ImageShape

    private func refusal(_ file: String, _ expected: String, _ found: String) -> ExternalError {
        .misfit(file: file, expected: expected, found: found)
    }

    func images() throws(ExternalError) -> [Int: [UInt8]] {
        let (folder, names) = try listing()
        var images: [Int: [UInt8]] = [:]
        for name in names {
            let file = folder + "/" + name
            guard let index = Self.index(name) else {
                throw refusal(file, "a name such as 17.png", name)
            }
            guard images[index] == nil else {
                throw refusal(file, "one file for image \(index)", "two")
            }
            images[index] = try image(file)
        }
        return images
    }

    /// The images of the folder, by name; other files than images do not matter.
    private func listing() throws(ExternalError) -> (folder: String, names: [String]) {
        for folder in [path, path + "/data"] {
            let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
            let lossy = names.filter {
                ["jpg", "jpeg"].contains(($0 as NSString).pathExtension.lowercased())
            }
            if let first = lossy.min() {
                throw refusal(
                    folder + "/" + first, "PNG images",
                    "JPEG, whose compression may have destroyed the perturbation already")
            }
            let images = names.filter {
                ($0 as NSString).pathExtension.lowercased() == "png" && !$0.hasPrefix(".")
            }
            if !images.isEmpty { return (folder, images.sorted()) }
        }
        throw refusal(path, "images such as 17.png, there or in data", "none")
    }

    private static func index(_ name: String) -> Int? {
        let stem = name.dropLast(4)
        guard !stem.isEmpty, stem.utf8.allSatisfy({ (48...57).contains($0) }) else { return nil }
        return Int(stem)
    }

    /// One image, channel after channel.
    private func image(_ file: String) throws(ExternalError) -> [UInt8] {
        let png: PNGFile
        do throws(DataError) {
            try DataFile.requireInside(file, folder: path)
            png = try PNGFile(path: file)
        } catch {
            throw .data(error)
        }
        guard png.width == shape.width, png.height == shape.height else {
            throw refusal(
                file, "\(shape.width)x\(shape.height) pixels", "\(png.width)x\(png.height)")
        }
        guard case .bytes(let samples) = png.samples else {
            throw refusal(file, "8 bits a sample", "16")
        }
        if shape.channels == 1, png.color == .gray { return samples }
        let rgb = png.rgb
        let planes = (0..<3).map { channel in
            stride(from: channel, to: rgb.count, by: 3).map { rgb[$0] }
        }
        guard shape.channels != 3 else { return planes.flatMap(\.self) }
        guard shape.channels == 1, planes[0] == planes[1], planes[1] == planes[2] else {
            throw refusal(file, "grey images", "colours")
        }
        return planes[0]
    }
}
