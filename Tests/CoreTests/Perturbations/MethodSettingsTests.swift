import FathomCore
import Testing

@Suite("method settings")
struct MethodSettingsResolutionTests {
    private func resolved(
        _ name: String, numbers: [String: Double] = [:], words: [String: String] = [:],
        side: Int = 28
    ) throws -> MethodSettings {
        try PerturbationRegistry.resolve(
            MethodSettings(name: name, numbers: numbers, words: words), channels: 1, height: side,
            width: side)
    }

    @Test("defaults are filled in, by size where they depend on it, and complete settings stay")
    func fillsDefaults() throws {
        #expect(
            try resolved("rand-s")
                == MethodSettings(
                    name: "rand-s", numbers: ["epsilon": 8.0 / 255], words: ["variant": "uniform"]))
        #expect(try resolved("lsp").numbers == ["patch": 7, "normFactor": 6.0 / 255])
        #expect(try resolved("lsp", side: 32).numbers["patch"] == 8)
        #expect(try resolved("clean").numbers.isEmpty)
        let gauss = try resolved("rand-c", words: ["variant": "gauss"])
        #expect(abs((gauss.numbers["radius"] ?? 0) - 0.25259) < 1e-5)
        #expect(gauss.numbers["epsilon"] == nil)
        for settings in [gauss, try resolved("ops"), try resolved("lsp")] {
            #expect(
                try resolved(settings.name, numbers: settings.numbers, words: settings.words)
                    == settings)
        }
    }

    @Test("what a method does not know or cannot take is refused with what would be right")
    func refusesWithHints() throws {
        func text(_ body: () throws -> Void) -> String {
            caught(MethodError.self, body)?.description ?? "nothing was refused"
        }
        #expect(text { _ = try resolved("rand") }.contains("rand-s"))
        #expect(
            text { _ = try resolved("rand-s", numbers: ["epslon": 1]) }
                .contains("did you mean epsilon?"))
        #expect(text { _ = try resolved("rand-s", numbers: ["epsilon": 8]) }.contains("...1.0"))
        #expect(
            text { _ = try resolved("rand-s", numbers: ["epsilon": .nan]) }.contains("must lie"))
        #expect(
            text { _ = try resolved("rand-s", words: ["variant": "gaus"]) }
                .contains("did you mean gauss?"))
        #expect(
            text { _ = try resolved("rand-s", numbers: ["variant": 1]) }
                .contains("one of uniform, sign, gauss"))
        #expect(text { _ = try resolved("ops", words: ["sparsity": "1"]) }.contains("a number"))
        #expect(text { _ = try resolved("ops", numbers: ["sparsity": 1.5]) }.contains("whole"))
        #expect(
            text { _ = try resolved("rand-s", numbers: ["radius": 1]) }
                .contains("only with variant gauss"))
        #expect(text { _ = try resolved("lsp", numbers: ["patch": 8]) }.contains("do not tile"))
        #expect(
            text { _ = try resolved("lsp", numbers: ["patch": 1], side: 64) }.contains("larger"))
        #expect(text { _ = try resolved("clean", numbers: ["epsilon": 1]) }.contains("it has none"))
    }

    @Test("every method has a revision, and every parameter a meaning")
    func registryIsComplete() throws {
        let names = [
            "clean", "rand-s", "rand-c", "label-noise", "random-labels", "lsp", "ops", "ar", "cuda",
            "pil", "em-s", "em-c", "tap", "hypo", "rem",
        ]
        #expect(PerturbationRegistry.names == names)
        for method in PerturbationRegistry.methods {
            #expect(try PerturbationRegistry.revision(of: method.name) == 1)
            #expect(!method.summary.isEmpty && method.parameters.allSatisfy { !$0.meaning.isEmpty })
        }
    }

    @Test("more keys than OPS or LSP can tell apart, and keys that do not match, are refused")
    func refusesUnsuitedKeys() {
        let shape = ImageShape(channels: 1, height: 2, width: 2)
        let images = PoisonFixtures.images(shape, count: 20, classes: 20)
        for name in ["ops", "lsp"] {
            #expect(throws: MethodError.self) {
                try PerturbationRegistry.craft(
                    MethodSettings(name: name), images: images, keys: images.labels, seed: 1)
            }
        }
        for keys in [[Int32](), [Int32](repeating: -1, count: 20)] {
            #expect(throws: MethodError.self) {
                try PerturbationRegistry.craft(
                    MethodSettings(name: "rand-c"), images: images, keys: keys, seed: 1)
            }
        }
    }
}
