import FathomCore
import Testing

@Suite("gradients of images, and steps along them")
struct InputAttackTests {
    private static let shape = ImageShape(channels: 3, height: 8, width: 8)

    private func surrogate(_ model: ModelSettings, seed: UInt64 = 5) throws -> SurrogateNetwork {
        let network = SurrogateNetwork(
            network: try SurrogateFixtures.network(Self.shape, model: model), shape: Self.shape,
            settings: TrainingSettings(learningRate: 0.05), random: RandomStream(seed: seed))
        // A few steps, so that running statistics are not what they start as.
        for step in 0..<5 {
            _ = network.step(images(12, seed: UInt64(step)), targets: targets(12), rate: 0.05)
        }
        return network
    }

    private func images(_ count: Int, seed: UInt64) -> [Float] {
        var random = RandomStream(seed: seed).derived("attack images")
        return (0..<(count * Self.shape.elements)).map { _ in random.uniform(0.05, 0.95) }
    }

    private func targets(_ count: Int) -> CraftTargets {
        CraftTargets((0..<count).map { Int32($0 % 4) })
    }

    private static let models = [
        ModelSettings(name: "linear"), ModelSettings(name: "smallcnn", width: 4),
        ModelSettings(name: "resnet18", width: 4), ModelSettings(name: "vit-small", width: 16),
    ]

    @Test("the gradient of an image is that of central differences", arguments: models)
    func gradientAgrees(model: ModelSettings) throws {
        let network = try surrogate(model)
        var images = images(2, seed: 9)
        let gradient = network.gradient(images, targets: [1, 3], isSignOnly: false).values
        let largest = gradient.map { abs($0) }.max() ?? 0
        #expect(largest > 1e-3)
        for at in stride(from: 0, to: images.count, by: 17) {
            let kept = images[at]
            var losses: [Double] = []
            for step: Float in [0.01, -0.01] {
                images[at] = kept + step
                losses.append(
                    network.judge(images, targets: [1, 3]).reduce(0) { $0 + $1.loss })
            }
            images[at] = kept
            let slope = (losses[0] - losses[1]) / 0.02
            // Kinks of ReLU and the rounding of losses, over a step of 0.02.
            let tolerance = 2e-3 + 0.03 * Double(largest)
            #expect(abs(slope - Double(gradient[at])) < tolerance, "\(model.name) at \(at)")
        }
    }

    @Test("crafting leaves weights and running statistics as they are", arguments: models)
    func nothingIsLearned(model: ModelSettings) throws {
        let network = try surrogate(model)
        let before = network.parameters.named.map(\.values)
        var delta = [Float](repeating: 0, count: 4 * Self.shape.elements)
        InputAttack(steps: 3, stepSize: 0.01, epsilon: 0.03, direction: .ascend).run(
            network, images: images(4, seed: 1), targets: targets(4), delta: &delta,
            shape: Self.shape)
        #expect(network.parameters.named.map(\.values) == before)
        #expect(delta.contains { $0 != 0 })
    }

    @Test("what an image gets does not depend on its batch, up to rounding", arguments: models)
    func batchesDoNotMatter(model: ModelSettings) throws {
        let network = try surrogate(model)
        let images = images(5, seed: 4)
        let all = network.gradient(images, targets: targets(5), isSignOnly: false).values
        let size = Self.shape.elements
        for image in 0..<5 {
            let range = (image * size)..<((image + 1) * size)
            let alone = network.gradient(
                Array(images[range]), targets: CraftTargets([Int32(image % 4)]), isSignOnly: false
            ).values
            let worst = zip(alone, all[range]).map { abs($0 - $1) }.max() ?? 1
            #expect(worst < 1e-5 * max(1, all.map { abs($0) }.max() ?? 0))
        }
    }

    @Test("scaled for signs, a gradient has the signs it had, and does not vanish")
    func signsAreKept() throws {
        let network = try surrogate(ModelSettings(name: "linear"))
        // An image far on the right side of the linear classifier.
        var image = images(1, seed: 2)
        let slope = network.gradient(image, targets: [0], isSignOnly: false).values
        while network.judge(image, targets: [0])[0].loss > 1e-9 {
            for at in image.indices { image[at] -= slope[at] }
        }
        let scaled = network.gradient(image, targets: [0], isSignOnly: true).values
        #expect(scaled.count { $0 != 0 } == scaled.count)
        #expect(scaled.map { abs($0) }.max() ?? 0 > 1e-3)
        let plain = network.gradient(images(1, seed: 2), targets: [0], isSignOnly: true).values
        #expect(zip(plain, slope).allSatisfy { ($0 > 0) == ($1 > 0) })
    }

    @Test("steps stay in the ball and in the range of pixels", arguments: [Float(0), 0.02, 0.2])
    func budgetHolds(epsilon: Float) throws {
        let network = try surrogate(ModelSettings(name: "smallcnn", width: 4))
        var clean = images(4, seed: 6)
        for at in 0..<60 { clean[at] = Float(at % 2) }
        for direction in [InputAttack.Direction.ascend, .descend] {
            var random = RandomStream(seed: 1)
            var delta = clean.map { _ in random.uniform(-1, 1) * epsilon }
            InputAttack(steps: 4, stepSize: epsilon / 2, epsilon: epsilon, direction: direction)
                .run(
                    network, images: clean, targets: targets(4), delta: &delta, shape: Self.shape)
            #expect(delta.allSatisfy { abs($0) <= epsilon + 1e-6 })
            #expect(zip(clean, delta).allSatisfy { (-1e-6...(1 + 1e-6)).contains($0 + $1) })
        }
    }

    @Test("a gradient of zero moves nothing, any other by the whole step")
    func signOfZero() {
        let attack = InputAttack(steps: 1, stepSize: 0.1, epsilon: 0.5, direction: .ascend)
        var delta: [Float] = [0, 0, 0, 0.45]
        attack.advance(&delta, along: [0, 1e-30, -4, 2], images: [0.5, 0.5, 0.5, 0.25])
        #expect(zip(delta, [0, 0.1, -0.1, 0.5]).allSatisfy { abs($0 - $1) < 1e-6 })
        #expect(delta[0] == 0)
    }

    @Test("the loss of a linear classifier, which is convex, falls in every step down")
    func convexLossFalls() throws {
        let network = try surrogate(ModelSettings(name: "linear"))
        let clean = images(6, seed: 3)
        var delta = [Float](repeating: 0, count: clean.count)
        let losses = InputAttack(steps: 15, stepSize: 0.01, epsilon: 0.1, direction: .descend).run(
            network, images: clean, targets: targets(6), delta: &delta, shape: Self.shape)
        #expect(zip(losses, losses.dropFirst()).allSatisfy { $0 >= $1 - 1e-9 })
        #expect((losses.last ?? 9) < (losses.first ?? 0) - 0.1)
    }

    @Test("pulling a gradient back through a shift is the shift's adjoint")
    func adjointAgrees() {
        let shape = ImageShape(channels: 2, height: 7, width: 9)
        for seed in UInt64(0)..<40 {
            var random = RandomStream(seed: seed)
            func numbers() -> [Float] {
                (0..<shape.elements).map { _ in random.uniform(-1, 1) }
            }
            let isWhole = seed % 2 == 0
            let offsets = [random.uniform(-4, 4), random.uniform(-4, 4)]
                .map { isWhole ? $0.rounded() : $0 }
            let shift = ImageShift(
                rows: offsets[0], columns: offsets[1], isFlipped: random.uniform() < 0.5)
            let (image, gradient) = (numbers(), numbers())
            var moved = [Float](repeating: 0, count: shape.elements)
            var pulled = moved
            shift.add(image[...], shape: shape, to: &moved, at: 0)
            shift.addAdjoint(gradient[...], shape: shape, to: &pulled, at: 0)
            let left = zip(moved, gradient).reduce(0.0) { $0 + Double($1.0) * Double($1.1) }
            let right = zip(image, pulled).reduce(0.0) { $0 + Double($1.0) * Double($1.1) }
            #expect(abs(left - right) < 1e-5, "seed \(seed)")
        }
    }

    @Test("a shift moves, flips and fills with zeros; half a pixel averages two")
    func shiftsMove() {
        let shape = ImageShape(channels: 1, height: 1, width: 4)
        func moved(_ shift: ImageShift) -> [Float] {
            var result = [Float](repeating: 0, count: 4)
            shift.add([1, 2, 3, 4][...], shape: shape, to: &result, at: 0)
            return result
        }
        #expect(moved(ImageShift()) == [1, 2, 3, 4])
        #expect(moved(ImageShift(columns: 1)) == [2, 3, 4, 0])
        #expect(moved(ImageShift(columns: -2)) == [0, 0, 1, 2])
        #expect(moved(ImageShift(isFlipped: true)) == [4, 3, 2, 1])
        #expect(moved(ImageShift(columns: 1, isFlipped: true)) == [0, 4, 3, 2])
        #expect(moved(ImageShift(columns: 0.5)) == [1.5, 2.5, 3.5, 2])
        #expect(moved(ImageShift(rows: 1)) == [0, 0, 0, 0])
    }
}
