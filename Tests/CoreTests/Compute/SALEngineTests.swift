import FathomCore
import Testing

/// Random images whose class shows in the brightness of one quadrant.
func toyImages(_ count: Int, channels: Int = 1, side: Int = 16, classes: Int = 4) -> ImageSet {
    var random = RandomStream(seed: 7)
    var pixels: [UInt8] = []
    let labels = (0..<count).map { Int32($0 % classes) }
    for label in labels {
        for _ in 0..<channels {
            for row in 0..<side {
                for column in 0..<side {
                    let quadrant = (row * 2 / side) * 2 + column * 2 / side
                    let light: Float = quadrant == Int(label) ? 150 : 60
                    pixels.append(UInt8(light + random.uniform(-50, 50)))
                }
            }
        }
    }
    return ImageSet(
        channels: channels, height: side, width: side, classCount: classes, pixels: pixels,
        labels: labels, indices: Array(labels.indices))
}

/// A network trained for two epochs on toy images.
func toyTrainer(
    _ model: ModelSettings, channels: Int = 1, settings: TrainingSettings? = nil,
    images: ImageSet? = nil
) throws -> Trainer {
    let network = try ModelRegistry.classifier(
        model, channels: channels, height: 16, width: 16, classes: 4)
    let training =
        settings
        ?? TrainingSettings(epochs: 2, batch: 16, learningRate: 0.02, momentum: 0.9)
    let trainer = Trainer(
        network: network, settings: training, images: images ?? toyImages(64, channels: channels),
        random: RandomStream(seed: 3))
    for _ in 0..<training.epochs { _ = trainer.trainEpoch() }
    return trainer
}

/// Tiny versions of all networks.
let tinyModels = [
    ModelSettings(name: "linear"), ModelSettings(name: "linear12"), ModelSettings(name: "mlp"),
    ModelSettings(name: "lenet5"),
    ModelSettings(name: "smallcnn", width: 4), ModelSettings(name: "resnet18", width: 2),
    ModelSettings(name: "resnet34", width: 2), ModelSettings(name: "resnet50", width: 2),
    ModelSettings(name: "senet18", width: 4), ModelSettings(name: "mobilenetv2", width: 4),
    ModelSettings(name: "densenet121", width: 4), ModelSettings(name: "vit-small", width: 16),
]

@Suite("SAL engine")
struct SALEngineTests {
    private func engine(
        _ trainer: Trainer, _ settings: SALSettings, channels: Int = 1, cacheBytes: Int = 1 << 30
    ) -> SALEngine {
        SALEngine(
            network: trainer.executor.network, parameters: trainer.parameters,
            images: toyImages(24, channels: channels), settings: settings, cacheBytes: cacheBytes)
    }

    @Test("one training and SAL of every model gives finite, ordered values", arguments: tinyModels)
    func everyModel(_ model: ModelSettings) throws {
        let trainer = try toyTrainer(model)
        let before = trainer.parameters.named.map(\.values)
        for solver in SALSettings.Solver.allCases {
            let settings = SALSettings(batch: 10, solver: solver, steps: 2, passes: 2)
            let engine = engine(trainer, settings)
            let rows = engine.measure(layers: 0..<engine.layerCount)
            #expect(rows.count == trainer.executor.network.measured.count)
            for row in rows {
                #expect(row.sal.isFinite && row.sal >= 0 && row.sMax >= 0 && row.sMin >= 0)
                #expect(row.sal == max(row.sMax, row.sMin))
                #expect(row.down.radii.allSatisfy { $0 <= settings.radius * 1.0001 })
                #expect(row.forwardEquivalents > 0)
            }
        }
        #expect(trainer.parameters.named.map(\.values) == before, "the weights are put back")
    }

    @Test("layers measured alone, in any order or without a cache, have the same bits")
    func grouping() throws {
        for model in [ModelSettings(name: "resnet18", width: 2), ModelSettings(name: "lenet5")] {
            let trainer = try toyTrainer(model)
            let settings = SALSettings(batch: 10, solver: .reference, passes: 2)
            let whole = engine(trainer, settings)
            let expected = whole.measure(layers: 0..<whole.layerCount)
            let alone = engine(trainer, settings, cacheBytes: 0)
            for layer in (0..<alone.layerCount).reversed() {
                #expect(alone.measure(layer: layer) == expected[layer])
            }
            let half = engine(trainer, settings, cacheBytes: 60_000)
            #expect(half.measure(layers: 0..<half.layerCount) == expected)
        }
    }

    @Test("in the last linear layer the loss is convex: s_min <= radius |W| |g| <= s_max")
    func convexity() throws {
        let trainer = try toyTrainer(ModelSettings(name: "lenet5"))
        let settings = SALSettings(batch: 24, solver: .normalized, steps: 1, radius: 0.02)
        let engine = engine(trainer, settings)
        let row = engine.measure(layer: engine.layerCount - 1)
        #expect(row.down.reachedAt == 1 && row.up.reachedAt == 1)
        #expect(row.sMin <= row.sMax)
    }

    @Test("the order of images does not matter to the normalised solver, up to rounding")
    func permutation() throws {
        let trainer = try toyTrainer(ModelSettings(name: "lenet5"))
        let settings = SALSettings(batch: 24, solver: .normalized, steps: 3)
        let images = toyImages(24)
        let turned = images.selecting(Array((0..<24).reversed()))
        let rows = [images, turned].map { set in
            SALEngine(
                network: trainer.executor.network, parameters: trainer.parameters, images: set,
                settings: settings
            ).measure(layers: 0..<5)
        }
        for (a, b) in zip(rows[0], rows[1]) {
            #expect(abs(a.sal - b.sal) <= 1e-4 * (1e-2 + abs(b.sal)))
        }
    }

    @Test("a filter's walk moves that filter only and stays within its own ball")
    func filters() throws {
        let trainer = try toyTrainer(ModelSettings(name: "lenet5"))
        let engine = engine(trainer, SALSettings(batch: 24, steps: 2))
        let whole = engine.measure(layer: 1)
        let filter = engine.measure(layer: 1, filter: 3)
        #expect(filter.weightCount * 16 == whole.weightCount)
        #expect(filter.sal.isFinite && filter.sal < whole.sal)
    }

    @Test("a layer of zeros is degenerate, a network of NaN is diverged, and neither is a number")
    func flags() throws {
        let trainer = try toyTrainer(ModelSettings(name: "lenet5"))
        trainer.parameters["conv2.weight"] = Array(repeating: 0, count: 6 * 16 * 25)
        let flat = engine(trainer, SALSettings(batch: 24)).measure(layer: 1)
        #expect(flat.flag == "degenerate" && flat.sal == 0)
        trainer.parameters["conv1.weight"] = Array(repeating: .nan, count: 150)
        let broken = engine(trainer, SALSettings(batch: 24)).measure(layer: 2)
        #expect(broken.flag == "diverged" && broken.sal == 0 && broken.originLoss == 0)
    }

    @Test("a settled walk ends early and says no less than it saw")
    func settling() throws {
        let trainer = try toyTrainer(ModelSettings(name: "lenet5"))
        var settings = SALSettings(batch: 8, solver: .reference, passes: 30)
        let full = engine(trainer, settings).measure(layer: 4)
        settings.settle = 0.5
        let short = engine(trainer, settings).measure(layer: 4)
        #expect(short.up.losses.count < full.up.losses.count)
        #expect(Array(full.up.losses.prefix(short.up.losses.count)) == short.up.losses)
    }

    @Test("steps a pass go round the batches; one round is the default")
    func stepsPerPass() throws {
        let trainer = try toyTrainer(ModelSettings(name: "lenet5"))
        var settings = SALSettings(batch: 8, solver: .reference, passes: 2)
        let usual = engine(trainer, settings).measure(layer: 2)
        settings.stepsPerPass = 3
        #expect(engine(trainer, settings).measure(layer: 2) == usual)
        settings.stepsPerPass = 7
        let longer = engine(trainer, settings).measure(layer: 2)
        #expect(longer.up.losses.count == 2 && longer.up.radii[0] >= usual.up.radii[0])
        #expect(longer.forwardEquivalents > usual.forwardEquivalents)
    }

    @Test("later steps are half a radius long unless said otherwise; the first is the same")
    func laterSteps() throws {
        let trainer = try toyTrainer(ModelSettings(name: "lenet5"))
        var settings = SALSettings(batch: 8)
        let usual = engine(trainer, settings).measure(layer: 2)
        settings.laterSteps = 0.5
        #expect(engine(trainer, settings).measure(layer: 2) == usual)
        settings.laterSteps = 0.25
        let shorter = engine(trainer, settings).measure(layer: 2)
        #expect(shorter.up.losses.count == usual.up.losses.count)
        #expect(shorter.up.losses[0] == usual.up.losses[0])
        #expect(shorter.up.losses[1] != usual.up.losses[1])
    }

    @Test("training loss as origin shifts both extremes by the same number")
    func originOfTraining() throws {
        let trainer = try toyTrainer(ModelSettings(name: "lenet5"))
        let plain = engine(trainer, SALSettings(batch: 24)).measure(layer: 3)
        var settings = SALSettings(batch: 24)
        settings.origin = .training
        let shifted = SALEngine(
            network: trainer.executor.network, parameters: trainer.parameters,
            images: toyImages(24), settings: settings, trainingLoss: plain.originLoss - 0.01
        ).measure(layer: 3)
        #expect(abs(shifted.sMax - plain.sMax - 0.01) < 1e-12)
        #expect(shifted.up == plain.up)
    }
}
