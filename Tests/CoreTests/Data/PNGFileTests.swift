import FathomCore
import Foundation
import Testing

@Suite("png files")
struct PNGFileTests {
    private static func image(_ color: PNGFile.Color, words: Bool) -> PNGFile {
        let count = 5 * 3 * color.channels
        var random = RandomStream(seed: UInt64(color.rawValue))
        let values = (0..<count).map { _ in random.integer(below: 65_536) }
        return PNGFile(
            width: 5, height: 3, color: color,
            samples: words
                ? .words(values.map { UInt16($0) }) : .bytes(values.map { UInt8($0 & 255) }))
    }

    @Test("samples survive a round trip", arguments: [false, true])
    func roundTrips(words: Bool) throws {
        for color in PNGFile.Color.allCases where color != .palette {
            let image = Self.image(color, words: words)
            #expect(try PNGFile(decoding: image.encoded(), file: "x") == image)
        }
    }

    /// A 2x2 image of four palette entries, two bits a pixel; Pillow reads the same.
    private static let paletted =
        "iVBORw0KGgoAAAANSUhEUgAAAAIAAAACAgMAAAAP2OW3AAAADFBMVEX/AAAA/wAAAP8KFB4i"
        + "iCkEAAAADElEQVR4nGMQYNgAAADkAMEnqOhXAAAAAElFTkSuQmCC"

    @Test("images become eight bits of red, green and blue")
    func becomesRGB() {
        let gray = PNGFile(width: 2, height: 1, color: .gray, samples: .words([0, 65_535]))
        #expect(gray.rgb == [0, 0, 0, 255, 255, 255])
        let alpha = PNGFile(
            width: 1, height: 1, color: .rgbAlpha, samples: .bytes([1, 2, 3, 4]))
        #expect(alpha.rgb == [1, 2, 3])
        let grayAlpha = PNGFile(width: 1, height: 1, color: .grayAlpha, samples: .bytes([9, 0]))
        #expect(grayAlpha.rgb == [9, 9, 9])
    }

    @Test("a palette is looked up, and its indices stay as they are")
    func readsPalettes() throws {
        let bytes = try #require(Data(base64Encoded: Self.paletted))
        let file = try PNGFile(decoding: Array(bytes), file: "x")
        #expect(file.samples == .bytes([0, 1, 2, 3]) && file.color == .palette)
        #expect(file.rgb == [255, 0, 0, 0, 255, 0, 0, 0, 255, 10, 20, 30])
    }

    @Test("damage is refused by name, or was without meaning")
    func refusesDamage() throws {
        let image = Self.image(.rgb, words: false)
        let bytes = image.encoded()
        Damage.apply(to: bytes, times: 400, seed: 7) { damaged in
            do {
                let read = try PNGFile(decoding: damaged, file: "x.png")
                // Every chunk is summed, so that what is read is what was written.
                #expect(read == image)
            } catch {
                #expect("\(error)".contains("x.png"))
            }
        }
        for length in 0..<bytes.count {
            #expect(throws: DataError.self) {
                try PNGFile(decoding: Array(bytes[..<length]), file: "x")
            }
        }
        #expect(throws: DataError.self) { try PNGFile(decoding: bytes + [0], file: "x") }
    }
}
