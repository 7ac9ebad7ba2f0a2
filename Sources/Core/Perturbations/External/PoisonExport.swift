import Foundation

/// Writes a poison for other programs to read.
public struct PoisonExport {
    public enum Form: String, Sendable, Hashable, CaseIterable {
        /// What `fathom poison import` writes: `poison.json` and `delta.npy`.
        case folder
        /// A folder of images called by their index in the clean training set; only those that
        /// the poison covers.
        case png
        /// One array of bytes `[N, C, H, W]` over the whole training set, clean where the poison
        /// covers nothing.
        case npy, npz, pt
    }

    private let clean: ImageSet
    private let poison: ExternalPoison

    /// - Parameter clean: The whole training set in its own order.
    public init(clean: ImageSet, poison: ExternalPoison) {
        self.clean = clean
        self.poison = poison
    }

    /// - Parameter card: What is written beside it in `poison.json`, of the form `folder`.
    public func write(_ form: Form, to path: String, card: Card) throws {
        let whole = try poison.applied(to: clean)
        let sizes = [clean.count, clean.channels, clean.height, clean.width]
        let array = StoredArray(shape: sizes, values: .uint8(whole.pixels))
        switch form {
        case .folder:
            try makeFolder(path)
            try poison.write(to: path)
            try card.write(to: path + "/poison.json")
        case .png: try writeImages(whole, to: path)
        case .npy: try NPYFile(array).write(to: path)
        case .npz: try AtomicFile.write(NPZFile([("images", array)]).encoded(), to: path)
        case .pt: try AtomicFile.write(TorchFile.encoded(array), to: path)
        }
    }

    private func makeFolder(_ path: String) throws {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    private func writeImages(_ whole: ImageSet, to path: String) throws {
        guard clean.channels == 1 || clean.channels == 3 else {
            throw ExternalError.misfit(
                file: path, expected: "images of 1 or 3 channels for PNG",
                found: "\(clean.channels)")
        }
        try makeFolder(path)
        let plane = clean.height * clean.width
        for index in 0..<clean.count where poison.covered[index] {
            let start = index * clean.pixelsPerImage
            let samples = (0..<clean.pixelsPerImage).map { place in
                whole.pixels[start + place % clean.channels * plane + place / clean.channels]
            }
            let image = PNGFile(
                width: clean.width, height: clean.height, color: clean.channels == 1 ? .gray : .rgb,
                samples: .bytes(samples))
            try image.write(to: "\(path)/\(index).png")
        }
    }

    /// What a poison is, for people and programs that find its folder.
    public struct Card: Codable, Hashable, Sendable {
        public var format = "fathom-poison-1"
        public var name: String
        public var dataSet: String
        /// Of the clean data set's files.
        public var cleanDigest: Digest
        /// The job that crafted it, or the path it was imported from.
        public var source: String
        public var numbers: [String: Double]
        public var words: [String: String]

        public init(
            name: String, dataSet: String, cleanDigest: Digest, source: String,
            numbers: [String: Double], words: [String: String]
        ) {
            self.name = name
            self.dataSet = dataSet
            self.cleanDigest = cleanDigest
            self.source = source
            self.numbers = numbers
            self.words = words
        }

        func write(to path: String) throws {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
            try AtomicFile.write([UInt8](try encoder.encode(self)) + [0x0A], to: path)
        }
    }
}
