import FathomCore
import Testing

/// What poisons do to a network that is trained on them: put on clean test images of another
/// class, they make it see the class that they belong to.
@Suite("poisons fool who learns from them")
struct PoisonEffectTests {
    private typealias Fixtures = SurrogateFixtures
    private static let loud = ["epsilon": 32.0 / 255]

    static let effective: [MethodSettings] = [
        MethodSettings(name: "rand-c", numbers: loud),
        MethodSettings(name: "lsp", numbers: ["normFactor": 24.0 / 255]),
        MethodSettings(name: "ops"), MethodSettings(name: "pil", numbers: loud),
        MethodSettings(name: "cuda"),
        // Not stopped early, so that the patterns fill their budget.
        Fixtures.settings(
            "em-c",
            [
                "epsilon": 32.0 / 255, "trainSteps": 10, "subset": 0.5, "stopError": 0,
                "rounds": 12,
            ]),
        Fixtures.settings("em-s", ["epsilon": 32.0 / 255, "trainSteps": 10]),
    ]
    static let harmless: [MethodSettings] = [
        MethodSettings(name: "clean"), MethodSettings(name: "rand-s", numbers: loud),
    ]

    @Test("shortcuts are followed rather than what images show", arguments: effective)
    func shortcutsAreFollowed(settings: MethodSettings) throws {
        // Each of four classes would be seen in a quarter of images by chance.
        let share = try fooledShare(settings)
        #expect(share > 0.5, "\(settings.name) fools \(share)")
    }

    @Test("noise without a class fools nobody", arguments: harmless)
    func noiseIsNotFollowed(settings: MethodSettings) throws {
        let share = try fooledShare(settings)
        #expect(share < 0.4, "\(settings.name) fools \(share)")
    }

    /// The share of clean test images that a victim of the poison takes for the next class, once
    /// they carry what a training image of that class carries.
    private func fooledShare(_ settings: MethodSettings) throws -> Double {
        let poison = try Fixtures.craft(settings)
        let victim = try trained(on: poison.images)
        let test = PoisonFixtures.images(Fixtures.shape, count: 80, classes: 4, seed: 9)
        let targets = test.labels.map { ($0 + 1) % 4 }
        if settings.name == "cuda" {
            // It multiplies rather than adds, so the test images are blurred for other keys.
            let blurred = try PerturbationRegistry.craft(
                settings, images: test, keys: targets, seed: 1
            ).images.pixels.map { Float($0) / 255 }
            let fooled = victim.judge(blurred, targets: CraftTargets(targets)).count(
                where: \.isRight)
            return Double(fooled) / Double(test.count)
        }
        let size = Fixtures.shape.elements
        var shown: [Float] = []
        for (image, target) in targets.enumerated() {
            let donors = poison.images.labels.indices.filter {
                Fixtures.images.labels[$0] == target
            }
            let start = donors[image % donors.count] * size
            for element in 0..<size {
                let delta = poison.delta[start + element]
                let clean = Float(test.pixels[image * size + element]) / 255
                // A pixel that is set shows its colour; anything else is added.
                let isSet = settings.name == "ops" && delta != 0
                let level = Float(poison.images.pixels[start + element]) / 255
                shown.append(isSet ? level : min(max(clean + delta, 0), 1))
            }
        }
        let fooled = victim.judge(shown, targets: CraftTargets(targets)).count(where: \.isRight)
        return Double(fooled) / Double(test.count)
    }

    private func trained(on images: ImageSet) throws -> SurrogateNetwork {
        let trainer = Trainer(
            network: try Fixtures.network(),
            settings: TrainingSettings(epochs: 12, batch: 20, learningRate: 0.05), images: images,
            random: RandomStream(seed: 4))
        for _ in 0..<12 { _ = trainer.trainEpoch() }
        let victim = SurrogateNetwork(
            network: try Fixtures.network(), shape: Fixtures.shape, random: RandomStream(seed: 0))
        try victim.parameters.fill(from: trainer.state)
        return victim
    }
}
