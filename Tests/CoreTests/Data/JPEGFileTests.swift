import FathomCore
import Foundation
import Testing

/// Photographs that Pillow wrote (`Fixtures/jpeg/make_jpeg.py`).
@Suite("JPEG files")
struct JPEGFileTests {
    private static func fixture(_ name: String) throws -> [UInt8] {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        return [UInt8](
            try Data(
                contentsOf: folder.appendingPathComponent("../../Fixtures/jpeg/" + name)
                    .standardized))
    }

    private func decoded(_ name: String) throws -> ColorImage {
        try JPEGFile.image(decoding: try Self.fixture(name), file: name)
    }

    private func told(_ bytes: [UInt8]) -> String {
        caught(DataError.self) {
            _ = try JPEGFile.image(decoding: bytes, file: "x.jpg")
        }?.description ?? "no complaint"
    }

    @Test("colors come back within what compression changes", arguments: ["color", "progressive"])
    func colors(name: String) throws {
        let image = try decoded(name + ".jpg")
        #expect(image.width == 40 && image.height == 24)
        for (column, right) in [(3, [200, 40, 60]), (36, [30, 90, 220])] {
            let start = 3 * (12 * 40 + column)
            for channel in 0..<3 {
                #expect(abs(Int(image.rgb[start + channel]) - right[channel]) <= 6)
            }
        }
    }

    @Test("gray is repeated over three channels")
    func gray() throws {
        let image = try decoded("gray.jpg")
        for row in [0, 11, 23] {
            let pixel = image.rgb[(3 * (row * 40 + 20))..<(3 * (row * 40 + 20) + 3)]
            #expect(Set(pixel).count == 1 && abs(Int(pixel.first ?? 0) - 17 - 5 * row) <= 4)
        }
    }

    @Test("files that are cut, damaged or meant for printing are refused by name")
    func refusals() throws {
        let good = try Self.fixture("color.jpg")
        #expect(told(good) == "no complaint")
        #expect(told([]).contains("x.jpg, byte 0: expected a JPEG file"))
        #expect(told([0x89, 0x50, 0x4E, 0x47]).contains("expected a JPEG file"))
        #expect(told(try Self.fixture("inks.jpg")).contains("four inks"))
        for length in stride(from: 0, to: good.count - 2, by: 23) {
            #expect(told(Array(good[..<length])) != "no complaint", "\(length) bytes")
        }
    }

    @Test("damage is refused or read as something whole", arguments: ["color", "progressive"])
    func damage(name: String) throws {
        Damage.apply(to: try Self.fixture(name + ".jpg"), times: 400, seed: 5) { damaged in
            do {
                let image = try JPEGFile.image(decoding: damaged, file: "x.jpg")
                #expect(image.rgb.count == 3 * image.width * image.height)
            } catch {
                #expect("\(error)".contains("x.jpg"))
            }
        }
    }

    @Test("folders may hold both kinds; other files are refused")
    func folders() throws {
        let scratch = try DataScratch()
        for part in ["train", "val"] {
            try FileManager.default.createDirectory(
                atPath: scratch.path + "/\(part)/a", withIntermediateDirectories: true)
            try scratch.write(try Self.fixture("gray.jpg"), to: "\(part)/a/1.JPG")
            try scratch.write(try Self.fixture("color.jpg"), to: "\(part)/a/2.jpeg")
        }
        let set = try DataSetCatalog.open(name: "image-folder-32", folder: scratch.path)
        let train = try set.train
        #expect(train.count == 2 && train.labels == [0, 0])
        // The middle 24 columns of 40, red on the left and blue on the right.
        #expect(train.pixels[3072] > 150 && train.pixels[3072 + 31] < 60)
        try scratch.write([1, 2], to: "train/a/3.gif")
        let complaint = caught(DataError.self) {
            _ = try DataSetCatalog.open(name: "image-folder-32", folder: scratch.path)
        }?.description
        #expect(complaint?.contains("a file called .png, .jpg or .jpeg") == true)
    }
}
