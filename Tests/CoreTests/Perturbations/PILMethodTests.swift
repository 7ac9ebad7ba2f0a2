import FathomCore
import Testing

@Suite("perturbations made linear")
struct PILMethodTests {
    @Test("the closed-form gradient is that of the objective")
    func gradientAgrees() {
        let (size, classes) = (6, 4)
        var random = RandomStream(seed: 4)
        let weights = (0..<(size * classes)).map { _ in random.uniform(-2, 2) }
        let images = (0..<(2 * size)).map { _ in random.uniform() }
        var noise = (0..<(2 * size)).map { _ in random.uniform(-0.5, 0.5) }
        let objective = PILObjective(weights: weights, size: size, classes: classes)
        func value() -> Double {
            // `values` has means over the two images; the gradient is of each image's own.
            let values = objective.values(noise: noise, images: images, keys: [1, 3])
            return 2 * (0.9 * values.cross + 0.1 * values.divergence)
        }
        let gradient = objective.gradient(noise: noise, images: images, keys: [1, 3])
        for at in noise.indices {
            let kept = noise[at]
            noise[at] = kept + 4e-3
            let above = value()
            noise[at] = kept - 4e-3
            let below = value()
            let step = Double(Float(kept + 4e-3)) - Double(Float(kept - 4e-3))
            noise[at] = kept
            let slope = (above - below) / step
            // Single-precision logits differ by some 1e-7 over a step of 8e-3.
            #expect(abs(slope - Double(gradient[at])) < 1e-4, "\(slope) and \(gradient[at])")
        }
    }

    @Test(
        "noise learns to carry the key, the rest to carry nothing, and a probe reads it",
        arguments: [(PoisonFixtures.grey, 7), (PoisonFixtures.colour, 10)])
    func noiseCarriesTheKey(shape: ImageShape, classes: Int) throws {
        // Images whose classes a linear surrogate can learn well.
        let plain = PoisonFixtures.images(shape, count: 60 * classes, classes: classes)
        let images = try PerturbationRegistry.craft(
            MethodSettings(name: "lsp", numbers: ["normFactor": 0.15]), images: plain,
            keys: plain.labels, seed: 1
        ).images
        let poison = try PerturbationRegistry.craft(
            MethodSettings(name: "pil"), images: images, keys: images.labels, seed: 6)
        let numbers = poison.numbers
        #expect(numbers["noiseLossAfter"] ?? 9 < numbers["noiseLossBefore"] ?? 0)
        #expect(numbers["restDivergenceAfter"] ?? 9 < numbers["restDivergenceBefore"] ?? 0)
        #expect(numbers["probeHeldOut"] ?? 0 >= 0.99, "\(numbers)")
        #expect(poison.delta.allSatisfy { abs($0) <= 8.0 / 255 })
    }

    @Test("more steps lower the objective further")
    func stepsHelp() throws {
        let images = PoisonFixtures.images(PoisonFixtures.grey, count: 100, classes: 5)
        let losses = try [1.0, 5, 10, 30].map { steps in
            try PerturbationRegistry.craft(
                MethodSettings(name: "pil", numbers: ["steps": steps]), images: images,
                keys: images.labels, seed: 6
            ).numbers["noiseLossAfter"] ?? 0
        }
        #expect(losses == losses.sorted(by: >) && Set(losses).count == 4, "\(losses)")
    }
}
