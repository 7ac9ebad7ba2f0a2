import FathomCore
import Testing

@Suite("Gradients against central differences")
struct GradientTests {
    @Test("every operator at odd sizes")
    func operators() {
        for one in GradientCheck.operators() {
            #expect(one.passed, "\(one.name): \(worst(one))")
        }
    }

    @Test(
        "every model at tiny width",
        arguments: [
            ModelSettings(name: "linear"), ModelSettings(name: "mlp"),
            ModelSettings(name: "lenet5"), ModelSettings(name: "smallcnn", width: 4),
            ModelSettings(name: "resnet18", width: 2), ModelSettings(name: "resnet34", width: 2),
            ModelSettings(name: "resnet50", width: 4), ModelSettings(name: "senet18", width: 4),
            ModelSettings(name: "mobilenetv2", width: 8),
            ModelSettings(name: "densenet121", width: 4),
            ModelSettings(name: "vit-small", width: 16),
        ])
    func models(_ settings: ModelSettings) throws {
        let cases = try GradientCheck.model(
            settings, channels: 2, height: 16, width: 16, classes: 5)
        for one in cases {
            #expect(one.passed, "\(one.name): \(worst(one))")
        }
    }

    private func worst(_ one: GoldenCase) -> String {
        one.checks.filter { $0.error > $0.tolerance }.prefix(5)
            .map { "\($0.what) \($0.error)" }.joined(separator: ", ")
    }
}
