import FathomCore
import Foundation
import Testing

/// The fixtures of `Tests/Fixtures/golden/ud.*`, made by `make_golden.py` with NumPy and
/// scikit-learn. Tolerances are the file's own: 1e-9 for thresholds (two orders of summation of
/// some dozens of numbers near 1), 1e-12 for UD (a ratio of whole numbers).
struct UDFixture: Decodable {
    struct Tolerance: Decodable {
        var threshold: Double
        var ud: Double
    }
    struct Case: Decodable {
        var name: String
        var threshold_per_epoch: [Double]
        var threshold: Double
        var learnable_layers: [String: Double]
        var ud_layers: [String: Double]
        var learnable_parameters: [String: Double]
        var ud_parameters: [String: Double]
    }
    var tolerance: Tolerance
    var cases: [Case]
}

/// Just enough of the safetensors format for 8-byte numbers.
struct WideTensors {
    struct Entry: Decodable {
        var shape: [Int]
        var data_offsets: [Int]
    }
    let entries: [String: Entry]
    let payload: Data

    init(path: String) throws {
        let file = try Data(contentsOf: URL(fileURLWithPath: path))
        let length = Int(file.prefix(8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) })
        entries = try JSONDecoder().decode([String: Entry].self, from: Data(file[8..<8 + length]))
        payload = Data(file[(8 + length)...])
    }

    func words(_ name: String) throws -> (shape: [Int], bits: [UInt64]) {
        let entry = try #require(entries[name])
        let bits = stride(from: entry.data_offsets[0], to: entry.data_offsets[1], by: 8).map {
            payload[$0..<$0 + 8].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        }
        return (entry.shape, bits)
    }

    func matrix(_ name: String) throws -> SALMatrix {
        let (shape, bits) = try words(name)
        return SALMatrix(
            epochs: Array(1...shape[0]), layerCount: shape[1],
            values: bits.map { Double(bitPattern: $0) })
    }
}

@Suite("UD against the golden fixtures")
struct UDGoldenTests {
    let fixture: UDFixture
    let tensors: WideTensors

    init() throws {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent("Fixtures/golden").path
        let text = try Data(contentsOf: URL(fileURLWithPath: folder + "/ud.json"))
        fixture = try JSONDecoder().decode(UDFixture.self, from: text)
        tensors = try WideTensors(path: folder + "/ud.safetensors")
    }

    @Test("thresholds, counts and distances agree with the independent statement")
    func agrees() throws {
        #expect(fixture.cases.count == 3)
        for item in fixture.cases {
            let clean = try tensors.matrix(item.name + "/clean")
            let epochs = LearnableThreshold.perEpoch(of: clean).map(\.beta)
            #expect(epochs.count == item.threshold_per_epoch.count)
            for (ours, theirs) in zip(epochs, item.threshold_per_epoch) {
                #expect(abs(ours - theirs) <= fixture.tolerance.threshold)
            }
            let beta = try #require(
                LearnableThreshold.threshold(.released, seedIndex: 0, clean: [clean]))
            #expect(abs(beta.beta - item.threshold) <= fixture.tolerance.threshold)
            try checkCounts(item, beta: beta.beta, clean: clean)
        }
    }

    private func checkCounts(_ item: UDFixture.Case, beta: Double, clean: SALMatrix) throws {
        let weights = try tensors.words(item.name + "/parameters").bits.map { Int($0) }
        let kinds: [(CountKind, [String: Double], [String: Double])] = [
            (.layers, item.learnable_layers, item.ud_layers),
            (.parameters, item.learnable_parameters, item.ud_parameters),
        ]
        for (kind, counts, distances) in kinds {
            let baseline = LearnableCount.count(
                kind, of: clean, above: beta, weightCounts: weights)
            for (name, expected) in distances {
                let count = LearnableCount.count(
                    kind, of: try tensors.matrix("\(item.name)/\(name)"), above: beta,
                    weightCounts: weights)
                #expect(count == counts[name], "\(item.name)/\(name) \(kind)")
                let pair = UnlearnableDistance.Pair(learnable: count, baseline: baseline)
                let ratio = try #require(pair.ratio)
                #expect(abs(ratio - expected) <= fixture.tolerance.ud)
            }
        }
    }
}
