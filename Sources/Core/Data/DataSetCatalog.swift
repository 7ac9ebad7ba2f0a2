import Foundation

/// The data sets that are known by name, and where they are looked for.
public enum DataSetCatalog {
    /// The names of all known data sets.
    public static let names =
        RoomsSettings.named.map(\.name) + idxNames + [
            "cifar10", "cifar100", "svhn", "image-folder-32", "image-folder-64",
        ] + taskonomy.map(\.name)

    /// Taskonomy's partitions at two sizes, and the one building that is published as a sample.
    private static let taskonomy: [(name: String, partition: String?, side: Int)] =
        ["sample", "tiny", "medium", "full", "fullplus"].flatMap { partition in
            [32, 64].map { side in
                ("taskonomy-\(partition)-\(side)", partition == "sample" ? nil : partition, side)
            }
        }

    private static let idxNames = ["fashion-mnist", "mnist", "kmnist"]

    /// Where Debian's packages put data sets.
    static let systemFolder = "/usr/share/datasets"

    /// Reads a data set whole and checks it.
    ///
    /// - Parameters:
    ///   - name: One of `names`.
    ///   - folder: A folder that holds the set's files, or a folder of that name which does; `nil`
    ///     for the usual place of the system.
    ///   - cache: A folder that decoded sets are kept in, for all processes that are given it;
    ///     `nil`: sets of a few files are decoded by each for itself.
    /// - Returns: The set, whole.
    /// - Throws: `DataError`, also when the set is in none of the places looked at.
    public static func open(
        name: String, folder: String? = nil, cache: String? = nil
    ) throws(DataError) -> DataSet {
        if let rooms = RoomsSettings.named.first(where: { $0.name == name }) {
            return DataSet(name: name, rooms: rooms.settings)
        }
        if let known = taskonomy.first(where: { $0.name == name }) {
            return try taskonomy(name, known.partition, known.side, folder: folder)
        }
        switch name {
        case "cifar10":
            return try CIFARSet(layout: .ten).open(name: name, folder: folder, cache: cache)
        case "cifar100":
            return try CIFARSet(layout: .hundred).open(name: name, folder: folder, cache: cache)
        case "image-folder-32":
            return try ImageFolderSet(side: 32).open(name: name, folder: folder)
        case "image-folder-64":
            return try ImageFolderSet(side: 64).open(name: name, folder: folder)
        case "svhn": return try SVHNSet.open(name: name, folder: folder, cache: cache)
        default: break
        }
        let files = try files(name: name, folder: folder)
        return try IDXSet.open(
            files, name: name,
            cache: DecodedCache(root: cache, name: name, place: files.trainImages))
    }

    private static func taskonomy(
        _ name: String, _ partition: String?, _ side: Int, folder: String?
    ) throws(DataError) -> DataSet {
        let places = (folder.map { [$0] } ?? [systemFolder]).flatMap { [$0, $0 + "/taskonomy"] }
        // Decoded images are enough; the files they were made from may be elsewhere.
        guard
            let root = places.first(where: {
                DataFile.exist(["rgb"], in: $0) || DataFile.exist([".fathom/\(name)"], in: $0)
            })
        else {
            throw .missing(
                name: name, looked: places,
                cure: "Name the folder that holds Taskonomy's folders rgb, depth_euclidean and so "
                    + "on with --data.")
        }
        let set = try TaskonomySet.open(
            root: root, name: name, partition: partition, side: side)
        return DataSet(name: name, taskonomy: set)
    }

    /// The four files of a set in the first place that has them all.
    static func files(name: String, folder: String?) throws(DataError) -> IDXSetFiles {
        guard idxNames.contains(name) else { throw .unknownSet(name: name, known: names) }
        let places = folder.map { [$0, $0 + "/" + name] } ?? [systemFolder + "/" + name]
        for place in places {
            guard let files = IDXSetFiles(in: place) else { continue }
            for path in files.all {
                try DataFile.requireInside(path, folder: place)
            }
            return files
        }
        throw .missing(name: name, looked: places, cure: cure(for: name))
    }

    private static func cure(for name: String) -> String {
        name == "fashion-mnist"
            ? "Install the Debian package dataset-fashion-mnist, or name a folder with --data."
            : "Name a folder with its four IDX files (plain or .gz) with --data."
    }
}

/// Where the four files of an IDX data set lie.
struct IDXSetFiles: Hashable, Sendable {
    let trainImages: String
    let trainLabels: String
    let testImages: String
    let testLabels: String

    var all: [String] { [trainImages, trainLabels, testImages, testLabels] }

    /// Finds the files in `folder`; `nil` when one of them is not there.
    init?(in folder: String) {
        func find(_ split: String, _ kind: String, _ rank: Int) -> String? {
            let forms = ["\(split)-\(kind)-idx\(rank)-ubyte", "\(split)-\(kind).idx\(rank)-ubyte"]
            return forms.flatMap { ["\(folder)/\($0).gz", "\(folder)/\($0)"] }
                .first { FileManager.default.fileExists(atPath: $0) }
        }
        guard let trainImages = find("train", "images", 3),
            let trainLabels = find("train", "labels", 1),
            let testImages = find("t10k", "images", 3),
            let testLabels = find("t10k", "labels", 1)
        else { return nil }
        self.trainImages = trainImages
        self.trainLabels = trainLabels
        self.testImages = testImages
        self.testLabels = testLabels
    }
}
