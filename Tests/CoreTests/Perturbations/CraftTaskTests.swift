import FathomCore
import Testing

/// Poisons crafted with the loss of a task that is no classification: the positive control of
/// claims that a poison made for classes leaves other tasks alone.
@Suite("poisons made for another task")
struct CraftTaskTests {
    private typealias Fixtures = SurrogateFixtures

    private func settings(
        _ name: String, _ numbers: [String: Double] = [:], _ words: [String: String] = [:]
    ) -> MethodSettings {
        Fixtures.settings(name, numbers, words.merging(["craftTask": "edge"]) { $1 })
    }

    private func network(trained: Bool) throws -> SurrogateNetwork {
        let network = try Fixtures.edgeNetwork()
        let surrogate = SurrogateNetwork(
            network: network, shape: Fixtures.shape, random: RandomStream(seed: 4),
            objective: try Fixtures.edgeObjective(network))
        if trained { try surrogate.parameters.fill(from: try #require(Fixtures.trainedOnEdges)) }
        return surrogate
    }

    @Test("the gradient of an image is that of central differences of the batch's mean loss")
    func gradientAgrees() throws {
        let network = try network(trained: true)
        let chosen = [5, 41]
        let targets = CraftTargets.of(chosen)
        let size = Fixtures.shape.elements
        var images = chosen.flatMap {
            Fixtures.images.pixels[($0 * size)..<(($0 + 1) * size)].map { Float($0) / 255 }
        }
        let gradient = network.gradient(images, targets: targets, isSignOnly: false)
        let largest = gradient.values.map { abs($0) }.max() ?? 0
        #expect(largest > 1e-5)
        let mean = gradient.losses.reduce(0, +) / 2
        #expect(
            abs(mean - network.judge(images, targets: targets).map(\.loss).reduce(0, +) / 2) < 1e-9)
        var worst = 0.0
        for at in stride(from: 0, to: images.count, by: 13) {
            let kept = images[at]
            var losses: [Double] = []
            for step: Float in [0.004, -0.004] {
                images[at] = kept + step
                losses.append(
                    network.judge(images, targets: targets).map(\.loss).reduce(0, +) / 2)
            }
            images[at] = kept
            let slope = (losses[0] - losses[1]) / 0.008
            worst = max(worst, abs(slope - Double(gradient.values[at])))
        }
        // An absolute loss has a kink at every pixel that is exactly right, a ReLU at every zero.
        #expect(worst < 0.1 * Double(largest) + 1e-5, "\(worst) of \(largest)")
    }

    @Test("each image's loss by itself is that of a batch of one")
    func lossesAreApart() throws {
        let network = try network(trained: true)
        let size = Fixtures.shape.elements
        let chosen = [0, 7, 30, 99]
        func pixels(_ image: Int) -> [Float] {
            Fixtures.images.pixels[(image * size)..<((image + 1) * size)].map { Float($0) / 255 }
        }
        let together = network.judge(chosen.flatMap(pixels), targets: .of(chosen)).map(\.loss)
        for (image, loss) in zip(chosen, together) {
            let alone = network.judge(pixels(image), targets: .of([image])).map(\.loss)
            #expect(abs(alone[0] - loss) < 1e-6)
        }
    }

    @Test("targets move with images that are shifted and flipped by whole pixels")
    func targetsMove() throws {
        let network = try network(trained: false)
        let size = Fixtures.shape.elements
        let shift = ImageShift(rows: 3, columns: -2, isFlipped: true)
        let image = Fixtures.images.pixels[(7 * size)..<(8 * size)].map { Float($0) / 255 }
        var moved = [Float](repeating: 0, count: size)
        shift.add(image[...], shape: Fixtures.shape, to: &moved, at: 0)
        let prediction = network.logits(moved)
        guard case .planes(let target) = Fixtures.targets.target(of: .edge) else { return }
        // By hand: the mean of |prediction - target| over pixels whose source is inside.
        var (sum, count) = (0.0, 0)
        for row in 0..<16 {
            for column in 0..<16 {
                let (from, source) = (row + 3, 15 - column - 2)
                guard from < 16, source >= 0 else { continue }
                let right = target.values[7 * 256 + from * 16 + source]
                sum += Double(abs(prediction[row * 16 + column] - right))
                count += 1
            }
        }
        let verdict = network.judge(moved, targets: CraftTargets.of([7]).placed([shift]))
        #expect(abs(verdict[0].loss - sum / Double(count)) < 1e-6)
    }

    @Test("em-s lowers the other task's loss, hypo lowers it for a trained network, tap raises it")
    func lossesMove() throws {
        let budget = ["epsilon": 16.0 / 255]
        let easy = try Fixtures.craft(
            settings("em-s", budget.merging(["trainSteps": 6, "rounds": 8]) { $1 })
        ).numbers
        #expect(easy["lossLoweredShare"] ?? 0 >= 0.99, "\(easy)")
        #expect(easy["surrogateLossPoisoned"] ?? 9 < easy["surrogateLossClean"] ?? 0)
        #expect(easy["surrogateLossPoisoned"] ?? 9 < easy["surrogateLossUntrained"] ?? 0)
        #expect(easy["surrogateAccuracyClean"] == nil)
        let easier = try Fixtures.craft(settings("hypo", budget)).numbers
        #expect(easier["lossLoweredShare"] ?? 0 >= 0.999, "\(easier)")
        let hard = try Fixtures.craft(
            settings("tap", budget, ["variant": "untargeted", "views": "none"])
        ).numbers
        #expect(hard["lossLoweredShare"] ?? 1 <= 0.001, "\(hard)")
        #expect(hard["surrogateLossPoisoned"] ?? 0 > 1.3 * (hard["surrogateLossClean"] ?? 9))
    }

    @Test("em-s stops once the loss is a given share of what it was before training")
    func stops() throws {
        let poison = try Fixtures.craft(
            settings("em-s", ["trainSteps": 6, "rounds": 30, "stopError": 0.5]))
        let numbers = poison.numbers
        #expect(poison.words["stopReason"] == "error", "\(numbers)")
        #expect(numbers["rounds"] ?? 99 < 30)
        #expect(
            numbers["surrogateLossPoisoned"] ?? 9 <= 0.5 * (numbers["surrogateLossUntrained"] ?? 0))
        #expect(poison.words["craftTask"] == "edge")
    }

    @Test("classification is left out of settings; what a task or a set cannot give is refused")
    func settingsAreJudged() throws {
        func resolved(_ name: String, _ words: [String: String]) throws -> MethodSettings {
            try PerturbationRegistry.resolve(
                MethodSettings(name: name, words: words), channels: 1, height: 28, width: 28)
        }
        #expect(
            try resolved("em-s", ["craftTask": "cls"]) == resolved("em-s", [:])
                && resolved("em-s", [:]).words["craftTask"] == nil)
        let depth = try resolved("em-s", ["craftTask": "depth"])
        #expect(PerturbationRegistry.targetsNeeded(by: depth) == [.depth])
        #expect(try PerturbationRegistry.targetsNeeded(by: resolved("tap", [:])).isEmpty)
        let keyed = try resolved("em-c", ["craftTask": "depth", "key": "sem"])
        #expect(PerturbationRegistry.targetsNeeded(by: keyed) == [.depth, .sem])
        #expect(keyed.numbers["clusters"] == 10)
        let facts = DataFacts(
            digest: Digest(of: Array("set".utf8)), channels: 1, height: 28, width: 28,
            classCount: 2, trainCount: 10, testCount: 10)
        let unknown = caught(MethodError.self) {
            try PerturbationRegistry.check(depth, on: facts)
        }
        #expect(unknown?.description.contains("depth needs to know every pixel") == true)
        try PerturbationRegistry.check(try resolved("em-s", ["craftTask": "edge"]), on: facts)
        for (words, told) in [
            (["craftTask": "sem"], "write variant: untargeted"),
            (["craftTask": "sem", "variant": "untargeted", "views": "part"], "whole or none"),
            (["craftTask": "sem", "variant": "untargeted", "surrogate": "vit-small"], "planes"),
            (["craftTask": "deph"], "did you mean depth?"),
        ] {
            let error = caught(MethodError.self) { _ = try resolved("tap", words) }
            #expect(
                error?.description.contains(told) == true, "\(words): \(error.debugDescription)")
        }
        let missing = caught(MethodError.self) {
            _ = try PerturbationRegistry.craft(
                settings("em-s"), images: Fixtures.images, keys: Fixtures.images.labels, seed: 1)
        }
        #expect(missing?.description.contains("its targets are not known") == true)
        let surrogate = try PerturbationRegistry.surrogate(
            of: settings("tap", [:], ["variant": "untargeted"]))
        #expect(surrogate?.task == .edge)
    }
}
