import FathomCore
import Testing

@Suite("Loss landscapes")
struct LandscapeTests {
    private let images = toyImages(24)

    private func settings(
        _ plane: LandscapeSettings.Plane, points: Int = 5, reach: Double = 0.5
    ) -> LandscapeSettings {
        LandscapeSettings(plane: plane, points: points, reach: reach, images: 24, batch: 10)
    }

    private func plane(_ trainer: Trainer, seed: UInt64 = 1, points: Int = 5) -> LossPlane {
        .random(
            around: trainer.parameters, settings: settings(.random, points: points),
            random: RandomStream(seed: seed))
    }

    private func engine(_ trainer: Trainer, _ plane: LossPlane, points: Int = 5) -> LandscapeEngine
    {
        LandscapeEngine(
            network: trainer.executor.network, parameters: trainer.parameters, plane: plane,
            images: images, settings: settings(.random, points: points), epoch: 2)
    }

    /// A run's states after each of some epochs.
    private func states(_ model: ModelSettings, epochs: Int) throws -> (Network, [TrainingState]) {
        let settings = TrainingSettings(
            epochs: epochs, batch: 16, learningRate: 0.05, momentum: 0.9)
        let network = try ModelRegistry.classifier(
            model, channels: 1, height: 16, width: 16, classes: 4)
        let trainer = Trainer(
            network: network, settings: settings, images: toyImages(64),
            random: RandomStream(seed: 3))
        return (
            network,
            (0..<epochs).map { _ in
                _ = trainer.trainEpoch()
                return trainer.state
            }
        )
    }

    private func norm(_ values: some Sequence<Float>) -> Double {
        values.reduce(0) { $0 + Double($1) * Double($1) }.squareRoot()
    }

    @Test(
        "every filter of a random direction is as long as the network's own, and nothing else moves",
        arguments: [
            ModelSettings(name: "lenet5"), ModelSettings(name: "smallcnn", width: 4),
            ModelSettings(name: "vit-small", width: 16),
        ])
    func filterNorms(_ model: ModelSettings) throws {
        let trainer = try toyTrainer(model)
        let directions = plane(trainer).directions
        for axis in [directions.x, directions.y] {
            for (parameter, numbers) in zip(trainer.parameters.named, axis) {
                let moves = parameter.shape.count > 1
                #expect((numbers != nil) == moves, "\(parameter.name)")
                guard let numbers else { continue }
                let size = numbers.count / parameter.shape[0]
                for start in stride(from: 0, to: numbers.count, by: size) {
                    let (own, other) = (
                        norm(parameter.values[start..<start + size]),
                        norm(numbers[start..<start + size])
                    )
                    #expect(abs(own - other) <= 1e-6 + 1e-5 * own, "\(parameter.name) \(start)")
                }
            }
        }
    }

    @Test("equal streams give equal directions, others give others")
    func determinism() throws {
        let trainer = try toyTrainer(ModelSettings(name: "lenet5"))
        let first = plane(trainer).directions
        #expect(plane(trainer).directions.x == first.x)
        #expect(plane(trainer).directions.y == first.y)
        #expect(first.x != first.y)
        #expect(plane(trainer, seed: 2).directions.x != first.x)
    }

    /// Worked out in Python from the rules of `RandomStream` and the formula.
    @Test("directions keep their numbers: a change of them needs another revision of landscapes")
    func golden() throws {
        let network = try ModelRegistry.classifier(
            ModelSettings(name: "linear12"), channels: 1, height: 16, width: 16, classes: 4)
        let plane = LossPlane.random(
            around: ParameterSet(network: network, random: RandomStream(seed: 5)),
            settings: settings(.random), random: RandomStream(seed: 7))
        let expected: [[Float]] = [
            [0.16300411763661599, 0.02249526415425701, -0.055758301348770634],
            [0.0998749141213845, -0.07138784964503009, 0.13785287902691393],
        ]
        for (axis, numbers) in zip([plane.directions.x, plane.directions.y], expected) {
            let weights = try #require(axis[0])
            for (index, number) in zip([0, 13, 47], numbers) {
                #expect(abs(weights[index] - number) < 1e-6, "\(index): \(weights[index])")
            }
            #expect(axis[1] == nil)
        }
    }

    @Test("the centre has the checkpoint's loss, bit for bit, and the weights are put back")
    func centre() throws {
        let trainer = try toyTrainer(ModelSettings(name: "smallcnn", width: 4))
        let before = trainer.parameters.named.map(\.values)
        let expected = Evaluator.evaluate(trainer.executor, on: images, batch: 10)
        let engine = engine(trainer, plane(trainer))
        let points = engine.points(0..<25)
        #expect(points.map(\.entry) == Array(0..<25))
        #expect(points[12].x == 0 && points[12].y == 0)
        #expect(points[12].loss?.bitPattern == expected.mean.bitPattern)
        #expect(points[12].accuracy == expected.accuracy)
        #expect(engine.report.loss?.bitPattern == expected.mean.bitPattern)
        #expect(points.filter { $0.loss == points[12].loss }.count == 1)
        #expect(points[0].x == -0.5 && points[0].y == -0.5 && points[24].x == 0.5)
        #expect(trainer.parameters.named.map(\.values) == before)
    }

    @Test("points have the same bits however they are grouped")
    func grouping() throws {
        let trainer = try toyTrainer(ModelSettings(name: "resnet18", width: 2))
        let together = engine(trainer, plane(trainer, points: 3), points: 3).points(0..<9)
        let apart = engine(trainer, plane(trainer, points: 3), points: 3)
        let grouped = [6..<9, 0..<1, 1..<6].flatMap { apart.points($0) }
        #expect(grouped.sorted { $0.entry < $1.entry } == together)
    }

    @Test("where the loss is no number a point is flagged")
    func diverged() throws {
        let trainer = try toyTrainer(ModelSettings(name: "lenet5"))
        let far = LossPlane.random(
            around: trainer.parameters, settings: settings(.random, points: 3, reach: 1e30),
            random: RandomStream(seed: 1))
        let point = engine(trainer, far, points: 3).points(0..<1)[0]
        #expect(point.loss == nil && point.accuracy == nil && point.flag == "diverged")
    }

    // MARK: Trajectories

    @Test("the trajectory's plane is that of the largest eigenvectors of the weights' own matrix")
    func principalDirections() throws {
        // 12 x 4 weights and 4 biases, few enough to take their 52 x 52 matrix apart.
        let (network, states) = try states(ModelSettings(name: "linear12"), epochs: 6)
        let plane = try LossPlane.trajectory(
            of: network, checkpoints: states, settings: settings(.trajectory))
        let rows = states.map { state in
            zip(parameters(state), parameters(states[5])).map { Double($0) - Double($1) }
        }
        var matrix = (0..<52).map { i in (0..<52).map { j in rows.reduce(0) { $0 + $1[i] * $1[j] } }
        }
        let total = (0..<52).reduce(0) { $0 + matrix[$1][$1] }
        let found = [plane.directions.x, plane.directions.y].map { axis in
            axis.flatMap { ($0 ?? []).map { Double($0) } }
        }
        let explained = [plane.explained?.x, plane.explained?.y]
        for component in 0..<2 {
            let (value, vector) = dominant(matrix)
            #expect(abs((explained[component] ?? -1) - value / total) < 1e-6)
            let cosine = zip(vector, found[component]).reduce(0) { $0 + $1.0 * $1.1 }
            #expect(abs(abs(cosine) - 1) < 1e-4, "component \(component): cosine \(cosine)")
            for (step, row) in zip(plane.steps, rows) {
                let along = zip(row, found[component]).reduce(0) { $0 + $1.0 * $1.1 }
                #expect(abs(along - (component == 0 ? step.x : step.y)) < 1e-4)
            }
            for i in 0..<52 {
                for j in 0..<52 { matrix[i][j] -= value * vector[i] * vector[j] }
            }
        }
        for (step, row) in zip(plane.steps, rows) {
            let square = row.reduce(0) { $0 + $1 * $1 }
            let parts = step.x * step.x + step.y * step.y + step.distance * step.distance
            #expect(abs(square - parts) < 1e-9 + 1e-6 * square)
        }
        #expect(plane.steps.map(\.epoch) == Array(1...6))
        #expect(plane.steps[5].x == 0 && plane.steps[5].y == 0 && plane.steps[5].distance == 0)
        let reach = (plane.steps.map(\.x).min() ?? 0, plane.steps.map(\.x).max() ?? 0)
        #expect(plane.columns[0] < reach.0 && plane.columns[4] > reach.1)
    }

    private func parameters(_ state: TrainingState) -> [Float] {
        state.arrays.filter { !$0.name.hasPrefix("optimizer.") }.flatMap(\.values)
    }

    /// The largest eigenvalue by plain power iteration.
    private func dominant(_ matrix: [[Double]]) -> (value: Double, vector: [Double]) {
        var vector = matrix.indices.map { 1 + Double($0 % 7) }
        var value = 0.0
        for _ in 0..<5_000 {
            let next = matrix.map { row in zip(row, vector).reduce(0) { $0 + $1.0 * $1.1 } }
            value = next.reduce(0) { $0 + $1 * $1 }.squareRoot()
            vector = next.map { $0 / value }
        }
        return (value, vector)
    }

    @Test("a run that never moved is looked at on a small square around its weights")
    func still() throws {
        let (network, states) = try states(ModelSettings(name: "linear12"), epochs: 1)
        let plane = try LossPlane.trajectory(
            of: network, checkpoints: [states[0], states[0], states[0]],
            settings: settings(.trajectory))
        #expect(plane.explained?.x == 0 && plane.explained?.y == 0)
        #expect(plane.steps.allSatisfy { $0.x == 0 && $0.y == 0 && $0.distance == 0 })
        #expect(plane.columns[0] < 0 && plane.columns[4] > 0 && plane.rows[0] < 0)
    }

    @Test("a checkpoint of another network is refused")
    func foreign() throws {
        let (network, _) = try states(ModelSettings(name: "linear12"), epochs: 1)
        let (_, others) = try states(ModelSettings(name: "lenet5"), epochs: 2)
        #expect(throws: TrainingState.Failure.self) {
            try LossPlane.trajectory(
                of: network, checkpoints: others, settings: settings(.trajectory))
        }
    }

    @Test("of many checkpoints an evenly spread choice is taken, the last always")
    func choice() {
        #expect(LandscapeSettings.chosen(of: 24) == Array(0..<24))
        for count in [25, 100, 1_000] {
            let chosen = LandscapeSettings.chosen(of: count)
            #expect(chosen.count == LandscapeSettings.checkpointsMax && chosen.last == count - 1)
            #expect(chosen == Set(chosen).sorted() && (chosen.first ?? -1) >= 0)
        }
    }

    @Test("a symmetric matrix is taken apart into its eigenvalues and eigenvectors")
    func eigen() {
        var random = RandomStream(seed: 5)
        for count in 1...9 {
            var matrix = (0..<count).map { _ in (0..<count).map { _ in random.normal() } }
            for i in 0..<count { for j in 0..<i { matrix[i][j] = matrix[j][i] } }
            let eigen = SymmetricEigen(matrix)
            #expect(eigen.values == eigen.values.sorted(by: >))
            for (value, vector) in zip(eigen.values, eigen.vectors) {
                for (row, number) in zip(matrix, vector) {
                    let product = zip(row, vector).reduce(0) { $0 + $1.0 * $1.1 }
                    #expect(abs(product - value * number) < 1e-12 * Double(count * count))
                }
                #expect(abs(vector.reduce(0) { $0 + $1 * $1 } - 1) < 1e-12)
                #expect((vector.max { abs($0) < abs($1) } ?? 0) > 0)
            }
        }
    }

    @Test("the paper's toy has 12 weights for each of ten classes")
    func toy() throws {
        for (channels, side) in [(1, 28), (3, 32)] {
            let network = try ModelRegistry.classifier(
                ModelSettings(name: "linear12"), channels: channels, height: side, width: side,
                classes: 10)
            #expect(network.measured.map(\.weightCount) == [120])
        }
        #expect(throws: ModelRegistry.Failure.self) {
            try ModelRegistry.classifier(
                ModelSettings(name: "linear12"), channels: 2, height: 16, width: 16, classes: 4)
        }
    }
}
