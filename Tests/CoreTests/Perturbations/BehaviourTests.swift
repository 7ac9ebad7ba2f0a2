import FathomCore
import Foundation
import Synchronization
import Testing

private let isSlow = ProcessInfo.processInfo.environment["FATHOM_SLOW"] == "1"

/// What poisons and defenses do to a victim on Fashion-MNIST, held to what a program in NumPy and
/// PyTorch found before (`Tests/Fixtures/oracles`): each claim is a difference that must be above
/// half of what it was there. Where the seeds there did not agree on an effect nothing is asked.
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

    /// Holds a difference to what the independent run found of it, and prints both.
    private func hold(_ claim: String, _ difference: Double) throws {
        let found = try oracles.claim(claim)
        let asked = found.bound.map { "above \($0)" } ?? "nothing"
        print("behaviour: \(claim) \(difference), there \(found.found), asked \(asked)")
        guard let bound = found.bound else { return }
        #expect(difference > bound, "\(claim) is \(difference); there it was \(found.found)")
    }

    /// Of a network trained on clean images; the same for all tests.
    private static let clean = Mutex<Double?>(nil)

    private func cleanAccuracy() throws -> Double {
        if let known = Self.clean.withLock({ $0 }) { return known }
        let accuracy = accuracy(try trained(on: train), test, test.labels)
        Self.clean.withLock { $0 = accuracy }
        return accuracy
    }

    @Test("the pattern of another class is seen instead of the image", arguments: shortcuts)
    func patternsAreFollowed(name: String) throws {
        let poison = try craft(name)
        let victim = try trained(on: poison.images)
        let turned = test.labels.map { ($0 + 1) % 10 }
        let plain = accuracy(victim, test, test.labels)
        let right = accuracy(victim, try carried(poison, name, keys: test.labels), test.labels)
        let other = accuracy(victim, try carried(poison, name, keys: turned), turned)
        // A poisoned network is worse on clean images, right where keys are, and led by them.
        try hold(name + "/damage", cleanAccuracy() - plain)
        try hold(name + "/keys", right - plain)
        try hold(name + "/led", other)
    }

    @Test("what is added to gray images tells the classes by itself", arguments: shortcuts)
    func grayIsEnough(name: String) throws {
        let poison = try craft(name)
        let victim = try trained(on: gray(poison.delta, train))
        let fresh = try carriedDelta(poison, name, keys: test.labels)
        // One in ten is right by chance.
        try hold(name + "/gray", accuracy(victim, gray(fresh, test), test.labels) - 0.1)
    }

    @Test("noise that is made for every image harms", arguments: ["em-s", "rem"])
    func sampleWiseNoiseHarms(name: String) throws {
        let victim = try trained(on: craft(name).images)
        try hold(name + "/damage", cleanAccuracy() - accuracy(victim, test, test.labels))
    }

    @Test("em-s is fitted in the first epoch, sooner than clean images")
    func errorMinimisingIsFittedEarly() throws {
        let poisoned = try firstEpoch(try craft("em-s").images)
        try hold("em-s/early", poisoned - firstEpoch(train))
    }

    @Test("rem stays below em-s under adversarial training at 4/255")
    func robustNoiseLasts() throws {
        let defense = DefenseSettings(
            name: "at", numbers: ["epsilon": 4.0 / 255, "steps": 3, "stepSize": 2.0 / 255])
        let scores = try ["rem", "em-s"].map { name in
            try accuracy(trained(on: craft(name).images, defense), test, test.labels)
        }
        try hold("rem/robust", scores[1] - scores[0])
    }

    @Test("adversarial training undoes rand-c, and does less for ops than cutout")
    func defensesDiffer() throws {
        let at = DefenseSettings(name: "at", words: ["tier": "cpu"])
        func score(_ name: String, _ defense: DefenseSettings) throws -> Double {
            try accuracy(trained(on: craft(name).images, defense), test, test.labels)
        }
        try hold("rand-c/restored", score("rand-c", at) - score("rand-c", DefenseSettings()))
        let cutout = try score("ops", DefenseSettings(name: "cutout"))
        try hold("ops/cutout-not-at", cutout - score("ops", at))
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

/// What an independent run found, by claim.
private struct Oracles: Decodable {
    struct Claim: Decodable {
        /// The difference of every seed.
        let found: [Double]
        /// What ours must be above; `nil` where the seeds did not agree on an effect.
        let bound: Double?
    }

    let claims: [String: Claim]

    struct Missing: Error { let claim: String }

    static func load() throws -> Oracles {
        let file = (0..<3).reduce(URL(filePath: #filePath)) { path, _ in
            path.deletingLastPathComponent()
        }.appending(path: "Fixtures/oracles/oracles.json")
        return try JSONDecoder().decode(Oracles.self, from: try Data(contentsOf: file))
    }

    func claim(_ name: String) throws -> Claim {
        guard let claim = claims[name] else { throw Missing(claim: name) }
        return claim
    }
}
