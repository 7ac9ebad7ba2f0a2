/// The cropped digits of SVHN: 32x32 colored house numbers in two MATLAB files.
public enum SVHNSet {
    private static let folders = ["", "/svhn"]

    static func open(
        name: String, folder: String?, cache: String?
    ) throws(DataError) -> DataSet {
        let places = (folder.map { [$0] } ?? [DataSetCatalog.systemFolder]).flatMap { root in
            folders.map { root + $0 }
        }
        let names = ["train_32x32.mat", "test_32x32.mat"]
        guard let place = places.first(where: { DataFile.exist(names, in: $0) }) else {
            throw .missing(
                name: name, looked: places,
                cure: "Put train_32x32.mat and test_32x32.mat into a folder and name it with "
                    + "--data.")
        }
        let source = try DecodedCache.source(of: names.map { place + "/" + $0 })
        return try DecodedCache(root: cache, name: name, place: place).dataSet(
            name: name, source: source
        ) { () throws(DataError) in try decode(names, in: place) }
    }

    private static func decode(
        _ names: [String], in place: String
    ) throws(DataError) -> DecodedCache.Decoded {
        var digests: [UInt8] = []
        var parts: [ImageSet] = []
        for name in names {
            let path = place + "/" + name
            try DataFile.requireInside(path, folder: place)
            let contents = try DataFile.raw(path: path)
            digests += Array(Digest(of: contents).hex.utf8)
            parts.append(try images(decoding: contents, file: path))
        }
        return DecodedCache.Decoded(
            content: Digest(of: digests), train: parts[0], test: parts[1])
    }

    /// Decodes one file: `X` of 32x32x3xN bytes, `y` of N labels from 1, where 10 stands for 0.
    public static func images(
        decoding contents: [UInt8], file: String
    ) throws(DataError) -> ImageSet {
        let mat = try MATFile(decoding: contents, file: file)
        guard let x = mat.arrays.first(where: { $0.name == "X" }),
            let y = mat.arrays.first(where: { $0.name == "y" }), mat.arrays.count == 2
        else {
            throw .malformed(
                file: file, offset: 128, expected: "the variables X and y",
                found: mat.arrays.map(\.name).joined(separator: ", "))
        }
        guard case .bytes(let stored) = x.values, x.sizes.count == 4,
            x.sizes.prefix(3) == [32, 32, 3]
        else {
            throw .malformed(
                file: file, offset: 128, expected: "X of bytes, 32x32x3xN", found: "\(x.sizes)")
        }
        let labels = try labels(y, file: file)
        guard labels.count == x.sizes[3] else {
            throw .disagreement(
                files: [file], what: "the counts of X and y", values: [x.sizes[3], labels.count])
        }
        return ImageSet(
            channels: 3, height: 32, width: 32, classCount: 10,
            pixels: rowMajor(stored, count: labels.count), labels: labels,
            indices: Array(labels.indices))
    }

    private static func labels(
        _ array: MATFile.Array, file: String
    ) throws(DataError) -> [Int32] {
        let numbers: [Double] =
            switch array.values {
            case .bytes(let values): values.map { Double($0) }
            case .doubles(let values): values
            }
        var labels: [Int32] = []
        for (index, number) in numbers.enumerated() {
            guard (1...10).contains(number), number == number.rounded() else {
                throw .malformed(
                    file: file, offset: index, expected: "labels 1 to 10 in y", found: "\(number)")
            }
            labels.append(number == 10 ? 0 : Int32(number))
        }
        return labels
    }

    /// Row r, column c, channel k of image n stands at r + 32 (c + 32 (k + 3 n)).
    private static func rowMajor(_ stored: [UInt8], count: Int) -> [UInt8] {
        var pixels = [UInt8](repeating: 0, count: stored.count)
        for plane in 0..<(3 * count) {
            for row in 0..<32 {
                for column in 0..<32 {
                    pixels[plane * 1024 + row * 32 + column] =
                        stored[plane * 1024 + column * 32 + row]
                }
            }
        }
        return pixels
    }
}
