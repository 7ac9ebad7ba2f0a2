import FathomCore
import Foundation
import Testing

private let isSlow = ProcessInfo.processInfo.environment["FATHOM_SLOW"] == "1"

/// What poisons and defenses do to a victim on Fashion-MNIST, held to what a short program in
/// NumPy and PyTorch found before (`Tests/Fixtures/oracles`). An effect must reach half of what it
/// was there, measured from where there is none.
@Suite(
    "what poisons do to who learns from them",
    .enabled(if: isSlow, "set FATHOM_SLOW=1; it takes minutes"), .serialized)
struct BehaviourTests {
    /// Class-wise patterns are louder than the 16/255 of others, as in the independent run.
    private static func epsilon(_ name: String) -> Double {
        ["rand-c", "em-c"].contains(name) ? 32.0 / 255 : 16.0 / 255
    }
    static let shortcuts = ["rand-c", "lsp", "ops", "cuda", "ar", "em-c"]

    private let train: ImageSet
    private let test: ImageSet
    private let oracles: Oracles

    init() throws {
        NumericClass.enterSlot()
        let set = try DataSetLibrary().open(name: "fashion-mnist", folder: nil)
        train = try set.subset(.train, count: 2000, random: RandomStream(seed: 1).derived("train"))
        test = try set.subset(.test, count: 1000, random: RandomStream(seed: 1).derived("test"))
        oracles = try Oracles.load()
    }

    @Test("the pattern of another class is seen instead of the image", arguments: shortcuts)
    func patternsAreFollowed(name: String) throws {
        let poison = try craft(name)
        let victim = try trained(on: poison.images)
        let turned = test.labels.map { ($0 + 1) % 10 }
        let clean = accuracy(victim, test, test.labels)
        let right = accuracy(victim, try carried(poison, name, keys: test.labels), test.labels)
        let other = accuracy(victim, try carried(poison, name, keys: turned), turned)
        let base = try oracles.mean("clean/test")
        print("behaviour: \(name) clean \(clean) true keys \(right) other keys \(other)")
        // A poisoned network is worse on clean images, right where keys are, and led by them.
        #expect(try oracles.agrees(clean, name + "/test", from: base), "\(name): \(clean)")
        #expect(try oracles.agrees(right, name + "/true-keys", from: base), "\(name): \(right)")
        #expect(try oracles.agrees(other, name + "/other-keys", from: 0), "\(name): \(other)")
    }

    @Test("what is added to gray images tells the classes by itself", arguments: shortcuts)
    func grayIsEnough(name: String) throws {
        let poison = try craft(name)
        let victim = try trained(on: gray(poison.delta, train))
        let fresh = try carriedDelta(poison, name, keys: test.labels)
        let right = accuracy(victim, gray(fresh, test), test.labels)
        print("behaviour: \(name) gray \(right)")
        #expect(try oracles.agrees(right, name + "/gray", from: 0.1), "\(name): \(right)")
    }

    @Test("em-s is fitted in the first epoch, sooner than clean images")
    func errorMinimisingIsFittedEarly() throws {
        let poisoned = try firstEpoch(try craft("em-s").images)
        let clean = try firstEpoch(train)
        print("behaviour: em-s first epoch \(poisoned), clean \(clean)")
        try expectGap(poisoned - clean, "em-s/epoch1", "clean/epoch1")
    }

    @Test("rem stays below em-s under adversarial training at 4/255")
    func robustNoiseLasts() throws {
        let defense = DefenseSettings(
            name: "at", numbers: ["epsilon": 4.0 / 255, "steps": 3, "stepSize": 2.0 / 255])
        let scores = try ["rem", "em-s"].map { name in
            try accuracy(trained(on: craft(name).images, defense), test, test.labels)
        }
        print("behaviour: at 4/255 rem \(scores[0]), em-s \(scores[1])")
        try expectGap(scores[1] - scores[0], "em-s/at4", "rem/at4")
    }

    @Test("adversarial training undoes rand-c, and does less for ops than cutout")
    func defensesDiffer() throws {
        let at = DefenseSettings(name: "at", words: ["tier": "cpu"])
        let cutout = DefenseSettings(name: "cutout")
        func score(_ name: String, _ defense: DefenseSettings) throws -> Double {
            let images = name == "clean" ? train : try craft(name).images
            return try accuracy(trained(on: images, defense), test, test.labels)
        }
        let clean = try score("clean", at)
        let random = try score("rand-c", at)
        let ops = (at: try score("ops", at), cutout: try score("ops", cutout))
        print("behaviour: clean at \(clean), rand-c at \(random), ops \(ops)")
        let undefended = try oracles.mean("rand-c/test")
        #expect(try oracles.agrees(random, "rand-c/at8", from: undefended))
        // The independent run ended before cutout; APBench has 52.98 % with it, 14.95 % under AT.
        #expect(ops.cutout - ops.at > (0.5298 - 0.1495) / 2)
    }

    /// Asks for half of the difference between two rows, if that is an effect at all.
    private func expectGap(_ gap: Double, _ higher: String, _ lower: String) throws {
        let found = try oracles.mean(higher) - oracles.mean(lower)
        guard found >= Oracles.effectMin else { return }
        #expect(gap > found / 2, "\(higher) - \(lower) is \(gap); it was \(found)")
    }

    // MARK: Poisons

    private func craft(_ name: String) throws -> CraftedPoison {
        var settings = MethodSettings(name: name)
        if !["lsp", "ops", "cuda", "ar"].contains(name) {
            settings.numbers["epsilon"] = Self.epsilon(name)
        }
        if ["em-s", "em-c", "rem"].contains(name) {
            settings.words["surrogate"] = "smallcnn"
            settings.numbers["surrogateWidth"] = 8
        }
        if name == "rem" { settings.numbers.merge(["trainSteps": 300, "batch": 64]) { $1 } }
        if name == "em-c" { settings.numbers["subset"] = 0.5 }
        return try PerturbationRegistry.craft(
            settings, images: train, keys: train.labels, seed: 1)
    }

    /// Test images that carry what images of `keys` carry.
    private func carried(
        _ poison: CraftedPoison, _ name: String, keys: [Int32]
    ) throws -> ImageSet {
        var shown = test
        let delta = try carriedDelta(poison, name, keys: keys)
        for at in delta.indices {
            let level = Double(test.pixels[at]) + 255 * Double(delta[at])
            shown.pixels[at] = UInt8(min(max((level + 0.5).rounded(.down), 0), 255))
        }
        if name == "cuda" {
            shown = try PerturbationRegistry.craft(
                MethodSettings(name: name), images: test, keys: keys, seed: 1
            ).images
        }
        return shown
    }

    /// What is added to test images: drawn for their keys, or that of a training image of the key.
    private func carriedDelta(
        _ poison: CraftedPoison, _ name: String, keys: [Int32]
    ) throws -> [Float] {
        var settings = MethodSettings(name: name)
        if name == "rand-c" { settings.numbers["epsilon"] = Self.epsilon(name) }
        if ["rand-c", "lsp", "cuda", "ar"].contains(name) {
            return try PerturbationRegistry.craft(settings, images: test, keys: keys, seed: 1).delta
        }
        let size = train.pixelsPerImage
        return keys.enumerated().flatMap { image, key -> [Float] in
            let donors = train.labels.indices.filter { donor in
                train.labels[donor] == key
                    && poison.delta[(donor * size)..<((donor + 1) * size)].contains { $0 != 0 }
            }
            let donor = donors[image % donors.count] * size
            return (0..<size).map { element in
                let delta = poison.delta[donor + element]
                guard name == "ops", delta != 0 else { return delta }
                // A pixel that is set shows its colour whatever it was.
                let level = Float(poison.images.pixels[donor + element])
                return (level - Float(test.pixels[image * size + element])) / 255
            }
        }
    }

    private func gray(_ delta: [Float], _ images: ImageSet) -> ImageSet {
        var gray = images
        gray.pixels = delta.map { UInt8(min(max((127.5 + 255 * $0).rounded(), 0), 255)) }
        return gray
    }

    // MARK: Victims

    private func trainer(
        _ images: ImageSet, _ defense: DefenseSettings = DefenseSettings()
    ) throws -> Trainer {
        Trainer(
            network: try ModelRegistry.classifier(
                ModelSettings(name: "smallcnn", width: 8), channels: 1, height: 28, width: 28,
                classes: 10),
            settings: TrainingSettings(epochs: 20, batch: 32, learningRate: 0.05), images: images,
            random: RandomStream(seed: 2),
            defense: try DefenseRegistry.training(defense, on: images))
    }

    private func trained(
        on images: ImageSet, _ defense: DefenseSettings = DefenseSettings()
    ) throws -> Trainer {
        let trainer = try trainer(images, defense)
        for _ in 0..<20 { _ = trainer.trainEpoch() }
        return trainer
    }

    private func firstEpoch(_ images: ImageSet) throws -> Double {
        try trainer(images).trainEpoch().accuracy
    }

    private func accuracy(_ trainer: Trainer, _ images: ImageSet, _ labels: [Int32]) -> Double {
        var judged = images
        judged.labels = labels
        return Evaluator.evaluate(trainer.executor, on: judged, batch: 250).accuracy
    }
}

/// The means of an independent run, by method and question.
private struct Oracles: Decodable {
    let rows: [String: [Double]]

    struct Missing: Error { let row: String }

    static func load() throws -> Oracles {
        let file = (0..<3).reduce(URL(filePath: #filePath)) { path, _ in
            path.deletingLastPathComponent()
        }.appending(path: "Fixtures/oracles/oracles.json")
        return try JSONDecoder().decode(Oracles.self, from: try Data(contentsOf: file))
    }

    func mean(_ row: String) throws -> Double {
        guard let values = rows[row], !values.isEmpty else { throw Missing(row: row) }
        return values.reduce(0, +) / Double(values.count)
    }

    /// Less than this is no effect: nothing is asked then, and the science pages say so.
    static let effectMin = 0.15

    /// Whether a number lies at least half-way from where there is no effect to what was found.
    func agrees(_ value: Double, _ row: String, from none: Double) throws -> Bool {
        let effect = try mean(row) - none
        guard abs(effect) >= Self.effectMin else { return true }
        return (value - none) / effect >= 0.5
    }
}
