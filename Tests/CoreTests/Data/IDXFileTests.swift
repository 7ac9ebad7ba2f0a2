import FathomCore
import Foundation
import Testing

@Suite("IDX files")
struct IDXFileTests {
    private let good = SmallFiles.idx([2, 2, 3], values: Array(1...12))

    /// The offset that the refusal of `bytes` names.
    private func refusedOffset(_ bytes: [UInt8]) -> Int? {
        let error = caught(DataError.self) {
            _ = try IDXFile(decoding: bytes, file: "x", rank: 3)
        }
        guard case .malformed("x", let offset, _, _) = error else { return nil }
        return offset
    }

    @Test("a good file gives its sizes and values")
    func decodesGood() throws {
        let file = try IDXFile(decoding: good, file: "x", rank: 3)
        #expect(file.sizes == [2, 2, 3])
        #expect(Array(file.values) == Array(1...12))
    }

    @Test("every truncation and every surplus byte is refused")
    func refusesOtherLengths() {
        for length in 0..<good.count {
            #expect(refusedOffset(Array(good[..<length])) != nil, "cut to \(length)")
        }
        #expect(refusedOffset(good + [0]) == good.count)
    }

    @Test("wrong magic, type code and rank are refused where they stand", arguments: 0..<4)
    func refusesWrongMagic(offset: Int) {
        for value in [UInt8(1), 9, 13, 255] {
            var bytes = good
            bytes[offset] = value
            #expect(refusedOffset(bytes) == offset)
        }
    }

    @Test("sizes of zero, and sizes whose product is absurd, are refused")
    func refusesBadSizes() {
        #expect(refusedOffset(SmallFiles.idx([2, 0, 3], values: [])) == 8)
        let large = SmallFiles.idx([0xFFFF_FFFF, 0xFFFF_FFFF, 0xFFFF_FFFF], values: [1])
        #expect(refusedOffset(large) == 4)
        #expect(refusedOffset(SmallFiles.idx([2, 2, 4], values: Array(1...12))) != nil)
    }

    @Test("gzip files are inflated, and every damaged byte of their data or trailer is refused")
    func checksGzip() throws {
        let scratch = try DataScratch()
        let packed = SmallFiles.gzip(good)
        try scratch.write(packed, to: "good.gz")
        let file = try IDXFile(path: scratch.path + "/good.gz", rank: 3)
        #expect(file.contents == good)
        for offset in 21..<packed.count {
            var damaged = packed
            damaged[offset] ^= 0x40
            try scratch.write(damaged, to: "bad.gz")
            #expect(throws: DataError.self, "byte \(offset)") {
                try IDXFile(path: scratch.path + "/bad.gz", rank: 3)
            }
        }
        for bytes in [packed + [0], packed + packed, Array(packed.dropLast())] {
            try scratch.write(bytes, to: "bad.gz")
            #expect(throws: DataError.self) {
                try IDXFile(path: scratch.path + "/bad.gz", rank: 3)
            }
        }
    }
}
