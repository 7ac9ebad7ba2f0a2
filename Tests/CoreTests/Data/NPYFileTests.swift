import FathomCore
import Testing

@Suite("npy files")
struct NPYFileTests {
    private func file(_ literal: String, _ data: [UInt8], version: UInt8 = 1) -> [UInt8] {
        let header = Array(literal.utf8) + [0x0A]
        let length =
            [UInt8(header.count & 255), UInt8(header.count >> 8)]
            + (version == 1 ? [] : [0, 0])
        return [0x93, 0x4E, 0x55, 0x4D, 0x50, 0x59, version, 0] + length + header + data
    }

    private func decoded(_ literal: String, _ data: [UInt8]) throws -> StoredArray {
        try NPYFile(decoding: file(literal, data), file: "x").array
    }

    @Test("every type survives a round trip, and data starts at a multiple of 64")
    func roundTrips() throws {
        let arrays = [
            StoredArray(shape: [2, 3], values: .uint8([0, 1, 2, 3, 254, 255])),
            StoredArray(shape: [2], values: .int8([-128, 127])),
            StoredArray(shape: [1, 1], values: .int16([-300])),
            StoredArray(shape: [3], values: .int32([.min, 0, .max])),
            StoredArray(shape: [], values: .int64([.min])),
            StoredArray(shape: [2, 1], values: .float32([1.5, -0.1])),
            StoredArray(shape: [0, 4], values: .float64([])),
        ]
        for array in arrays {
            let bytes = NPYFile(array).encoded()
            #expect(try NPYFile(decoding: bytes, file: "x").array == array)
            #expect((10 + Int(bytes[8]) + 256 * Int(bytes[9])).isMultiple(of: 64))
        }
    }

    @Test("other byte orders, column-major order, versions and spellings are read")
    func readsVariants() throws {
        let big = "{'descr': '>i4', 'fortran_order': False, 'shape': (2,), }"
        #expect(try decoded(big, [0, 0, 1, 2, 255, 255, 255, 254]).integers == [258, -2])
        let columns = "{\"shape\":(2,3),\"fortran_order\":True,\"descr\":\"|u1\"}   "
        #expect(try decoded(columns, [1, 2, 3, 4, 5, 6]).bytes == [1, 3, 5, 2, 4, 6])
        let plain = "{'descr': '|b1', 'fortran_order': False, 'shape': ()}"
        let second = try NPYFile(decoding: file(plain, [1], version: 2), file: "x")
        #expect(second.array.bytes == [1] && second.array.shape == [])
    }

    @Test(
        "what the grammar or the data does not allow is refused",
        arguments: [
            "{'descr': '|O', 'fortran_order': False, 'shape': (2,)}",
            "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2,)}",
            "{'descr': '=u1', 'fortran_order': False, 'shape': (2,)}",
            "{'descr': '|f4', 'fortran_order': False, 'shape': (2,)}",
            "{'descr': '|u1', 'fortran_order': 0, 'shape': (2,)}",
            "{'descr': '|u1', 'fortran_order': False, 'shape': (-2,)}",
            "{'descr': '|u1', 'fortran_order': False, 'shape': (2)}",
            "{'descr': '|u1', 'fortran_order': False, 'shape': (3,)}",
            "{'descr': '|u1', 'fortran_order': False, 'shape': (9999999999,9999999999)}",
            "{'descr': '|u1', 'fortran_order': False}",
            "{'descr': '|u1', 'descr': '|u1', 'fortran_order': False, 'shape': (2,)}",
            "{'descr': '|u1', 'fortran_order': False, 'shape': (2,), 'more': (2,)}",
            "{'descr': '|u1', 'fortran_order': False, 'shape': (2,)} x",
            "{'descr': '|u1', 'fortran_order': False, 'shape': (2,)",
            "__import__('os')", "", "{}",
        ])
    func refuses(literal: String) {
        #expect(throws: DataError.self) { try decoded(literal, [1, 2]) }
    }

    @Test("numbers that are not finite are refused unless they are asked for")
    func refusesNaN() throws {
        let bytes = NPYFile(StoredArray(shape: [2], values: .float32([0, .nan]))).encoded()
        #expect(throws: DataError.self) { try NPYFile(decoding: bytes, file: "x") }
        let kept = try NPYFile(decoding: bytes, file: "x", finite: false).array.floats
        #expect(kept?[1].isNaN == true)
    }

    @Test("2,000 damaged files are decoded or refused, never worse")
    func survivesDamage() {
        let good = NPYFile(StoredArray(shape: [3, 4], values: .int16(Array(0..<12)))).encoded()
        Damage.apply(to: good, times: 2000, seed: 11) { bytes in
            _ = try? NPYFile(decoding: bytes, file: "x")
        }
    }
}
