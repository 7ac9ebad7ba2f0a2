import FathomCore
import Testing

@Suite("label methods")
struct LabelMethodTests {
    private let images = PoisonFixtures.images(PoisonFixtures.grey, count: 103, classes: 7)

    private func craft(_ name: String, _ numbers: [String: Double] = [:]) throws -> CraftedPoison {
        try PerturbationRegistry.craft(
            MethodSettings(name: name, numbers: numbers), images: images, keys: images.labels,
            seed: 5)
    }

    @Test(
        "label noise gives exactly its share of every class another label",
        arguments: [0.25, 0.5, 0.75])
    func noiseIsExact(rate: Double) throws {
        let poison = try craft("label-noise", ["rate": rate])
        #expect(poison.images.pixels == images.pixels)
        for label in Int32(0)..<7 {
            let members = images.labels.indices.filter { images.labels[$0] == label }
            let changed = members.count { poison.images.labels[$0] != label }
            #expect(changed == Int((rate * Double(members.count)).rounded()), "class \(label)")
        }
        let others = Set(
            zip(poison.images.labels, images.labels).filter { $0 != $1 }.map { $0.0 })
        #expect(others.count == 7, "every class is drawn as a wrong label")
    }

    @Test("rates 0 and 1 change no label and all of them")
    func extremeRates() throws {
        #expect(try craft("label-noise", ["rate": 0]).images.labels == images.labels)
        let all = try craft("label-noise", ["rate": 1])
        #expect(zip(all.images.labels, images.labels).allSatisfy { $0 != $1 })
        #expect(all.numbers["changedLabels"] == 1)
    }

    @Test("random labels are drawn from all classes, some of them right by chance")
    func randomLabels() throws {
        let poison = try craft("random-labels")
        let right = zip(poison.images.labels, images.labels).count { $0 == $1 }
        // One in seven of 103: 14.7 with a deviation of 3.6.
        #expect((4...26).contains(right))
        #expect(Set(poison.images.labels).count == 7)
        #expect(poison.images.pixels == images.pixels)
    }
}
