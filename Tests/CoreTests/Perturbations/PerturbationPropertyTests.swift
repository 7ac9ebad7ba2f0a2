import FathomCore
import Testing

@Suite("the property suite")
struct PerturbationPropertyTests {
    @Test("every method keeps P1 to P8", arguments: PoisonCase.all)
    func propertiesHold(example: PoisonCase) throws {
        let images = example.images
        let poison = try PerturbationRegistry.craft(
            example.settings, images: images, keys: images.labels, seed: 42)
        try PerturbationProperties.check(
            poison, of: images, keys: images.labels, settings: example.settings, seed: 42,
            standardErrors: 3)
    }

    @Test("sizes that no method was made for work as well: 2 channels, 3 classes, 12x20")
    func unusualShapes() throws {
        let shape = ImageShape(channels: 2, height: 12, width: 20)
        let images = PoisonFixtures.images(shape, count: 90, classes: 3)
        let keys = images.labels.map { 2 - $0 }
        // Those with a network have tests of their own.
        for name in PerturbationRegistry.names.prefix(10) {
            let settings = MethodSettings(name: name)
            let poison = try PerturbationRegistry.craft(
                settings, images: images, keys: keys, seed: 9)
            try PerturbationProperties.check(
                poison, of: images, keys: keys, settings: settings, seed: 9)
        }
    }

    /// The property that refuses a poison after `tamper` had its way with it.
    private func broken(
        _ name: String, numbers: [String: Double] = [:], tamper: (inout CraftedPoison) -> Void
    ) throws -> PropertyViolation.Property? {
        let images = PoisonFixtures.images(PoisonFixtures.grey, count: 600, classes: 10)
        let settings = MethodSettings(name: name, numbers: numbers)
        var poison = try PerturbationRegistry.craft(
            settings, images: images, keys: images.labels, seed: 1)
        tamper(&poison)
        return caught(PropertyViolation.self) {
            try PerturbationProperties.check(
                poison, of: images, keys: images.labels, settings: settings, seed: 1)
        }?.property
    }

    @Test("a poison that was tampered with breaks the property that it should")
    func tamperingShows() throws {
        #expect(try broken("rand-s") { _ in } == nil)
        #expect(try broken("rand-s") { $0.images.labels[0] = 5 } == .range)
        #expect(try broken("rand-s") { $0.images.pixels[900] ^= 0x80 } == .range)
        #expect(try broken("rand-s") { $0.delta[3] = .nan } == .range)
        #expect(try broken("rand-s") { $0.numbers["probeHeldOut"] = 0.9 } == .probe)
        #expect(try broken("rand-c") { $0.numbers["probeHeldOut"] = 0.9 } == .probe)
        #expect(try broken("clean") { $0.words["probe"] = nil } == .probe)
        #expect(try broken("rand-s", numbers: ["epsilon": 1 / 255.0]) { _ in } == .effect)
    }

    /// Replaces one number of the perturbation, and the pixel with it.
    private func replace(_ poison: inout CraftedPoison, at index: Int, clean: UInt8, by: Float) {
        poison.delta[index] = by
        poison.images.pixels[index] = UInt8(min(max(Float(clean) + 255 * by, 0), 255) + 0.5)
    }

    @Test("numbers beyond the budget, and patterns that differ within a key, are seen")
    func changedNumbersShow() throws {
        let images = PoisonFixtures.images(PoisonFixtures.grey, count: 600, classes: 10)
        let at = 11 * 784 + 400
        let clean = images.pixels[at]
        #expect(
            try broken("rand-s") { replace(&$0, at: at, clean: clean, by: 20 / 255) } == .budget)
        #expect(try broken("lsp") { replace(&$0, at: at, clean: clean, by: 0.3) } == .budget)
        #expect(
            try broken("ops") { poison in
                replace(&poison, at: at, clean: clean, by: 0.3)
                replace(&poison, at: at + 1, clean: images.pixels[at + 1], by: 0.3)
            } == .budget)
        #expect(
            try broken("rand-c") { replace(&$0, at: at, clean: clean, by: 0.001) }
                == .keyConsistency)
        #expect(
            try broken("rand-s") { replace(&$0, at: at, clean: clean, by: 0.001) } == .determinism)
    }
}
