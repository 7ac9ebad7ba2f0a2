import FathomCore
import Foundation
import Testing

/// Six images of three classes with a linear classifier, whose logits are its bias.
private struct BiasBench {
    static let classes = 3
    let images: ImageSet
    let network: Network
    var target: ShareTarget

    init(_ loss: ShareTarget.Loss) throws {
        NumericClass.enterSlot()
        var random = RandomStream(seed: 4)
        let pixels = (0..<(6 * 64)).map { _ in UInt8(random.integer(below: 256)) }
        images = ImageSet(
            channels: 1, height: 8, width: 8, classCount: 3, pixels: pixels,
            labels: [0, 1, 2, 0, 1, 2], indices: Array(0..<6))
        network = try ModelRegistry.classifier(
            ModelSettings(name: "linear"), channels: 1, height: 8, width: 8, classes: 3)
        let values = (0..<6).flatMap { _ -> [Float] in
            let raw = (0..<3).map { _ in random.uniform(0.1, 1) }
            return raw.map { $0 / raw.reduce(0, +) }
        }
        target = ShareTarget(values: values, labels: images.labels, loss: loss)
    }

    var objective: Objective {
        get throws {
            try Objective(
                network: network, images: images,
                terms: [.init(task: network.heads[0].task, target: .shares(target))])
        }
    }

    /// Without momentum or decay a step is the gradient itself.
    func trainer(defense: String = "none", under objective: Objective? = nil) throws -> Trainer {
        Trainer(
            network: network,
            settings: TrainingSettings(
                epochs: 1, batch: 6, learningRate: 1, momentum: 0, weightDecay: 0),
            images: images, random: RandomStream(seed: 7),
            objective: try objective ?? self.objective,
            defense: try DefenseRegistry.training(DefenseSettings(name: defense), on: images))
    }

    /// The mean loss where every image's logits are `bias`.
    func loss(_ bias: [Float]) throws -> ObjectiveSum {
        let trainer = try trainer()
        var state = trainer.state
        for index in state.arrays.indices {
            state.arrays[index].values =
                state.arrays[index].shape == [3] ? bias : state.arrays[index].values.map { _ in 0 }
        }
        try trainer.restore(state)
        return Evaluator.evaluate(trainer.executor, under: try objective, on: images, batch: 4)
    }
}

@Suite("losses that a task may be learned by")
struct TaskLossTests {
    private func slopes(
        _ places: Int, _ make: () throws -> Trainer
    ) throws -> [(analytic: Double, numeric: Double)] {
        let order = Array(0..<6)
        let trainer = try make()
        let bias = try #require(trainer.parameters.named.lastIndex { $0.shape == [places] })
        let before = trainer.parameters.named[bias].values
        _ = trainer.step(order[...])
        let after = trainer.parameters.named[bias].values
        func loss(_ change: Float, _ place: Int) throws -> Double {
            let trainer = try make()
            var state = trainer.state
            let name = trainer.parameters.named[bias].name
            let index = try #require(state.arrays.firstIndex { $0.name == name })
            state.arrays[index].values[place] += change
            try trainer.restore(state)
            return trainer.step(order[...]).mean
        }
        return try (0..<places).map { place in
            let slope = try (loss(0.01, place) - loss(-0.01, place)) / 0.02
            return (Double(before[place] - after[place]), slope)
        }
    }

    @Test("a share of every class: worked out by hand")
    func byHand() throws {
        var bench = try BiasBench(.crossEntropy)
        bench.target.values = Array(repeating: [0.7, 0.2, 0.1], count: 6).flatMap { $0 }
        let bias: [Float] = [1, 0, -1]
        let logSum = log(exp(1.0) + 1 + exp(-1.0))
        let soft = try bench.loss(bias)
        #expect(abs(soft.mean - (logSum - 0.7 * 1 + 0.1)) < 1e-6)
        // Class 0 stands on top, which two of six images are of.
        #expect(abs(soft.accuracy - 1.0 / 3) < 1e-12)
        bench.target.loss = .square
        let square = try bench.loss(bias)
        #expect(abs(square.mean - (0.3 * 0.3 + 0.2 * 0.2 + 1.1 * 1.1) / 3) < 1e-6)
    }

    @Test("all of it on one class is the cross-entropy of that class")
    func oneHot() throws {
        var bench = try BiasBench(.crossEntropy)
        bench.target.values = bench.images.labels.flatMap { label in
            (0..<3).map { $0 == Int(label) ? 1 : 0 }
        }
        let classes = try Objective(
            network: bench.network, images: bench.images,
            terms: [
                .init(task: bench.network.heads[0].task, target: .classes(bench.images.labels))
            ])
        for defense in ["none", "mixup", "ueraser", "at"] {
            let hard = try bench.trainer(defense: defense, under: classes)
            let soft = try bench.trainer(defense: defense)
            let order = Array(0..<6)
            let (one, other) = (hard.step(order[...]), soft.step(order[...]))
            #expect(abs(one.mean - other.mean) < 1e-6, "\(defense)")
            #expect(one.correct == other.correct, "\(defense)")
            for (left, right) in zip(hard.parameters.named, soft.parameters.named) {
                for (a, b) in zip(left.values, right.values) {
                    #expect(abs(a - b) < 1e-5, "\(defense) \(left.name)")
                }
            }
        }
    }

    @Test(
        "gradients are those of central differences, of mixed images too",
        arguments: ["none", "mixup"], [ShareTarget.Loss.crossEntropy, .square])
    func gradients(defense: String, loss: ShareTarget.Loss) throws {
        let bench = try BiasBench(loss)
        for (analytic, numeric) in try slopes(3, { try bench.trainer(defense: defense) }) {
            #expect(abs(analytic - numeric) < 1e-4, "\(analytic), not \(numeric)")
        }
    }

    @Test("shares that do not fit are refused")
    func refused() throws {
        var bench = try BiasBench(.crossEntropy)
        bench.target.values[0] = -1
        #expect(throws: Objective.Failure.self) { try bench.objective }
        bench.target.values = [1]
        #expect(throws: Objective.Failure.self) { try bench.objective }
    }

    // MARK: Weights of pixels' classes

    private static let renderer = RoomsRenderer(RoomsSettings())
    private static let weights: [Float] = [0.5, 2, 1, 4, 8, 3, 6, 7]

    private func segmentation(_ weights: [Float]?) throws -> (Network, ImageSet, Objective) {
        NumericClass.enterSlot()
        let images = Self.renderer.images(.train, Array(0..<6))
        let maps = Self.renderer.maps(.train, images.indices)
        let network = try ModelRegistry.network(
            ModelSettings(name: "smallcnn", width: 2),
            heads: [TaskKind.sem.head(channels: 3, classes: 10)],
            channels: 3, height: 32, width: 32)
        let objective = try Objective(
            network: network, images: images,
            terms: [.init(task: "sem", target: .pixelClasses(maps.semantic, weights: weights))])
        return (network, images, objective)
    }

    @Test("heavy classes count more: the weighed mean, its gradient, and nothing for weights of 1")
    func weighedPixels() throws {
        func trainer(_ weights: [Float]?) throws -> Trainer {
            let (network, images, objective) = try segmentation(weights)
            return Trainer(
                network: network,
                settings: TrainingSettings(
                    epochs: 1, batch: 6, learningRate: 1, momentum: 0, weightDecay: 0),
                images: images, random: RandomStream(seed: 7), objective: objective)
        }
        for (analytic, numeric) in try slopes(8, { try trainer(Self.weights) }) {
            #expect(abs(analytic - numeric) < 1e-3, "\(analytic), not \(numeric)")
        }
        let ones = [Float](repeating: 1, count: 8)
        let order = Array(0..<6)
        let plain = try trainer(nil).step(order[...]).mean
        #expect(try trainer(ones).step(order[...]).mean == plain)
        #expect(try trainer(ones.map { $0 * 4 }).step(order[...]).mean == plain)
        #expect(try trainer(Self.weights).step(order[...]).mean != plain)
    }

    @Test("the mean over a set is that of all its pixels, however they fall into batches")
    func weighedMean() throws {
        let (network, images, objective) = try segmentation(Self.weights)
        let executor = Executor(
            network: network,
            parameters: ParameterSet(network: network, random: RandomStream(seed: 1)))
        let whole = Evaluator.evaluate(executor, under: objective, on: images, batch: 6)
        let parts = Evaluator.evaluate(executor, under: objective, on: images, batch: 1)
        #expect(abs(whole.mean - parts.mean) < 1e-6)
        // Lone images weigh differently, so that the mean of their means is another number.
        let lone = try (0..<6).map { image -> Double in
            let one = images.selecting([image])
            let maps = Self.renderer.maps(.train, one.indices)
            let objective = try Objective(
                network: network, images: one,
                terms: [
                    .init(
                        task: "sem", target: .pixelClasses(maps.semantic, weights: Self.weights))
                ])
            return Evaluator.evaluate(executor, under: objective, on: one, batch: 1).mean
        }
        #expect(abs(lone.reduce(0, +) / 6 - whole.mean) > 1e-6)
        #expect(throws: Objective.Failure.self) { try segmentation([1, 2]) }
        #expect(throws: Objective.Failure.self) {
            try segmentation([0] + Self.weights.dropFirst())
        }
    }

    // MARK: Directions

    /// Rooms with a head whose predictions are its bias, and what it makes of one.
    private func normals(_ bias: [Float]? = nil) throws -> Trainer {
        NumericClass.enterSlot()
        let images = Self.renderer.images(.train, Array(0..<6))
        let settings = TaskSettings([.normal], losses: [.absolute])
        let network = try ModelRegistry.network(
            ModelSettings(name: "smallcnn", width: 2),
            heads: settings.heads(channels: 3, classes: 10),
            channels: 3, height: 32, width: 32)
        let targets = TaskTargets(
            of: [.normal], images: images, labels: images.labels,
            maps: Self.renderer.maps(.train, images.indices),
            clips: ClipConstants(edge: 1, keypoint: 1), losses: settings.otherLosses)
        let trainer = Trainer(
            network: network,
            settings: TrainingSettings(
                epochs: 1, batch: 6, learningRate: 1, momentum: 0, weightDecay: 0),
            images: images, random: RandomStream(seed: 7),
            objective: try settings.objective(network: network, images: images, targets: targets))
        guard let bias else { return trainer }
        var state = trainer.state
        for index in state.arrays.indices {
            let array = state.arrays[index]
            state.arrays[index].values = array.shape == [3] ? bias : array.values.map { _ in 0 }
        }
        try trainer.restore(state)
        return trainer
    }

    @Test("normals by L1: of any length, worked out by hand, and its slopes")
    func directions() throws {
        let maps = Self.renderer.maps(.train, Array(0..<6))
        let order = Array(0..<6)
        let plane = 32 * 32
        var (sum, count) = (0.0, 0)
        for image in 0..<6 {
            for pixel in 0..<plane where maps.valid[image * plane + pixel] != 0 {
                for (channel, unit) in [0.6, 0, 0.8].enumerated() {
                    let target = maps.normals[(image * 3 + channel) * plane + pixel]
                    sum += abs(unit - Double(target))
                    count += 1
                }
            }
        }
        let long = try normals([3, 0, 4]).step(order[...])
        let short = try normals([0.3, 0, 0.4]).step(order[...])
        #expect(abs(long.mean - sum / Double(count)) < 1e-5)
        #expect(abs(long.mean - short.mean) < 1e-6 && long.count == count)
        for (analytic, numeric) in try slopes(3, { try normals() }) {
            #expect(abs(analytic - numeric) < 5e-3, "\(analytic), not \(numeric)")
        }
    }

    // MARK: Names

    @Test("names say task and loss, alone and among others")
    func names() throws {
        let all = [
            TaskSettings([.cls], losses: [.soft]), TaskSettings([.cls], losses: [.square]),
            TaskSettings([.sem], losses: [.prior]),
            TaskSettings([.cls, .sem, .depth], losses: [.soft, .prior, .usual], weighting: .dwa),
            TaskSettings([.depth, .normal], losses: [.usual, .absolute]),
        ]
        #expect(
            all.map(\.text) == [
                "cls.soft", "cls.mse", "sem.prior", "joint@cls.soft+sem.prior+depth:dwa",
                "joint@depth+normal.l1",
            ])
        for settings in all.flatMap(\.measurements) {
            #expect(TaskSettings(text: settings.text) == settings, "\(settings.text)")
        }
        #expect(all[3].measurements[0].text == "cls@cls.soft+sem.prior+depth:dwa")
        #expect(all.allSatisfy { !$0.isPlainClassification })
        for wrong in ["cls.prior", "sem.soft", "depth.mse", "cls.", "cls.usual", "cls.soft+cls"] {
            #expect(TaskSettings(text: wrong) == nil, "\(wrong)")
        }
        let rooms = try DataSetCatalog.open(name: "rooms10-easy").facts
        let told = try all.prefix(4).map { try #require($0.problem(with: rooms)) }
        #expect(all[4].problem(with: rooms) == nil)
        #expect(told[0].hasPrefix("cls.soft needs to know how likely each class of an image is"))
        #expect(told[2].hasPrefix("sem.prior needs weights of the pixels' classes"))
    }
}
