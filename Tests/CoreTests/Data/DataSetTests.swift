import FathomCore
import Foundation
import Testing

private let fashionFolder = "/usr/share/datasets/fashion-mnist"

@Suite("data sets")
struct DataSetTests {
    @Test("a folder, or the folder of the set's name in it, is searched")
    func findsFolders() throws {
        let flat = try DataScratch()
        try SmallFiles.writeSet(into: flat)
        let nested = try DataScratch()
        try FileManager.default.createDirectory(
            atPath: nested.path + "/kmnist", withIntermediateDirectories: false)
        try SmallFiles.writeSet(into: nested, folder: "kmnist/")
        let set = try DataSetCatalog.open(name: "kmnist", folder: flat.path)
        #expect(try set.train.count == 20 && set.test.count == 10)
        #expect(set.facts.height == 3 && set.facts.width == 2 && set.facts.channels == 1)
        #expect(try set.train.indices == Array(0..<20))
        let library = DataSetLibrary()
        #expect(try library.facts(name: "kmnist", folder: nested.path) == set.facts)
        #expect(try library.open(name: "kmnist", folder: nested.path).test.labels.last == 9)
    }

    @Test("a missing set says where it was looked for and what to install")
    func explainsMissing() throws {
        let scratch = try DataScratch()
        let error = caught(DataError.self) {
            _ = try DataSetCatalog.open(name: "fashion-mnist", folder: scratch.path)
        }
        let text = try #require(error?.description)
        #expect(text.contains(scratch.path + "/fashion-mnist"))
        #expect(text.contains("dataset-fashion-mnist"))
        let unknown = caught(DataError.self) { _ = try DataSetCatalog.open(name: "fashon-mnist") }
        #expect(unknown?.description.contains("did you mean fashion-mnist?") == true)
    }

    @Test("labels beyond the classes, and counts or sizes that differ, are refused")
    func refusesDisagreement() throws {
        let cases: [(String, [UInt8], String)] = [
            (
                "train-labels.idx1-ubyte.gz",
                SmallFiles.gzip(SmallFiles.idx([20], values: [UInt8](repeating: 10, count: 20))),
                "byte 8"
            ),
            (
                "train-labels.idx1-ubyte.gz",
                SmallFiles.gzip(SmallFiles.idx([19], values: [UInt8](repeating: 1, count: 19))),
                "counts: 20 and 19"
            ),
            (
                "t10k-images-idx3-ubyte",
                SmallFiles.idx([10, 2, 3], values: [UInt8](repeating: 1, count: 60)),
                "height: 3 and 2"
            ),
        ]
        for (name, bytes, expected) in cases {
            let scratch = try DataScratch()
            try SmallFiles.writeSet(into: scratch)
            try scratch.write(bytes, to: name)
            let error = caught(DataError.self) {
                _ = try DataSetCatalog.open(name: "mnist", folder: scratch.path)
            }
            #expect(error?.description.contains(expected) == true, "\(String(describing: error))")
        }
    }

    @Test("a link that leaves the folder is refused")
    func refusesLinks() throws {
        let scratch = try DataScratch()
        let outside = try DataScratch()
        try SmallFiles.writeSet(into: scratch)
        try SmallFiles.writeSet(into: outside)
        let name = "/train-images-idx3-ubyte"
        try FileManager.default.removeItem(atPath: scratch.path + name)
        try FileManager.default.createSymbolicLink(
            atPath: scratch.path + name, withDestinationPath: outside.path + name)
        let error = caught(DataError.self) {
            _ = try DataSetCatalog.open(name: "mnist", folder: scratch.path)
        }
        guard case .linkLeavesFolder = error else {
            Issue.record("\(String(describing: error))")
            return
        }
    }

    @Test(
        "the installed Fashion-MNIST is the published one",
        .enabled(
            if: FileManager.default.fileExists(atPath: fashionFolder),
            "install the Debian package dataset-fashion-mnist"))
    func readsFashion() throws {
        let published = [
            (
                "train-images-idx3-ubyte", 3, 47_040_016,
                "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888"
            ),
            (
                "train-labels-idx1-ubyte", 1, 60_008,
                "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9"
            ),
            (
                "t10k-images-idx3-ubyte", 3, 7_840_016,
                "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b"
            ),
            (
                "t10k-labels-idx1-ubyte", 1, 10_008,
                "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34"
            ),
        ]
        for (name, rank, bytes, digest) in published {
            let file = try IDXFile(path: "\(fashionFolder)/\(name).gz", rank: rank)
            #expect(file.contents.count == bytes)
            #expect(Digest(of: file.contents).hex == digest)
        }
        let set = try DataSetCatalog.open(name: "fashion-mnist")
        #expect(try set.train.labels.prefix(10) == [9, 0, 0, 3, 0, 2, 7, 2, 5, 5])
        #expect(try set.test.labels.prefix(10) == [9, 2, 1, 1, 6, 1, 4, 6, 5, 7])
        let sum = try set.train.pixels.reduce(0) { $0 + Int($1) }
        let mean = Double(sum) / 255 / Double(try set.train.pixels.count)
        #expect(abs(mean - 0.28604) < 1e-5)
        #expect(set.facts.trainCount == 60_000 && set.facts.testCount == 10_000)
        let subset = try set.train.stratifiedSubset(count: 2000, random: RandomStream(seed: 3))
        #expect((0..<10).allSatisfy { k in subset.labels.count { $0 == Int32(k) } == 200 })
    }
}

@Suite("stratified subsets")
struct StratifiedSubsetTests {
    private let set = ImageSet(
        channels: 1, height: 1, width: 2, classCount: 3, pixels: (0..<60).map { UInt8($0) },
        labels: (0..<30).map { Int32($0 * $0 % 3) }, indices: (0..<30).map { 100 + $0 })

    @Test("shares are equal, the lowest classes take the remainder, indices go along")
    func sharesAreEqual() throws {
        let two = ImageSet(
            channels: 1, height: 1, width: 2, classCount: 3, pixels: set.pixels,
            labels: (0..<30).map { Int32($0 % 3) }, indices: set.indices)
        for seed in UInt64(0)..<50 {
            let subset = try two.stratifiedSubset(count: 11, random: RandomStream(seed: seed))
            let counts = (0..<3).map { k in subset.labels.count { $0 == Int32(k) } }
            #expect(counts == [4, 4, 3], "seed \(seed)")
            #expect(Set(subset.indices).count == 11)
            for (place, index) in subset.indices.enumerated() {
                #expect(subset.pixels[2 * place] == UInt8(2 * (index - 100)))
                #expect(subset.labels[place] == Int32((index - 100) % 3))
            }
        }
        let same = try two.stratifiedSubset(count: 11, random: RandomStream(seed: 1))
        let again = try two.stratifiedSubset(count: 11, random: RandomStream(seed: 1))
        let other = try two.stratifiedSubset(count: 11, random: RandomStream(seed: 2))
        #expect(same.indices == again.indices && same.indices != other.indices)
        // A larger subset of the same stream begins with what the smaller one has.
        let larger = try two.stratifiedSubset(count: 21, random: RandomStream(seed: 1))
        #expect(Set(same.indices).isSubset(of: Set(larger.indices)))
    }

    @Test("zero stands for all in order, and a class that is too small is named")
    func edges() throws {
        let all = try set.stratifiedSubset(count: 0, random: RandomStream(seed: 1))
        #expect(all.indices == set.indices && all.pixels == set.pixels)
        #expect(throws: DataError.tooFewOfClass(index: 2, wanted: 3, available: 0)) {
            try set.stratifiedSubset(count: 9, random: RandomStream(seed: 1))
        }
    }
}
