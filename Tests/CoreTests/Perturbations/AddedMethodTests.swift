import FathomCore
import Foundation
import Testing

/// `docs/add-a-method.md` followed to the letter: its example is one file, registered by one line.
@Suite("A method added as the manual says")
struct AddedMethodTests {
    private let images = PoisonFixtures.images(PoisonFixtures.colour, count: 240, classes: 8)

    private func registered<Result>(_ body: () throws -> Result) rethrows -> Result {
        try PerturbationRegistry.$additional.withValue([SquareMethod()], operation: body)
    }

    @Test("is the manual's example, letter for letter")
    func exampleIsVerbatim() throws {
        let file = URL(filePath: #filePath)
        let root = (0..<4).reduce(file) { path, _ in path.deletingLastPathComponent() }
        let manual = try String(
            contentsOf: root.appending(path: "docs/add-a-method.md"), encoding: .utf8)
        let source = try String(
            contentsOf: file.deletingLastPathComponent().appending(path: "SquareMethod.swift"),
            encoding: .utf8)
        let example = manual.components(separatedBy: "```swift\n")[1]
            .components(separatedBy: "```")[0]
        #expect(source == "import FathomCore\n\n" + example)
    }

    @Test("is held to all properties, at any shape and number of classes")
    func propertiesHold() throws {
        try registered {
            let odd = PoisonFixtures.images(
                ImageShape(channels: 1, height: 9, width: 14), count: 60, classes: 3)
            for set in [images, odd] {
                for numbers in [[:], ["epsilon": 0], ["fraction": 0.5], ["side": 7]] {
                    let settings = MethodSettings(name: "square", numbers: numbers)
                    let poison = try PerturbationRegistry.craft(
                        settings, images: set, keys: set.labels, seed: 3)
                    try PerturbationProperties.check(
                        poison, of: set, keys: set.labels, settings: settings, seed: 3)
                    #expect(poison.numbers["ssim"] != nil && poison.numbers["corners"] == 4)
                }
            }
        }
    }

    @Test("gets defaults, errors, revision, combinations and masks for nothing")
    func theRestWorks() throws {
        func resolved(_ settings: MethodSettings) throws -> MethodSettings {
            try PerturbationRegistry.resolve(settings, channels: 3, height: 32, width: 32)
        }
        try registered {
            #expect(
                try resolved(MethodSettings(name: "square")).numbers
                    == ["epsilon": 8.0 / 255, "side": 4])
            #expect(try PerturbationRegistry.revision(of: "square") == 1)
            for (numbers, told) in [
                (["syde": 3.0], "did you mean side?"), (["side": 40], "longer than the image's"),
                (["epsilon": 0.001], "must lie within"),
            ] {
                let error = caught(MethodError.self) {
                    _ = try resolved(MethodSettings(name: "square", numbers: numbers))
                }
                #expect(error?.description.contains(told) == true)
            }
            let both = try resolved(MethodSettings(name: "square+lsp"))
            #expect(both.components.map(\.name) == ["lsp", "square"])
            let masked = try PerturbationRegistry.craft(
                MethodSettings(name: "square", words: ["classes": "2"]), images: images,
                keys: images.labels, seed: 1)
            #expect(masked.numbers["poisonedImages"] == 30)
        }
        // Outside it is as unknown as it was, and its nearest name is not it.
        let unknown = caught(MethodError.self) {
            _ = try resolved(MethodSettings(name: "square"))
        }
        #expect(unknown?.description.contains("there is no method square") == true)
    }
}
