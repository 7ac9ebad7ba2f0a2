import FathomCore
import Testing

/// Working memory is kept from one call to the next, and holds what the last one left.
@Suite("what a diverged network leaves behind")
struct LeftoverTests {
    @Test(
        "touches no later training: the same bits before and after",
        arguments: tinyModels + [
            ModelSettings(name: "smallcnn", width: 16), ModelSettings(name: "resnet18", width: 16),
        ])
    func leftovers(_ model: ModelSettings) throws {
        let before = try toyTrainer(model).parameters.named
        #expect(before.allSatisfy { $0.values.allSatisfy(\.isFinite) })
        let broken = try toyTrainer(model)
        for tensor in broken.parameters.named {
            broken.parameters[tensor.name] = Array(repeating: .nan, count: tensor.values.count)
        }
        _ = broken.trainEpoch()
        let after = try toyTrainer(model).parameters.named
        #expect(after.map(\.values) == before.map(\.values))
    }
}
