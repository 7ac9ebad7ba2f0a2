import FathomCore
import Foundation
import Testing

@Suite("decoded data sets that slots share")
struct DecodedCacheTests {
    private let files: DataScratch
    private let cache: DataScratch

    init() throws {
        files = try DataScratch()
        cache = try DataScratch()
        try SmallFiles.writeSet(into: files)
    }

    private func open(_ name: String = "mnist", cache path: String? = nil) throws -> DataSet {
        try DataSetCatalog.open(name: name, folder: files.path, cache: path ?? cache.path)
    }

    /// The one folder that a set is kept in.
    private func kept() throws -> String {
        let names = try FileManager.default.contentsOfDirectory(atPath: cache.path)
        return "\(cache.path)/\(try #require(names.first))"
    }

    /// Which file the index is; one that is written anew is another.
    private func indexFile() throws -> Int {
        let facts = try FileManager.default.attributesOfItem(atPath: try kept() + "/index.json")
        return try #require(facts[.systemFileNumber] as? Int)
    }

    private func expectSame(_ one: DataSet, _ other: DataSet) throws {
        #expect(one.facts == other.facts)
        for part in DataSet.Part.allCases {
            let random = RandomStream(seed: 3)
            for count in [0, 10] {
                let left = try one.subset(part, count: count, random: random)
                let right = try other.subset(part, count: count, random: random)
                #expect(left.pixels == right.pixels && left.labels == right.labels)
                #expect(left.indices == right.indices && left.classCount == right.classCount)
            }
            let left = try one.images(part, at: [7, 0, 7])
            let right = try other.images(part, at: [7, 0, 7])
            #expect(left.pixels == right.pixels && left.indices == right.indices)
        }
    }

    @Test("are decoded once, and are the sets that their files are")
    func decodedOnce() throws {
        let plain = try DataSetCatalog.open(name: "mnist", folder: files.path)
        #expect(try FileManager.default.contentsOfDirectory(atPath: cache.path).isEmpty)
        let first = try open()
        try expectSame(first, plain)
        let written = try indexFile()
        try expectSame(try open(), plain)
        #expect(try indexFile() == written)
        // The arrays are NumPy's, for others to read.
        let array = try NPYFile(path: try kept() + "/train-images.npy").array
        let pixels = try plain.train.pixels
        #expect(array.shape == [20, 1, 3, 2] && array.bytes == pixels)
    }

    @Test("count only with the digests of their index; what does not is decoded anew")
    func damaged() throws {
        let plain = try open()
        let folder = try kept()
        let names = ["train-images.npy", "train-labels.npy", "test-images.npy", "index.json"]
        for name in names {
            let place = URL(fileURLWithPath: folder + "/" + name)
            let good = [UInt8](try Data(contentsOf: place))
            Damage.apply(to: good, times: 10, seed: 5) { bytes in
                do {
                    try Data(bytes).write(to: place, options: .atomic)
                    try expectSame(try open(), plain)
                } catch {
                    Issue.record("\(name): \(error)")
                }
            }
            try FileManager.default.removeItem(at: place)
            try expectSame(try open(), plain)
            #expect([UInt8](try Data(contentsOf: place)) == good, "\(name) is made again")
        }
    }

    @Test("follow their files: another image is another set")
    func changed() throws {
        let before = try open()
        var values = [UInt8](repeating: 9, count: 120)
        values[0] = 77
        try files.write(
            SmallFiles.idx([20, 3, 2], values: values), to: "train-images-idx3-ubyte")
        let after = try open()
        #expect(after.facts.digest != before.facts.digest)
        #expect(try after.train.pixels.first == 77)
        // A set that was opened before goes on with what it was.
        #expect(try before.train.pixels.first == 0)
    }

    @Test("are not needed: where nothing can be written, each decodes for itself")
    func unwritable() throws {
        try cache.write([1], to: "file")
        let plain = try DataSetCatalog.open(name: "mnist", folder: files.path)
        for _ in 0..<2 { try expectSame(try open(cache: cache.path + "/file/below"), plain) }
    }

    @Test("are filled by one while others wait, and all have the same")
    func together() async throws {
        let plain = try DataSetCatalog.open(name: "mnist", folder: files.path)
        let (folder, place) = (files.path, cache.path)
        let digests = try await withThrowingTaskGroup(of: Digest.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    let set = try DataSetCatalog.open(name: "mnist", folder: folder, cache: place)
                    return Digest(of: try set.train.pixels + set.test.pixels)
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        let expected = Digest(of: try plain.train.pixels + plain.test.pixels)
        #expect(digests == Array(repeating: expected, count: 8))
        let names = try FileManager.default.contentsOfDirectory(atPath: try kept()).sorted()
        #expect(
            names == [
                "index.json", "lock", "test-images.npy", "test-labels.npy", "train-images.npy",
                "train-labels.npy",
            ])
    }

    @Test("SVHN's and sets of other places are kept apart")
    func places() throws {
        let fixtures = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("../../Fixtures/data").standardized.path
        for (from, to) in [
            ("svhn_stored.mat", "train_32x32.mat"), ("svhn_deflated.mat", "test_32x32.mat"),
        ] {
            try FileManager.default.copyItem(
                atPath: "\(fixtures)/\(from)", toPath: "\(files.path)/\(to)")
        }
        let digits = try open("svhn")
        #expect(try digits.facts == open("svhn").facts)
        #expect(digits.facts.trainCount == 4)
        #expect(try digits.train.pixels == digits.test.pixels)
        _ = try open()
        let other = try DataScratch()
        try SmallFiles.writeSet(into: other)
        _ = try DataSetCatalog.open(name: "mnist", folder: other.path, cache: cache.path)
        #expect(try FileManager.default.contentsOfDirectory(atPath: cache.path).count == 3)
    }

    @Test("CIFAR's whole sets are shared too, in the order of their files")
    func cifar() throws {
        let size = 1 + 3 * 32 * 32
        for (file, name) in ((1...5).map { "data_batch_\($0).bin" } + ["test_batch.bin"])
            .enumerated()
        {
            // Ten thousand records of zeros, but for the first ten and the last.
            var bytes = [UInt8](repeating: 0, count: 10_000 * size)
            for label in 1..<10 { bytes[label * size] = UInt8(label) }
            bytes[0] = UInt8(file)
            bytes[1] = UInt8(file + 10)
            bytes[9_999 * size] = 9
            bytes[10_000 * size - 1] = UInt8(file + 100)
            try files.write(bytes, to: name)
        }
        let plain = try DataSetCatalog.open(name: "cifar10", folder: files.path)
        for _ in 0..<2 { try expectSame(try open("cifar10"), plain) }
        #expect(plain.facts.trainCount == 50_000 && plain.facts.testCount == 10_000)
        let ends = try open("cifar10").images(.train, at: [0, 9_999, 10_000, 49_999])
        let image = 3 * 32 * 32
        #expect(ends.labels == [0, 9, 1, 9])
        #expect(
            [ends.pixels[0], ends.pixels[2 * image - 1], ends.pixels[2 * image]] == [10, 100, 11])
        #expect(ends.pixels.last == 104)
        let written = try indexFile()
        _ = try open("cifar10")
        #expect(try indexFile() == written)
    }
}
