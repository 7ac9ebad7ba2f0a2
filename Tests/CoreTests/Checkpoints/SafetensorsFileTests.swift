import FathomCore
import Foundation
import Testing

@Suite("safetensors files")
struct SafetensorsFileTests {
    private var sample: SafetensorsFile {
        var file = SafetensorsFile(metadata: ["b": "2", "a": "line\n\"quoted\" \u{1}"])
        file.set("conv/weight", to: StoredArray(shape: [2, 1], values: .float32([1.5, -2])))
        file.set("bytes", to: StoredArray(shape: [3], values: .uint8([1, 2, 3])))
        file.set("step", to: StoredArray(shape: [], values: .int64([-7])))
        file.set("none", to: StoredArray(shape: [0, 9], values: .float64([])))
        file.set("short", to: StoredArray(shape: [1], values: .int16([-2])))
        file.set(
            "half", to: StoredArray(shape: [2], values: .raw(type: "F16", bytes: [1, 2, 3, 4])))
        file.set("größe \\ \"x\"", to: StoredArray(shape: [1], values: .int32([9])))
        return file
    }

    /// A file with this header and as much data.
    private func file(_ header: String, dataBytes: Int) -> [UInt8] {
        let length = header.utf8.count
        let prefix = (0..<8).map { UInt8(length >> (8 * $0) & 255) }
        return prefix + Array(header.utf8) + [UInt8](repeating: 0, count: dataBytes)
    }

    @Test("arrays and metadata survive a round trip, and equal files have equal bytes")
    func roundTrips() throws {
        let bytes = sample.encoded()
        let back = try SafetensorsFile(decoding: bytes, file: "x")
        #expect(back.metadata == sample.metadata)
        #expect(Set(back.names) == Set(sample.names))
        for name in sample.names { #expect(back[name] == sample[name], "\(name)") }
        #expect(sample.encoded() == bytes)
        let headerBytes = bytes[..<8].reversed().reduce(0) { $0 << 8 | Int($1) }
        #expect(headerBytes.isMultiple(of: 8))
        let empty = try SafetensorsFile(decoding: SafetensorsFile().encoded(), file: "x")
        #expect(empty.names.isEmpty)
    }

    @Test(
        "files of another implementation are read",
        arguments: ["layers", "sal", "training", "ud"])
    func readsGolden(name: String) throws {
        let fixtures = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("../../Fixtures/golden")
        let path = fixtures.appendingPathComponent(name + ".safetensors").path
        let counts = ["layers": 242, "sal": 126, "training": 248, "ud": 18]
        let file = try SafetensorsFile(path: path)
        #expect(file.names.count == counts[name])
        if name == "sal" {
            #expect(file["fashion/images"]?.shape == [512, 28, 28])
            #expect(file["fashion/labels"]?.integers?.count == 512)
        }
        if name == "ud" { #expect(file["resnet18_like/clean"]?.doubles?.count == 50 * 21) }
    }

    @Test(
        "headers that lie are refused",
        arguments: [
            ("{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,4]}}", 4),
            ("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,8]}}", 4),
            ("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}", 8),
            ("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", 8),
            ("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,0]}}", 4),
            ("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0]}}", 4),
            ("{\"a\":{\"dtype\":\"F32\",\"shape\":[-1],\"data_offsets\":[0,4]}}", 4),
            ("{\"a\":{\"dtype\":\"F31\",\"shape\":[1],\"data_offsets\":[0,4]}}", 4),
            ("{\"a\":{\"dtype\":\"F32\",\"shape\":[1.5],\"data_offsets\":[0,4]}}", 4),
            (
                "{\"a\":{\"dtype\":\"U8\",\"shape\":[4611686018427387904,4],"
                    + "\"data_offsets\":[0,0]}}", 0
            ),
            (
                "{\"a\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4]},"
                    + "\"b\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[2,6]}}", 6
            ),
            ("{\"__metadata__\":{\"a\":1}}", 0), ("[]", 0), ("{", 0), ("{\"a\":1}", 0), ("", 0),
        ])
    func refusesLies(header: String, dataBytes: Int) {
        #expect(throws: CheckpointError.self) {
            try SafetensorsFile(decoding: file(header, dataBytes: dataBytes), file: "x")
        }
    }

    @Test("every truncation is refused, and 2,000 damaged files never do worse than that")
    func survivesDamage() {
        let good = sample.encoded()
        for length in 0..<good.count {
            #expect(throws: CheckpointError.self, "cut to \(length)") {
                try SafetensorsFile(decoding: Array(good[..<length]), file: "x")
            }
        }
        Damage.apply(to: good, times: 2000, seed: 5) { bytes in
            _ = try? SafetensorsFile(decoding: bytes, file: "x")
        }
        var huge = good
        huge.replaceSubrange(0..<8, with: [UInt8](repeating: 255, count: 8))
        #expect(throws: CheckpointError.self) {
            try SafetensorsFile(decoding: huge, file: "x")
        }
    }

    @Test("writing replaces a file whole and leaves nothing else behind")
    func writesAtomically() throws {
        let scratch = try DataScratch()
        let path = scratch.path + "/model.safetensors"
        try AtomicFile.write([1, 2, 3], to: path)
        try sample.write(to: path)
        #expect(try SafetensorsFile(path: path).names.count == sample.names.count)
        let left = try FileManager.default.contentsOfDirectory(atPath: scratch.path)
        #expect(left == ["model.safetensors"])
        let error = caught(CheckpointError.self) {
            try sample.write(to: scratch.path + "/nowhere/model.safetensors")
        }
        #expect(error?.mayPass == true)
        // A folder stands where the file should go: renaming fails, and nothing is left over.
        try FileManager.default.createDirectory(
            atPath: scratch.path + "/taken/inside", withIntermediateDirectories: true)
        #expect(throws: CheckpointError.self) { try sample.write(to: scratch.path + "/taken") }
        #expect(try FileManager.default.contentsOfDirectory(atPath: scratch.path).count == 2)
    }
}
