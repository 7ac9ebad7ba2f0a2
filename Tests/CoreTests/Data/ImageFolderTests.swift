import FathomCore
import Foundation
import Testing

@Suite("folders of images")
struct ImageFolderTests {
    private func write(
        _ scratch: DataScratch, _ place: String, width: Int, height: Int, _ level: UInt8
    ) throws {
        let path = scratch.path + "/" + place
        try FileManager.default.createDirectory(
            atPath: (path as NSString).deletingLastPathComponent,
            withIntermediateDirectories: true)
        let image = PNGFile(
            width: width, height: height, color: .gray,
            samples: .bytes([UInt8](repeating: level, count: width * height)))
        try image.write(to: path)
    }

    private func scratch(_ classes: [String]) throws -> DataScratch {
        let scratch = try DataScratch()
        for (index, name) in classes.enumerated() {
            for part in ["train", "val"] {
                try write(scratch, "\(part)/\(name)/a.png", width: 40, height: 70, UInt8(index))
            }
        }
        return scratch
    }

    private func told(_ scratch: DataScratch) -> String {
        caught(DataError.self) {
            _ = try DataSetCatalog.open(name: "image-folder-32", folder: scratch.path)
        }?.description ?? "no complaint"
    }

    @Test("classes follow byte order, or their numbers where all are numbers")
    func classOrder() throws {
        let words = try scratch(["n02", "n010", "n1"])
        let set = try DataSetCatalog.open(name: "image-folder-32", folder: words.path)
        // Byte order: n010, n02, n1.
        let train = try set.train
        #expect(train.labels == [0, 1, 2] && set.facts.classCount == 3 && set.facts.notes.isEmpty)
        #expect([0, 1, 2].map { train.pixels[$0 * 3072] } == [1, 0, 2])
        let numbers = try scratch((0..<12).map(String.init))
        let numbered = try DataSetCatalog.open(name: "image-folder-64", folder: numbers.path)
        let test = try numbered.test
        #expect((0..<12).allSatisfy { Int(test.pixels[$0 * 3 * 4096]) == $0 })
        // By byte order folder 10 would come third.
        #expect(numbered.facts.notes.first?.contains("class 2 would be folder 10") == true)
        #expect(numbered.facts.width == 64 && numbered.facts.trainCount == 12)
    }

    @Test("is decoded once, until a file changes; damaged arrays do not count")
    func cached() throws {
        let scratch = try scratch(["a", "b"])
        func open() throws -> DataSet {
            try DataSetCatalog.open(name: "image-folder-32", folder: scratch.path)
        }
        let first = try open()
        let kept = scratch.path + "/.fathom/image-folder-32/train-images.npy"
        let array = try NPYFile(path: kept).array
        let pixels = try first.train.pixels
        #expect(array.shape == [2, 3, 32, 32] && array.bytes == pixels)
        let again = try open()
        #expect(again.facts == first.facts)
        #expect(try again.train.pixels == pixels)
        #expect(try again.test.labels == first.test.labels)
        // Other bytes than the index has: decoded anew, to the same set.
        try Data([1, 2, 3]).write(to: URL(fileURLWithPath: kept))
        #expect(try open().facts == first.facts)
        #expect(try NPYFile(path: kept).array == array)
        // Another image: another set.
        try write(scratch, "train/a/a.png", width: 30, height: 70, 99)
        let changed = try open()
        #expect(changed.facts.digest != first.facts.digest)
        #expect(try changed.train.pixels[0] == 99)
    }

    @Test("what does not fit is refused by name")
    func refusals() throws {
        let empty = try DataScratch()
        #expect(told(empty).contains("train/CLASS/*"))
        let gaps = try scratch(["0", "2"])
        #expect(told(gaps).contains("classes 0 to 1, each once"))
        let other = try scratch(["a"])
        try write(other, "val/b/x.png", width: 4, height: 4, 1)
        #expect(told(other).contains("the classes of train"))
        let photo = try scratch(["a"])
        try Data([1]).write(to: URL(fileURLWithPath: photo.path + "/train/a/b.jpg"))
        #expect(told(photo).contains("b.jpg, byte 0: expected a JPEG file"))
        let link = try scratch(["a"])
        try FileManager.default.createSymbolicLink(
            atPath: link.path + "/train/a/z.png", withDestinationPath: "/etc/hostname")
        #expect(told(link).contains("is a link to"))
    }

    @Test("a new pixel is the mean of what it covers, from the middle of the longer side")
    func areas() {
        // Six columns of four rows: the middle four columns are kept, two by two.
        let levels: [UInt8] = (0..<24).map { UInt8(10 * ($0 % 6)) }
        let image = PNGFile(width: 6, height: 4, color: .gray, samples: .bytes(levels))
        #expect(Array(AreaResize.squared(image, side: 2)[..<4]) == [15, 35, 15, 35])
        // Three to two: one and a half old pixels each.
        let three = PNGFile(
            width: 3, height: 3, color: .gray, samples: .bytes([0, 90, 30, 0, 90, 30, 0, 90, 30]))
        #expect(Array(AreaResize.squared(three, side: 2)[..<2]) == [30, 50])
        // One to two: enlarged.
        let one = PNGFile(width: 1, height: 1, color: .rgb, samples: .bytes([1, 2, 3]))
        #expect(AreaResize.squared(one, side: 2) == [1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3])
    }
}
