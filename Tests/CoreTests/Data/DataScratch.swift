import FathomCore
import Foundation

/// A folder of a test's own, gone with the value.
final class DataScratch {
    let path: String

    init() throws {
        path = NSTemporaryDirectory() + "fathom-data-" + UUID().uuidString
        try FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func write(_ bytes: [UInt8], to name: String) throws {
        try Data(bytes).write(to: URL(fileURLWithPath: path + "/" + name))
    }
}

/// Makes the files that the readers are tested with.
enum SmallFiles {
    /// An IDX file of bytes.
    static func idx(_ sizes: [Int], values: [UInt8]) -> [UInt8] {
        let header = sizes.flatMap { size in (0..<4).map { UInt8(size >> (24 - 8 * $0) & 255) } }
        return [0, 0, 8, UInt8(sizes.count)] + header + values
    }

    /// A gzip file of one stored block, with a name and an extra field in its header.
    static func gzip(_ bytes: [UInt8]) -> [UInt8] {
        precondition(bytes.count < 65_536, "one stored block holds no more")
        let length = UInt16(bytes.count)
        let header: [UInt8] = [0x1F, 0x8B, 8, 0x0C, 0, 0, 0, 0, 0, 3, 2, 0, 7, 7, 0x61, 0]
        let block: [UInt8] =
            [1, UInt8(length & 255), UInt8(length >> 8)]
            + [UInt8(~length & 255), UInt8(~length >> 8)]
        return header + block + bytes + word(checksum(bytes)) + word(UInt32(bytes.count))
    }

    private static func word(_ value: UInt32) -> [UInt8] {
        (0..<4).map { UInt8(value >> (8 * $0) & 255) }
    }

    private static func checksum(_ bytes: [UInt8]) -> UInt32 {
        var remainder: UInt32 = 0xFFFF_FFFF
        for byte in bytes {
            remainder ^= UInt32(byte)
            for _ in 0..<8 {
                remainder = remainder & 1 == 1 ? remainder >> 1 ^ 0xEDB8_8320 : remainder >> 1
            }
        }
        return ~remainder
    }

    /// The four files of a data set with 20 training and 10 test images of 3x2 pixels.
    static func writeSet(into scratch: DataScratch, folder: String = "") throws {
        for (split, count) in [("train", 20), ("t10k", 10)] {
            let pixels = (0..<(count * 6)).map { UInt8($0 % 251) }
            let labels = (0..<count).map { UInt8($0 % 10) }
            try scratch.write(
                idx([count, 3, 2], values: pixels), to: "\(folder)\(split)-images-idx3-ubyte")
            try scratch.write(
                gzip(idx([count], values: labels)), to: "\(folder)\(split)-labels.idx1-ubyte.gz")
        }
    }
}

/// Runs `body` and answers the error it must end with.
func caught<Failure: Error>(_ type: Failure.Type, _ body: () throws -> Void) -> Failure? {
    do {
        try body()
    } catch {
        return error as? Failure
    }
    return nil
}
