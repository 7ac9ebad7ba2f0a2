import FathomCore
import Testing

@Suite("Fast kernels against plain loops")
struct KernelTests {
    @Test("products and convolutions at odd shapes, and each image for itself")
    func kernels() {
        for one in KernelCheck.all() {
            #expect(one.passed, "\(one.name): \(failures(one))")
        }
    }

    @Test("layers run together give the bits of one after the other", arguments: tinyModels)
    func fusion(_ model: ModelSettings) throws {
        let one = try FusionCheck.check(model, channels: 3, height: 16, width: 16, classes: 4)
        #expect(one.passed, "\(one.name): \(failures(one))")
    }

    private func failures(_ one: GoldenCase) -> String {
        one.checks.filter { !$0.passed }.prefix(5).map { "\($0.what) \($0.error)" }
            .joined(separator: ", ")
    }
}
