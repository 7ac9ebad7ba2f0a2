import FathomCore
import Foundation
import Testing

/// Sets of colored images in files of others' formats.
@Suite("CIFAR and SVHN")
struct ColorSetTests {
    private static func record(_ labels: [UInt8], _ seed: Int) -> [UInt8] {
        labels + (0..<3072).map { UInt8(($0 * 7 + seed) % 256) }
    }

    private static func fixture(_ name: String) throws -> [UInt8] {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        return Array(try Data(contentsOf: folder.appendingPathComponent("Fixtures/data/" + name)))
    }

    @Test("records are labels and planes; of two labels the fine one counts")
    func records() throws {
        let ten = Self.record([3], 1) + Self.record([9], 2)
        let file = try CIFARFile(decoding: ten, file: "x", layout: .ten, records: 2)
        #expect(file.labels == [3, 9])
        #expect(Array(file.pixels[..<3]) == [1, 8, 15] && file.pixels.count == 2 * 3072)
        #expect(file.pixels[3072] == 2)
        let hundred = try CIFARFile(
            decoding: Self.record([19, 99], 1), file: "x", layout: .hundred, records: 1)
        #expect(hundred.labels == [99] && hundred.pixels[0] == 1)
    }

    @Test("wrong sizes and labels are refused where they are")
    func refusals() throws {
        func told(_ bytes: [UInt8], _ layout: CIFARFile.Layout, _ records: Int) -> String {
            caught(DataError.self) {
                _ = try CIFARFile(
                    decoding: bytes, file: "x.bin", layout: layout, records: records)
            }?.description ?? "no complaint"
        }
        let good = Self.record([3], 1)
        #expect(told(good, .ten, 1) == "no complaint")
        #expect(told(good + [0], .ten, 1).contains("byte 3073: expected 1 records"))
        #expect(told(Array(good.dropLast()), .ten, 1).contains("found 3072 bytes"))
        #expect(told(good + Self.record([10], 1), .ten, 2).contains("byte 3073: expected a label"))
        #expect(told(Self.record([20, 5], 1), .hundred, 1).contains("byte 0: expected a label"))
        #expect(told(Self.record([2, 100], 1), .hundred, 1).contains("byte 1: expected a label"))
    }

    @Test("a missing set says what to unpack, and pickles are not read")
    func missing() throws {
        let scratch = try DataScratch()
        func told(_ name: String) -> String {
            caught(DataError.self) {
                _ = try DataSetCatalog.open(name: name, folder: scratch.path)
            }?.description ?? "no complaint"
        }
        #expect(told("cifar10").contains("cifar-10-binary.tar.gz and name"))
        #expect(told("svhn").contains("train_32x32.mat"))
        try scratch.write([0], to: "data_batch_1")
        #expect(told("cifar10").contains("pickles"))
    }

    @Test(
        "SVHN's files are turned into rows, ten into nought",
        arguments: ["svhn_stored.mat", "svhn_deflated.mat"])
    func digits(name: String) throws {
        let images = try SVHNSet.images(decoding: Self.fixture(name), file: name)
        #expect(images.labels == [1, 0, 5, 9] && images.count == 4)
        for place in images.pixels.indices {
            let (image, rest) = place.quotientAndRemainder(dividingBy: 3072)
            let (channel, pixel) = rest.quotientAndRemainder(dividingBy: 1024)
            let value = pixel / 32 + 2 * (pixel % 32) + 3 * channel + 5 * image
            guard images.pixels[place] != UInt8(value % 256) else { continue }
            Issue.record("pixel \(place) is \(images.pixels[place])")
            break
        }
    }

    @Test(
        "damaged SVHN files are read as something whole or refused by name",
        arguments: ["svhn_stored.mat", "svhn_deflated.mat"])
    func damage(name: String) throws {
        let bytes = try Self.fixture(name)
        Damage.apply(to: bytes, times: 300, seed: 11) { damaged in
            do {
                let images = try SVHNSet.images(decoding: damaged, file: name)
                #expect(images.pixels.count == images.count * 3072)
                #expect(images.labels.allSatisfy { (0..<10).contains($0) })
            } catch {
                #expect("\(error)".contains(name))
            }
        }
        for length in stride(from: 0, to: bytes.count, by: 97) {
            #expect(throws: DataError.self) {
                try SVHNSet.images(decoding: Array(bytes[..<length]), file: name)
            }
        }
        #expect(throws: DataError.self) {
            try SVHNSet.images(
                decoding: Array("MATLAB 7.3 MAT-file".utf8) + [UInt8](repeating: 0, count: 200),
                file: name)
        }
    }
}
