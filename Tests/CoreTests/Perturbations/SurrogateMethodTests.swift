import FathomCore
import Testing

@Suite("methods with a surrogate network")
struct SurrogateMethodTests {
    private typealias Fixtures = SurrogateFixtures

    /// Every method, small enough for a test of everyday use.
    static let cases: [MethodSettings] = [
        Fixtures.settings("em-s", ["rounds": 3, "stopError": 0, "trainSteps": 2]),
        Fixtures.settings("em-c", ["rounds": 3, "stopError": 0, "trainSteps": 2]),
        Fixtures.settings("tap", ["steps": 4, "restarts": 2]),
        Fixtures.settings(
            "tap", ["steps": 4, "stepShare": 0.25], ["variant": "untargeted", "views": "part"]),
        Fixtures.settings("hypo", ["steps": 5, "stepShare": 0.2]),
        Fixtures.settings("rem", ["trainSteps": 52, "batch": 10, "steps": 1, "adversarySteps": 1]),
        Fixtures.settings(
            "rem", ["rounds": 3, "stopError": 0, "trainSteps": 2], ["tier": "apbench"]),
        // The same with the loss of another task.
        edges("em-s", ["rounds": 3, "stopError": 0, "trainSteps": 2]),
        edges("em-c", ["rounds": 3, "stopError": 0, "trainSteps": 2]),
        edges("tap", ["steps": 4, "restarts": 2], ["variant": "untargeted"]),
        edges("hypo", ["steps": 5, "stepShare": 0.2]),
        edges("rem", ["trainSteps": 52, "batch": 10, "steps": 1, "adversarySteps": 1]),
    ]

    private static func edges(
        _ name: String, _ numbers: [String: Double], _ words: [String: String] = [:]
    ) -> MethodSettings {
        Fixtures.settings(name, numbers, words.merging(["craftTask": "edge"]) { $1 })
    }

    @Test("P1 to P8 hold for every method", arguments: cases)
    func propertiesHold(settings: MethodSettings) throws {
        let poison = try Fixtures.craft(settings, seed: 8)
        try PerturbationProperties.check(
            poison, of: Fixtures.images, keys: Fixtures.images.labels, settings: settings, seed: 8,
            surrogate: Fixtures.surrogate(settings), targets: Fixtures.targets, recrafts: true)
        let isOfClasses = settings.words["craftTask"] == nil
        for line in [
            "rounds", "forwardPasses", "surrogateLossPoisoned",
            isOfClasses ? "surrogateAccuracyPoisoned" : "lossLoweredShare",
        ] {
            #expect(poison.numbers[line] != nil, "\(settings.name) reports no \(line)")
        }
        #expect(poison.words["stopReason"] != nil)
    }

    @Test("a crafting left after any round goes on to the same bits", arguments: cases)
    func partsAgree(settings: MethodSettings) throws {
        let whole = try Fixtures.craft(settings, seed: 8)
        for rounds in [1, 2] {
            let parts = try #require(
                try Fixtures.craftInParts(settings, rounds: rounds, seed: 8))
            #expect(parts.delta == whole.delta && parts.images.pixels == whole.images.pixels)
            #expect(parts.numbers == whole.numbers && parts.words == whole.words)
        }
    }

    @Test("a budget or a fraction of nothing is clean, bit for bit", arguments: cases)
    func nothingIsClean(settings: MethodSettings) throws {
        for key in ["epsilon", "fraction"] {
            var none = settings
            none.numbers[key] = 0
            if key == "fraction" { none.numbers["rounds"] = settings.numbers["rounds"] }
            let poison = try Fixtures.craft(none)
            #expect(poison.images.pixels == Fixtures.images.pixels, "\(settings.name) \(key)")
            try PerturbationProperties.check(
                poison, of: Fixtures.images, keys: Fixtures.images.labels, settings: none, seed: 1,
                surrogate: Fixtures.surrogate(none), targets: Fixtures.targets)
        }
    }

    @Test("jobs cover all rounds, and never more than sixteen of them")
    func partsCoverRounds() throws {
        for (name, rounds) in [("em-s", 12), ("em-c", 30), ("tap", 40), ("hypo", 30), ("rem", 28)] {
            let settings = try PerturbationRegistry.resolve(
                MethodSettings(name: name), channels: 3, height: 32, width: 32)
            let parts = try PerturbationRegistry.parts(of: settings)
            #expect(parts.count * parts.rounds >= rounds && parts.count <= 16, "\(name)")
            #expect((parts.count - 1) * parts.rounds < rounds, "\(name) has an idle job")
        }
        let plain = try PerturbationRegistry.parts(of: MethodSettings(name: "ops"))
        #expect(plain.count == 1)
    }

    // MARK: em

    @Test("em-s stops once the network reads the labels, which a probe then reads as well")
    func errorsAreMinimised() throws {
        let poison = try Fixtures.craft(
            Fixtures.settings("em-s", ["epsilon": 16.0 / 255, "trainSteps": 6, "rounds": 30]))
        #expect(poison.words["stopReason"] == "error", "\(poison.numbers)")
        #expect(poison.numbers["surrogateAccuracyPoisoned"] ?? 0 >= 0.99)
        #expect(poison.numbers["rounds"] ?? 99 < 30)
        #expect(poison.numbers["lossLoweredShare"] ?? 0 >= 0.99)
        #expect(poison.numbers["sweepLossLast"] ?? 9 <= poison.numbers["sweepLossFirst"] ?? 0)
        let reading = try LinearProbe().run(
            on: poison.delta, keys: Fixtures.images.labels, seed: 1)
        // Chance is one in four.
        #expect(reading.heldOut > 0.5, "\(reading)")
    }

    @Test("rectified noise is what is left without negative numbers")
    func rectifies() throws {
        for name in ["em-s", "em-c"] {
            let numbers = ["rounds": 2.0, "stopError": 0, "trainSteps": 2]
            let whole = try Fixtures.craft(Fixtures.settings(name, numbers))
            let half = try Fixtures.craft(
                Fixtures.settings(name, numbers, ["emRectify": "true"]))
            #expect(half.delta == whole.delta.map { max($0, 0) })
            #expect(whole.delta.contains { $0 < 0 })
        }
    }

    @Test("em-c has one pattern a class, within the budget, that a probe reads whole")
    func classesHavePatterns() throws {
        let poison = try Fixtures.craft(
            Fixtures.settings("em-c", ["trainSteps": 10, "subset": 0.5]))
        let size = Fixtures.shape.elements
        var patterns: Set<[Float]> = []
        for image in 0..<Fixtures.images.count {
            patterns.insert(Array(poison.delta[(image * size)..<((image + 1) * size)]))
        }
        #expect(patterns.count == Fixtures.classes)
        #expect(poison.delta.allSatisfy { abs($0) <= 8.0 / 255 + 1e-6 })
        let reading = try LinearProbe().run(
            on: poison.delta, keys: Fixtures.images.labels, seed: 1)
        #expect(reading.heldOut == 1)
        #expect(
            poison.numbers["surrogateLossPoisoned"] ?? 9 < poison.numbers["surrogateLossClean"] ?? 0
        )
    }

    @Test("a pattern of em-c is the mean of what its images' steps come to, not their sum")
    func patternsAreMeans() throws {
        // One step of an eighth of the budget from nothing, all images in one batch.
        let poison = try Fixtures.craft(
            Fixtures.settings(
                "em-c",
                [
                    "rounds": 1, "stopError": 0, "trainSteps": 2, "subset": 1, "batch": 120,
                    "steps": 1, "stepShare": 0.125,
                ]))
        let step = 1.0 / 255
        var between = 0
        for value in poison.delta {
            // Each of 30 images moves by a step, against it, or not at all.
            let moves = 30 * Double(value) / step
            guard abs(moves) <= 30.01, abs(moves - moves.rounded()) < 0.01 else {
                Issue.record("\(value) is no mean of 30 steps of \(step)")
                return
            }
            between += abs(moves) > 0.5 && abs(moves) < 29.5 ? 1 : 0
        }
        #expect(between > poison.delta.count / 20, "images of a class disagree somewhere")
    }

    // MARK: tap and hypo

    @Test("targeted tap is taken for the next class, untargeted for any but its own")
    func adversarialExamples() throws {
        let budget = ["epsilon": 24.0 / 255]
        // The network was trained without shifts, so it is attacked without them.
        let targeted = try Fixtures.craft(Fixtures.settings("tap", budget, ["views": "none"]))
        #expect(targeted.numbers["surrogateAccuracyClean"] ?? 0 > 0.9, "\(targeted.numbers)")
        #expect(targeted.numbers["targetShare"] ?? 0 >= 0.95, "\(targeted.numbers)")
        let untargeted = try Fixtures.craft(
            Fixtures.settings("tap", budget, ["variant": "untargeted"]))
        #expect(untargeted.numbers["surrogateAccuracyPoisoned"] ?? 1 <= 0.05)
        // The same network on noise of the same size.
        let random = try PerturbationRegistry.craft(
            MethodSettings(name: "rand-s", numbers: budget), images: Fixtures.images,
            keys: Fixtures.images.labels, seed: 1)
        let network = SurrogateNetwork(
            network: try Fixtures.network(), shape: Fixtures.shape, random: RandomStream(seed: 0))
        try network.parameters.fill(from: try #require(Fixtures.trained))
        let wrong = network.judge(
            random.images.pixels.map { Float($0) / 255 },
            targets: CraftTargets(Fixtures.images.labels)
        ).count { !$0.isRight }
        #expect(0.95 - Double(wrong) / 120 > 0.5)
    }

    @Test("hypo makes every image easier for the network, and nothing in it is drawn")
    func hypocriticalExamples() throws {
        let poison = try Fixtures.craft(Fixtures.settings("hypo"))
        #expect(poison.numbers["lossLoweredShare"] ?? 0 >= 0.999)
        #expect(poison.numbers["surrogateAccuracyPoisoned"] ?? 0 >= 0.999)
        let (before, after) = (
            poison.numbers["surrogateLossClean"] ?? 0, poison.numbers["surrogateLossPoisoned"] ?? 9
        )
        #expect(after < before / 5)
    }

    @Test("methods that read a clean network say so when there is none, or another one")
    func surrogateIsNeeded() throws {
        for name in ["tap", "hypo"] {
            let settings = Fixtures.settings(name)
            let surrogate = try PerturbationRegistry.surrogate(of: settings)
            #expect(surrogate?.model == Fixtures.model && surrogate?.epochs == nil)
            let error = caught(MethodError.self) {
                _ = try PerturbationRegistry.craft(
                    settings, images: Fixtures.images, keys: Fixtures.images.labels, seed: 1)
            }
            #expect(error?.description.contains("a network trained on clean images") == true)
            var other = settings
            other.numbers["surrogateWidth"] = 9
            let misfit = caught(MethodError.self) { _ = try Fixtures.craft(other) }
            #expect(misfit?.description.contains("does not hold") == true)
        }
        #expect(try PerturbationRegistry.surrogate(of: Fixtures.settings("em-s")) == nil)
    }

    // MARK: rem

    @Test("rem is whole grey levels that lower the adversary's loss")
    func robustNoise() throws {
        let poison = try Fixtures.craft(
            Fixtures.settings(
                "rem",
                [
                    "trainSteps": 400, "batch": 40, "steps": 4, "adversarySteps": 1,
                    "epsilon": 24.0 / 255,
                ]))
        for value in poison.delta {
            let level = Double(value) * 255
            guard abs(level - level.rounded()) < 1e-4, abs(level) < 24.5 else {
                Issue.record("\(level) is no whole level within 24")
                return
            }
        }
        #expect(poison.numbers["adversarialLossLoweredShare"] ?? 0 >= 0.9, "\(poison.numbers)")
    }

    @Test("the algorithm that APBench calls rem goes up and down every round, and trains plainly")
    func benchmarkREM() throws {
        let poison = try Fixtures.craft(
            Fixtures.settings(
                "rem", ["rounds": 2, "stopError": 0, "trainSteps": 2], ["tier": "apbench"]))
        // A round: 2 steps on 40 of 120 images, 5 gradients up and 5 down for all, and a judgement
        // of both kinds of images, which is made once more for the report.
        let expected = 2 * (2 * 40 * 3 / 120 + 10 * 2 + 2) + 2
        #expect(poison.numbers["forwardPasses"] == Double(expected))
        #expect(poison.words["tier"] == "apbench")
        #expect(poison.numbers["adversarialLossPoisoned"] == nil)
        let settings = try PerturbationRegistry.resolve(
            MethodSettings(name: "rem", words: ["tier": "apbench"]), channels: 3, height: 32,
            width: 32)
        #expect(settings.numbers["steps"] == 5 && settings.numbers["adversarySteps"] == 5)
        #expect(settings.numbers["draws"] == nil && settings.numbers["trainSteps"] == 10)
        let random = caught(MethodError.self) {
            _ = try PerturbationRegistry.resolve(
                MethodSettings(name: "rem", words: ["tier": "apbench", "adversary": "random"]),
                channels: 3, height: 32, width: 32)
        }
        #expect(random?.description.contains("always pgd") == true)
    }

    @Test("a random adversary is cheaper than one that climbs")
    func randomAdversary() throws {
        let costs = try ["pgd", "random"].map { adversary in
            try Fixtures.craft(
                Fixtures.settings("rem", ["trainSteps": 10, "batch": 20], ["adversary": adversary])
            ).numbers["forwardPasses"] ?? 0
        }
        #expect(costs[1] > 0 && costs[1] < costs[0] / 2)
    }

    // MARK: settings

    @Test("tiers fill in what their sources use, and a network that does not fit is refused")
    func tiers() throws {
        func resolved(_ name: String, _ words: [String: String]) throws -> [String: Double] {
            try PerturbationRegistry.resolve(
                MethodSettings(name: name, words: words), channels: 3, height: 32, width: 32
            ).numbers
        }
        let paper = try resolved("em-s", ["tier": "paper"])
        #expect(paper["steps"] == 20 && paper["stepShare"] == 0.1 && paper["batch"] == 512)
        #expect(paper["surrogateWidth"] == 64)
        let cpu = try resolved("em-s", [:])
        #expect(cpu["steps"] == 5 && cpu["rounds"] == 12 && cpu["surrogateWidth"] == 16)
        #expect(try resolved("tap", ["tier": "paper"])["restarts"] == 8)
        #expect(try resolved("tap", ["tier": "paper"])["surrogateEpochs"] == 40)
        // The network behind tap is trained as its source does it, in the source's tier.
        for (tier, milestones) in [("paper", [14, 24, 35]), ("cpu", nil)] {
            let tap = try PerturbationRegistry.resolve(
                MethodSettings(name: "tap", words: ["tier": tier]), channels: 3, height: 32,
                width: 32)
            let training = try PerturbationRegistry.surrogate(of: tap)?.training
            #expect(training?.milestones == milestones && (training?.nesterov ?? true))
            #expect(training.map { $0.epochs == 40 && $0.batch == 128 } ?? true)
        }
        #expect(try resolved("em-s", ["surrogate": "lenet5"])["surrogateWidth"] == nil)
        let tier = caught(MethodError.self) { _ = try resolved("em-c", ["tier": "apbench"]) }
        #expect(tier?.description.contains("one of cpu, paper") == true)
        let small = caught(MethodError.self) {
            _ = try PerturbationRegistry.resolve(
                MethodSettings(name: "em-s", words: ["surrogate": "lenet5"]), channels: 1,
                height: 12, width: 12)
        }
        #expect(small?.description.contains("at least 16x16") == true)
        #expect(throws: MethodError.self) { try resolved("hypo", ["key": "cluster"]) }
    }
}
