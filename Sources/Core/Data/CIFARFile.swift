/// A decoded file of the binary version of CIFAR-10 or CIFAR-100: records of labels and of red,
/// green and blue planes of 32x32 pixels.
public struct CIFARFile: Sendable {
    /// How a record begins, and what its last label byte may be.
    public enum Layout: Hashable, Sendable {
        /// One label byte of ten classes.
        case ten
        /// A byte of 20 coarse classes, then one of 100 fine ones, which counts.
        case hundred

        var labelBytes: Int { self == .ten ? 1 : 2 }
        /// Classes of images.
        public var classCount: Int { self == .ten ? 10 : 100 }
    }

    static let side = 32
    static let pixelBytes = 3 * side * side

    /// One class an image.
    public let labels: [Int32]
    /// Image after image.
    public let pixels: [UInt8]

    /// Decodes the records that `contents` must consist of.
    ///
    /// - Parameters:
    ///   - records: How many there must be.
    ///   - file: What errors call it.
    public init(
        decoding contents: [UInt8], file: String, layout: Layout, records: Int
    ) throws(DataError) {
        let size = layout.labelBytes + CIFARFile.pixelBytes
        guard contents.count == records * size else {
            throw .malformed(
                file: file, offset: min(contents.count, records * size),
                expected: "\(records) records of \(size) bytes, \(records * size) in all",
                found: "\(contents.count) bytes")
        }
        var labels: [Int32] = []
        var pixels: [UInt8] = []
        labels.reserveCapacity(records)
        pixels.reserveCapacity(records * CIFARFile.pixelBytes)
        for record in 0..<records {
            let start = record * size
            try CIFARFile.check(contents, at: start, file: file, layout: layout)
            labels.append(Int32(contents[start + layout.labelBytes - 1]))
            pixels += contents[(start + layout.labelBytes)..<(start + size)]
        }
        self.labels = labels
        self.pixels = pixels
    }

    private static func check(
        _ contents: [UInt8], at start: Int, file: String, layout: Layout
    ) throws(DataError) {
        let limits = layout == .ten ? [10] : [20, 100]
        for (place, limit) in limits.enumerated() where contents[start + place] >= limit {
            throw .malformed(
                file: file, offset: start + place, expected: "a label below \(limit)",
                found: "\(contents[start + place])")
        }
    }
}

/// The files of a CIFAR set in a folder.
struct CIFARSet {
    let layout: CIFARFile.Layout

    private var trainNames: [String] {
        layout == .ten ? (1...5).map { "data_batch_\($0).bin" } : ["train.bin"]
    }
    private var testName: String { layout == .ten ? "test_batch.bin" : "test.bin" }
    /// Folders that the published archives unpack to.
    private var folders: [String] {
        layout == .ten
            ? ["", "/cifar10", "/cifar-10-batches-bin", "/cifar10/cifar-10-batches-bin"]
            : ["", "/cifar100", "/cifar-100-binary", "/cifar100/cifar-100-binary"]
    }
    private var pickledName: String { layout == .ten ? "data_batch_1" : "train" }

    func open(name: String, folder: String?, cache: String?) throws(DataError) -> DataSet {
        let places = (folder.map { [$0] } ?? [DataSetCatalog.systemFolder]).flatMap { root in
            folders.map { root + $0 }
        }
        let names = trainNames + [testName]
        guard let place = places.first(where: { DataFile.exist(names, in: $0) }) else {
            throw .missing(name: name, looked: places, cure: cure(places))
        }
        let source = try DecodedCache.source(of: names.map { place + "/" + $0 })
        return try DecodedCache(root: cache, name: name, place: place).dataSet(
            name: name, source: source
        ) { () throws(DataError) in try decode(place) }
    }

    private func decode(_ place: String) throws(DataError) -> DecodedCache.Decoded {
        let records = layout == .ten ? 10_000 : 50_000
        var train: [CIFARFile] = []
        var digests: [UInt8] = []
        for name in trainNames {
            train.append(try file(place, name, records: records, digests: &digests))
        }
        let test = try file(place, testName, records: 10_000, digests: &digests)
        return DecodedCache.Decoded(
            content: Digest(of: digests),
            train: images(labels: train.flatMap(\.labels), pixels: train.flatMap(\.pixels)),
            test: images(labels: test.labels, pixels: test.pixels))
    }

    private func file(
        _ folder: String, _ name: String, records: Int, digests: inout [UInt8]
    ) throws(DataError) -> CIFARFile {
        let path = folder + "/" + name
        try DataFile.requireInside(path, folder: folder)
        let contents = try DataFile.contents(path: path)
        digests += Array(Digest(of: contents).hex.utf8)
        return try CIFARFile(decoding: contents, file: path, layout: layout, records: records)
    }

    private func images(labels: [Int32], pixels: [UInt8]) -> ImageSet {
        ImageSet(
            channels: 3, height: CIFARFile.side, width: CIFARFile.side,
            classCount: layout.classCount, pixels: pixels, labels: labels,
            indices: Array(labels.indices))
    }

    private func cure(_ places: [String]) -> String {
        let isPickled = places.contains { DataFile.exist([pickledName], in: $0) }
        let archive = layout == .ten ? "cifar-10-binary.tar.gz" : "cifar-100-binary.tar.gz"
        return isPickled
            ? "There are Python's pickles, which can run any code and are not read; unpack the "
                + "binary version, \(archive), whose rows have the same order."
            : "Unpack \(archive) and name its folder with --data."
    }
}

/// Puts decoded images together to a data set.
enum LabelledImages {
    static func dataSet(
        name: String, digest: Digest, train: ImageSet, test: ImageSet, notes: [String] = []
    ) -> DataSet {
        DataSet(
            name: name,
            facts: DataFacts(
                digest: digest, channels: train.channels, height: train.height,
                width: train.width, classCount: train.classCount, trainCount: train.count,
                testCount: test.count, notes: notes),
            train: train, test: test)
    }
}
