import FathomCore
import Testing

/// A tiny backbone with a classifier and three dense heads, on toy images.
private struct ManyTasks {
    let images = toyImages(24)
    let network: Network

    init() throws {
        let heads = [
            HeadSettings(task: "cls", kind: .classifier(classes: 4)),
            HeadSettings(task: "depth", kind: .dense(channels: 1)),
            HeadSettings(task: "sem", kind: .dense(kind: .ae, channels: 3)),
            HeadSettings(task: "normal", kind: .dense(kind: .probe, channels: 3)),
        ]
        network = try ModelRegistry.network(
            ModelSettings(name: "resnet18", width: 2), heads: heads, channels: 1, height: 16,
            width: 16)
    }

    var classes: Objective.Term {
        Objective.Term(task: "cls", target: .classes(images.labels))
    }

    /// The image itself, without its darkest pixels.
    var depth: Objective.Term {
        Objective.Term(
            task: "depth",
            target: .planes(
                PlaneTarget(
                    values: images.pixels.map { Float($0) / 255 },
                    mask: images.pixels.map { $0 < 40 ? 0 : 1 }, loss: .absolute)), weight: 2)
    }

    var segments: Objective.Term {
        let labels = images.pixels.map { UInt8($0 < 20 ? 255 : Int($0) * 3 / 256) }
        return Objective.Term(task: "sem", target: .pixelClasses(labels))
    }

    var normals: Objective.Term {
        var random = RandomStream(seed: 5)
        let values = (0..<3 * images.pixels.count).map { _ in random.uniform(-1, 1) }
        return Objective.Term(
            task: "normal",
            target: .planes(
                PlaneTarget(values: values, loss: .cosine, flipTurnsFirstChannel: true)),
            weight: 0.5)
    }

    func objective(_ terms: Objective.Term...) throws -> Objective {
        try Objective(network: network, images: images, terms: terms)
    }

    func trainer(_ objective: Objective?, epochs: Int = 1) -> Trainer {
        let settings = TrainingSettings(
            epochs: epochs, batch: 10, learningRate: 0.02, augment: [.crop, .flip])
        let trainer = Trainer(
            network: network, settings: settings, images: images, random: RandomStream(seed: 2),
            objective: objective)
        for _ in 0..<epochs { _ = trainer.trainEpoch() }
        return trainer
    }

    func rows(
        _ trainer: Trainer, _ objective: Objective?, _ settings: SALSettings,
        cacheBytes: Int = 1 << 30
    ) -> [SALMeasurement] {
        let engine = SALEngine(
            network: network, parameters: trainer.parameters, images: images, settings: settings,
            cacheBytes: cacheBytes, objective: objective)
        return engine.measure(layers: 0..<engine.layerCount)
    }
}

@Suite("Objectives over several heads")
struct ObjectiveTests {
    @Test("training lowers a weighted sum of four losses, and tells each")
    func training() throws {
        let tasks = try ManyTasks()
        let objective = try tasks.objective(
            tasks.classes, tasks.depth, tasks.segments, tasks.normals)
        let trainer = tasks.trainer(objective)
        let first = try #require(trainer.epochSum)
        for _ in 0..<8 { _ = trainer.trainEpoch() }
        let last = try #require(trainer.epochSum)
        #expect(first.sums.count == 4 && last.mean < first.mean)
        let parts = zip([1, 2, 1, 0.5], last.sums).reduce(0.0) { $0 + $1.0 * $1.1.mean }
        #expect(abs(parts - last.mean) < 1e-12)
        let judged = Evaluator.evaluate(
            trainer.executor, under: objective, on: tasks.images, batch: 7)
        #expect(judged.isFinite && judged.sums[0].count == 24)
        #expect(judged.sums[1].count == tasks.images.pixels.count { $0 >= 40 })
    }

    @Test("what no loss depends on is not trained")
    func untouched() throws {
        let tasks = try ManyTasks()
        let trainer = tasks.trainer(try tasks.objective(tasks.depth))
        let fresh = ParameterSet(
            network: tasks.network, random: RandomStream(seed: 2).derived("weights"))
        for (name, _, values) in fresh.named {
            let isSame = trainer.parameters[name] == values
            let isForeign = ["linear.", "sem.", "normal."].contains { name.hasPrefix($0) }
            if isForeign { #expect(isSame, "\(name) moved") }
            if name.hasSuffix("conv1.weight") { #expect(!isSame, "\(name) did not move") }
        }
    }

    @Test("SAL of one task walks the backbone and its own head only")
    func oneTask() throws {
        let tasks = try ManyTasks()
        let trainer = tasks.trainer(
            try tasks.objective(tasks.classes, tasks.depth, tasks.segments, tasks.normals))
        let before = trainer.parameters.named.map(\.values)
        for solver in SALSettings.Solver.allCases {
            let settings = SALSettings(batch: 10, solver: solver, steps: 2, passes: 2)
            for term in [tasks.classes, tasks.depth, tasks.segments, tasks.normals] {
                let rows = tasks.rows(trainer, try tasks.objective(term), settings)
                for (row, layer) in zip(rows, tasks.network.measured) {
                    #expect(row.flag == nil && row.sal.isFinite)
                    let isOwn = layer.task == nil || layer.task == term.task
                    #expect(isOwn == (row.forwardEquivalents > 0), "\(term.task) \(row.layer)")
                    if !isOwn { #expect(row.sal == 0 && row.up.losses.isEmpty) }
                }
            }
        }
        #expect(trainer.parameters.named.map(\.values) == before, "the weights are put back")
    }

    @Test("SAL of the joint loss has the same bits with any cache, and no layer is left out")
    func jointLoss() throws {
        let tasks = try ManyTasks()
        let objective = try tasks.objective(
            tasks.classes, tasks.depth, tasks.segments, tasks.normals)
        let trainer = tasks.trainer(objective)
        for solver in SALSettings.Solver.allCases {
            let settings = SALSettings(batch: 10, solver: solver, steps: 2, passes: 1)
            let rows = tasks.rows(trainer, objective, settings)
            #expect(rows.allSatisfy { $0.forwardEquivalents > 0 && $0.flag == nil })
            #expect(rows.contains { $0.sal > 0 })
            #expect(Set(rows.map(\.originLoss)).count == 1)
            for bytes in [0, 80_000] {
                #expect(tasks.rows(trainer, objective, settings, cacheBytes: bytes) == rows)
            }
        }
    }

    @Test("one task of many measures as a network that has no other head")
    func sameAsAlone() throws {
        let tasks = try ManyTasks()
        let trainer = tasks.trainer(try tasks.objective(tasks.classes))
        let alone = try ModelRegistry.classifier(
            ModelSettings(name: "resnet18", width: 2), channels: 1, height: 16, width: 16,
            classes: 4)
        let parameters = ParameterSet(network: alone, random: RandomStream(seed: 0))
        for name in alone.parameterNames.map(\.name) { parameters[name] = trainer.parameters[name] }
        let settings = SALSettings(batch: 10, steps: 2)
        let engine = SALEngine(
            network: alone, parameters: parameters, images: tasks.images, settings: settings)
        let expected = engine.measure(layers: 0..<engine.layerCount)
        let rows = tasks.rows(trainer, nil, settings)
        for (row, other) in zip(rows, expected) {
            #expect(row.sal == other.sal && row.down == other.down && row.up == other.up)
        }
    }

    @Test("targets that do not fit are refused by their task")
    func refusals() throws {
        let tasks = try ManyTasks()
        let short = PlaneTarget(values: [1, 2], loss: .square)
        let wrong: [Objective.Term] = [
            Objective.Term(task: "edge", target: .classes(tasks.images.labels)),
            Objective.Term(task: "depth", target: .classes(tasks.images.labels)),
            Objective.Term(task: "depth", target: .planes(short)),
            Objective.Term(task: "cls", target: .classes([0, 1])),
            Objective.Term(task: "cls", target: .classes(tasks.images.labels), weight: 0),
            Objective.Term(task: "sem", target: .pixelClasses(tasks.images.pixels.map { _ in 3 })),
        ]
        for term in wrong {
            #expect(throws: Objective.Failure.self) { try tasks.objective(term) }
        }
        #expect(throws: Objective.Failure.self) {
            try tasks.objective(tasks.classes, tasks.classes)
        }
    }
}
