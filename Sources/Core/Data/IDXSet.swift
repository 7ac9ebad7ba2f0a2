import Foundation

/// The four decoded files of an IDX data set, checked against each other.
struct IDXSet {
    /// All sets of this family have ten classes.
    static let classCount = 10

    let digest: Digest
    let train: ImageSet
    let test: ImageSet

    init(files: IDXSetFiles) throws(DataError) {
        let trainImages = try IDXFile(path: files.trainImages, rank: 3)
        let trainLabels = try IDXFile(path: files.trainLabels, rank: 1)
        let testImages = try IDXFile(path: files.testImages, rank: 3)
        let testLabels = try IDXFile(path: files.testLabels, rank: 1)
        for axis in 1...2 where trainImages.sizes[axis] != testImages.sizes[axis] {
            throw .disagreement(
                files: [files.trainImages, files.testImages],
                what: axis == 1 ? "image height" : "image width",
                values: [trainImages.sizes[axis], testImages.sizes[axis]])
        }
        train = try IDXSet.joined(
            trainImages, trainLabels, files: [files.trainImages, files.trainLabels])
        test = try IDXSet.joined(
            testImages, testLabels, files: [files.testImages, files.testLabels])
        digest = Digest(
            of: [trainImages, trainLabels, testImages, testLabels].flatMap(\.contents))
    }

    /// The set in these files, from decoded arrays where `cache` has them.
    static func open(
        _ files: IDXSetFiles, name: String, cache: DecodedCache
    ) throws(DataError) -> DataSet {
        let source = try DecodedCache.source(of: files.all)
        return try cache.dataSet(name: name, source: source) { () throws(DataError) in
            let set = try IDXSet(files: files)
            return DecodedCache.Decoded(content: set.digest, train: set.train, test: set.test)
        }
    }

    private static func joined(
        _ images: IDXFile, _ labels: IDXFile, files: [String]
    ) throws(DataError) -> ImageSet {
        guard images.sizes[0] == labels.sizes[0] else {
            throw .disagreement(
                files: files, what: "their counts", values: [images.sizes[0], labels.sizes[0]])
        }
        if let index = labels.values.firstIndex(where: { $0 >= classCount }) {
            throw .malformed(
                file: files[1], offset: index, expected: "a label below \(classCount)",
                found: "\(labels.contents[index])")
        }
        return ImageSet(
            channels: 1, height: images.sizes[1], width: images.sizes[2], classCount: classCount,
            pixels: Array(images.values), labels: labels.values.map { Int32($0) },
            indices: Array(0..<images.sizes[0]))
    }
}
