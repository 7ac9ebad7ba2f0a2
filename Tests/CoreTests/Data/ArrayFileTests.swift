import FathomCore
import Foundation
import Testing

/// Files of several arrays, held against those of `Tests/Fixtures/arrays`.
enum ArrayFixtures {
    static let folder = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("Fixtures/arrays").path

    static func bytes(_ name: String) throws -> [UInt8] {
        [UInt8](try Data(contentsOf: URL(fileURLWithPath: folder + "/" + name)))
    }

    static func torch(_ name: String) throws -> [String: StoredArray] {
        let file = try TorchFile(decoding: try bytes(name), file: name)
        return Dictionary(uniqueKeysWithValues: file.tensors.map { ($0.name, $0.array) })
    }

    static func complaint(_ body: () throws -> Void) -> String {
        do {
            try body()
            return "no complaint"
        } catch {
            return "\(error)"
        }
    }
}

@Suite("Files of several arrays")
struct ArrayFileTests {
    private let counting = StoredArray(
        shape: [2, 3, 2, 2], values: .uint8((0..<24).map { UInt8($0) }))
    private let noise = StoredArray(
        shape: [2, 3, 2, 2], values: .float32((0..<24).map { (Float($0) - 12) / 255 }))

    @Test("NumPy's archives are read, stored and deflated")
    func numpy() throws {
        let two = try NPZFile(decoding: try ArrayFixtures.bytes("two.npz"), file: "two.npz")
        #expect(two.arrays.map(\.name) == ["images", "noise"])
        #expect(two.arrays.map(\.array) == [counting, noise])
        let deflated = try NPZFile(decoding: try ArrayFixtures.bytes("deflated.npz"), file: "d")
        #expect(deflated.arrays[0].array.shape == [40, 3, 2, 2])
        #expect(deflated.arrays[0].array.bytes?.suffix(24) == counting.bytes?[...])
    }

    @Test("arrays survive a round trip through our archives")
    func roundTrips() throws {
        let bytes = NPZFile([("a", counting), ("b", noise)]).encoded()
        let again = try NPZFile(decoding: bytes, file: "x")
        #expect(again.arrays.map(\.name) == ["a", "b"])
        #expect(again.arrays.map(\.array) == [counting, noise])
        let arrays = [
            counting, noise, StoredArray(shape: [2], values: .int64([.min, .max])),
            StoredArray(shape: [1, 2], values: .int32([-3, 4])),
            StoredArray(shape: [2], values: .int8([-128, 127])),
            StoredArray(shape: [1], values: .float64([0.1])),
        ]
        for array in arrays {
            let file = try TorchFile(decoding: TorchFile.encoded(array), file: "x")
            #expect(file.tensors.map(\.name) == [""] && file.tensors[0].array == array)
        }
    }

    @Test("tensors alone, in dictionaries and in lists are read, of every protocol")
    func torch() throws {
        #expect(try ArrayFixtures.torch("tensor.pt") == ["": noise])
        let several = try ArrayFixtures.torch("several.pt")
        #expect(several["transposed"]?.integers == [1, 5, 9, 2, 6, 10])
        #expect(several["transposed"]?.shape == [2, 3])
        #expect(several["half"]?.floats == [0.5, -2, 65_504, Float(1) * 0x1p-24, 0])
        #expect(several["bytes"] == counting)
        let list = try ArrayFixtures.torch("list.pt")
        #expect(list["0"]?.values == .int8([1, -1]) && list["1"]?.values == .float64([2.5]))
    }

    static let refusals: [(String, String)] = [
        ("command.pt", "system, which is never run"), ("big.pt", "little-endian storages"),
        ("outside.pt", "a tensor inside its storage of 12 numbers"),
        ("two.npz", "STEM/data.pkl"),
    ]

    @Test(
        "code, other byte orders and tensors beyond their storage are refused", arguments: refusals)
    func refused(name: String, says: String) {
        let told = ArrayFixtures.complaint { _ = try ArrayFixtures.torch(name) }
        #expect(told.contains(says), "\(told)")
    }

    @Test("objects of NumPy, files of old torch and archives that lie are refused")
    func alsoRefused() throws {
        let objects = ArrayFixtures.complaint {
            _ = try NPZFile(decoding: try ArrayFixtures.bytes("objects.npz"), file: "o")
        }
        #expect(objects.contains("descr as one of"), "\(objects)")
        let old: [UInt8] = [
            0x80, 2, 0x8A, 10, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19, 0x2E,
        ]
        let hint = ArrayFixtures.complaint { _ = try TorchFile(decoding: old, file: "old.pt") }
        #expect(hint.contains("call torch.save(x, path) again"), "\(hint)")
        // One bit of a member, the sum of which then disagrees.
        var damaged = try ArrayFixtures.bytes("two.npz")
        damaged[damaged.count / 2] ^= 1
        #expect(throws: DataError.self) { try NPZFile(decoding: damaged, file: "x") }
        for name in ["../a.npy", "/a.npy", "a/b.npy", "a\\b.npy", "a.txt"] {
            var bytes = NPZFile([(String(repeating: "x", count: name.count), counting)]).encoded()
            let plain = Array((String(repeating: "x", count: name.count) + ".npy").utf8)
            let wrong = Array((name + ".npy").utf8).prefix(plain.count)
            replace(plain, by: Array(wrong), in: &bytes)
            let isBad = ArrayFixtures.complaint {
                let arrays = try NPZFile(decoding: bytes, file: "x").arrays
                #expect(arrays.allSatisfy { !$0.name.contains("/") })
            }
            #expect(name == "a.txt" || isBad != "no complaint", "\(name)")
        }
        let twice = NPZFile([("a", counting), ("a", noise)]).encoded()
        #expect(throws: DataError.self) { try NPZFile(decoding: twice, file: "x") }
    }

    private func replace(_ old: [UInt8], by new: [UInt8], in bytes: inout [UInt8]) {
        for start in 0..<(bytes.count - old.count)
        where Array(bytes[start..<(start + old.count)]) == old {
            bytes.replaceSubrange(start..<(start + old.count), with: new)
        }
    }

    @Test(
        "damaged archives are refused or read, and never crash a reader",
        arguments: ["two.npz", "deflated.npz", "tensor.pt", "several.pt", "list.pt"])
    func fuzzed(name: String) throws {
        let bytes = try ArrayFixtures.bytes(name)
        Damage.apply(to: bytes, times: 1_500, seed: 5) { damaged in
            _ = try? NPZFile(decoding: damaged, file: name)
            _ = try? TorchFile(decoding: damaged, file: name)
        }
    }

    @Test("damaged pickles within intact archives never crash a reader")
    func fuzzedPickles() throws {
        for name in ["tensor.pt", "several.pt", "list.pt"] {
            let bytes = try ArrayFixtures.bytes(name)
            let members = try ZIPFile(decoding: bytes, file: name)
            let pickle = try #require(members["archive/data.pkl"])
            Damage.apply(to: pickle, times: 1_500, seed: 9) { damaged in
                let rest = members.names.filter { $0 != "archive/data.pkl" }
                let whole = ZIPFile.encoded(
                    [("archive/data.pkl", damaged)] + rest.map { ($0, members[$0] ?? []) })
                _ = try? TorchFile(decoding: whole, file: name)
            }
        }
    }
}
