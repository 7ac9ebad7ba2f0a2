import FathomCore
import Testing

@Suite("settings that methods share")
struct SharedSettingsTests {
    private let images = PoisonFixtures.images(PoisonFixtures.grey, count: 200, classes: 5)

    private func craft(
        _ name: String, _ numbers: [String: Double] = [:], _ words: [String: String] = [:]
    ) throws -> CraftedPoison {
        let settings = MethodSettings(name: name, numbers: numbers, words: words)
        let keys = PoisonKeys.keys(settings, images: images, seed: 2)
        let poison = try PerturbationRegistry.craft(
            settings, images: images, keys: keys, seed: 2)
        try PerturbationProperties.check(
            poison, of: images, keys: keys, settings: settings, seed: 2)
        return poison
    }

    private func touched(_ poison: CraftedPoison) -> Set<Int> {
        Set(
            (0..<images.count).filter { image in
                poison.delta[(image * 784)..<((image + 1) * 784)].contains { $0 != 0 }
                    || poison.images.labels[image] != images.labels[image]
            })
    }

    @Test(
        "a fraction is that share of every class, and smaller ones lie within larger ones",
        arguments: ["rand-s", "ops", "lsp", "cuda", "pil"])
    func fractions(name: String) throws {
        let half = touched(try craft(name, ["fraction": 0.5]))
        let fifth = touched(try craft(name, ["fraction": 0.2]))
        #expect(half.count == 100 && fifth.count == 40 && fifth.isSubset(of: half))
        for label in Int32(0)..<5 {
            #expect(fifth.count { images.labels[$0] == label } == 8)
        }
        let whole = try craft(name)
        for image in fifth {
            let range = (image * 784)..<((image + 1) * 784)
            #expect(try craft(name, ["fraction": 0.2]).delta[range] == whole.delta[range])
            break
        }
    }

    @Test(
        "a fraction of nothing is clean, bit for bit",
        arguments: ["rand-c", "ops", "ar", "label-noise"])
    func fractionOfNothing(name: String) throws {
        let poison = try craft(name, ["fraction": 0])
        #expect(poison.images.pixels == images.pixels && poison.images.labels == images.labels)
        #expect(poison.words["probe"]?.isEmpty == false)
    }

    @Test("a budget of nothing is clean, bit for bit", arguments: ["rand-s", "rand-c", "pil"])
    func budgetOfNothing(name: String) throws {
        #expect(try craft(name, ["epsilon": 0]).images.pixels == images.pixels)
    }

    @Test("only the classes named are touched")
    func classMasks() throws {
        let poison = try craft("lsp", [:], ["classes": "3,0-1"])
        #expect(Set(touched(poison).map { images.labels[$0] }) == [0, 1, 3])
        let resolved = try PerturbationRegistry.resolve(
            MethodSettings(name: "lsp", words: ["classes": " 3, 0-1,1"]), channels: 1, height: 28,
            width: 28)
        #expect(resolved.words == ["classes": "0-1,3"])
        for wrong in ["", "a", "4-2", "-1", "1,,2", "0-99999999"] {
            #expect(throws: MethodError.self, "\(wrong)") {
                try craft("lsp", [:], ["classes": wrong])
            }
        }
    }

    @Test("clusters are keys that follow pixels rather than classes, in any order of images")
    func clusters() throws {
        let settings = MethodSettings(
            name: "rand-c", numbers: ["clusters": 3], words: ["key": "cluster"])
        let keys = PoisonKeys.keys(settings, images: images, seed: 2)
        #expect(Set(keys) == [0, 1, 2])
        let order = Array((0..<200).reversed())
        let reversed = PoisonKeys.keys(settings, images: images.selecting(order), seed: 2)
        #expect(reversed == order.map { keys[$0] })
        let poison = try craft("rand-c", ["clusters": 3], ["key": "cluster"])
        var patterns: Set<[Float]> = []
        for image in 0..<200 {
            patterns.insert(Array(poison.delta[(image * 784)..<((image + 1) * 784)]))
        }
        #expect(patterns.count == 3)
        #expect(poison.numbers["probeKeys"] == 3)
    }

    @Test("two far groups of images are told apart by their clusters")
    func clustersAreRight() {
        var pixels: [UInt8] = []
        for image in 0..<20 { pixels += [UInt8](repeating: image % 2 == 0 ? 10 : 200, count: 64) }
        let groups = ImageSet(
            channels: 1, height: 8, width: 8, classCount: 1, pixels: pixels,
            labels: [Int32](repeating: 0, count: 20), indices: Array(0..<20))
        let settings = MethodSettings(
            name: "lsp", numbers: ["clusters": 2], words: ["key": "cluster"])
        let keys = PoisonKeys.keys(settings, images: groups, seed: 1)
        #expect((0..<20).allSatisfy { keys[$0] == keys[$0 % 2] } && keys[0] != keys[1])
    }

    @Test("a task's targets select patterns, in any order of images: a shortcut to that task")
    func targetKeys() throws {
        // Half of the images have their edges in the lower half, whatever their class.
        var pixels: [UInt8] = []
        for image in 0..<24 {
            for row in 0..<16 {
                for column in 0..<16 {
                    let isBusy = image % 2 == 0 ? row >= 8 : row < 8
                    pixels.append(isBusy && (row + column) % 4 < 2 ? 220 : 40)
                }
            }
        }
        let busy = ImageSet(
            channels: 1, height: 16, width: 16, classCount: 3, pixels: pixels,
            labels: (0..<24).map { Int32($0 / 8) }, indices: (0..<24).map { 5 * $0 + 1 })
        let targets = TaskTargets(
            of: [.edge], images: busy, labels: busy.labels, maps: nil,
            clips: ClipConstants(for: [.edge], of: busy))
        let settings = MethodSettings(
            name: "lsp", numbers: ["clusters": 2], words: ["key": "edge"])
        #expect(PerturbationRegistry.targetsNeeded(by: settings) == [.edge])
        let keys = PoisonKeys.keys(settings, images: busy, seed: 1, targets: targets)
        #expect((0..<24).allSatisfy { keys[$0] == keys[$0 % 2] } && keys[0] != keys[1])
        let order = [7, 2, 23, 0, 11]
        let part = PoisonKeys.keys(
            settings, images: busy.selecting(order), seed: 1, targets: targets)
        #expect(Set(zip(part, order).map { [Int($0), $1 % 2] }).count == 2)
        let poison = try PerturbationRegistry.craft(
            settings, images: busy, keys: keys, seed: 1, targets: targets)
        #expect(poison.numbers["probeKeys"] == 2)
    }

    @Test("defaults are left out of complete settings, so that keys of jobs stay as they were")
    func defaultsAreLeftOut() throws {
        let given = MethodSettings(
            name: "ops", numbers: ["fraction": 1], words: ["classes": "all", "key": "class"])
        let resolved = try PerturbationRegistry.resolve(given, channels: 1, height: 28, width: 28)
        #expect(resolved == MethodSettings(name: "ops", numbers: ["sparsity": 1]))
        #expect(throws: MethodError.self) {
            try craft("ops", ["clusters": 3])
        }
        #expect(throws: MethodError.self) { try craft("clean", ["fraction": 0.5]) }
        #expect(throws: MethodError.self) { try craft("ops", ["fraction": 1.5]) }
        #expect(throws: MethodError.self) { try craft("ops", [:], ["key": "clust"]) }
    }
}
