import FathomCore
import FathomProtocol
import Foundation
import Testing

@Suite("Text that is hardly a manifest")
struct ManifestTextTests {
    static let cases: [(text: String, says: String)] = [
        ("", "q.yaml: is empty"),
        ("# only a comment\n", "q.yaml: is empty"),
        ("- a\n- b\n", "q.yaml:1: holds a list; a manifest is a mapping"),
        ("hello\n", "q.yaml:1: holds hello; a manifest is a mapping"),
        ("version: 1\n\tname: x\n", "is indented with a tab; YAML takes spaces only"),
        ("version: 1\nname: [a\n", "is not valid YAML"),
        ("version: 1\nname: 'a\n", "is not valid YAML"),
        ("version: 1\n---\nversion: 1\n", "is not valid YAML"),
        ("version: *nothing\n", "is not valid YAML: found undefined alias"),
        ("name: a\u{0}b\n", "is not valid YAML"),
        ("[a, b]: 3\n", "has a list or mapping for a key"),
        (
            String(repeating: "[", count: 40) + String(repeating: "]", count: 40),
            "nests more than 32 levels deep"
        ),
        (String(repeating: "[", count: 100_000), "is not valid YAML"),
        (String(repeating: "x", count: (1 << 20) + 1), "is larger than 1048576 bytes"),
        (
            "name: [" + String(repeating: "a,", count: 100_001) + "]",
            "holds more than 100000 values"
        ),
    ]

    @Test("is refused in plain words", arguments: cases)
    func refused(text: String, says: String) {
        let told = complaint(text)
        #expect(told.contains(says), "\(told.prefix(300))")
    }

    @Test("ten lines of aliases that would write out to a billion values are refused at once")
    func aliasBomb() {
        var text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
        for level in 1..<10 {
            let aliases = Array(repeating: "*a\(level - 1)", count: 10).joined(separator: ", ")
            text += "a\(level): &a\(level) [\(aliases)]\n"
        }
        #expect(complaint(text).contains("holds more than 100000 values, aliases written out"))
        #expect(complaint(text + "? *a9\n: x\n").contains("looks as if a list, mapping or alias"))
        #expect(complaint(text + "*a9 : x\n").contains("keys are plain words"))
    }

    @Test("an alias is as good as what it stands for")
    func aliasIsRead() throws {
        let text = smallestManifest.replacingOccurrences(
            of: "seeds: 2", with: "seeds: &n 2\nseed: *n")
        #expect(try parsed(text).seed == 2)
    }

    @Test("words that YAML takes for something else stay words")
    func typingTraps() throws {
        for name in ["no", "on", "1e3", "0x10", "2024-01-01", "12"] {
            let text = smallestManifest.replacingOccurrences(
                of: "name: small", with: "name: \(name)")
            #expect(try parsed(text).name == name)
            #expect(try parsed(parsed(text).yaml).name == name)
        }
    }

    @Test("numbers may be fractions or have an exponent")
    func numbersAreRead() throws {
        let numbers = "learningRate: 8/255, weightDecay: 5e-4, batch: 1e2"
        let text = smallestManifest + "training: { \(numbers) }"
        let training = try parsed(text).training
        #expect(training.map(\.learningRate) == [8.0 / 255])
        #expect(training.map(\.weightDecay) == [5e-4])
        #expect(training.map(\.batch) == [100])
    }

    @Test("files that cannot be read are told apart")
    func filesAreTold() throws {
        try withFolder { folder in
            func told(_ name: String) -> String {
                do {
                    _ = try Manifest.load("\(folder)/\(name)", capabilities: .forTests)
                    return "no complaint"
                } catch {
                    return error.description
                }
            }
            #expect(told("absent.yaml").hasSuffix("absent.yaml: there is no such file"))
            #expect(told("").contains("cannot be read"))
            try Data([0x6e, 0xff, 0xfe]).write(to: URL(fileURLWithPath: "\(folder)/latin.yaml"))
            #expect(told("latin.yaml").hasSuffix("is not UTF-8 text"))
            try write(String(repeating: "#", count: (1 << 20) + 1), "\(folder)/huge.yaml")
            #expect(told("huge.yaml").hasSuffix("is larger than 1048576 bytes"))
            try write("", "\(folder)/empty.yaml")
            #expect(told("empty.yaml").contains("is empty"))
        }
    }

    @Test("a manifest lies over the one it extends, key by key")
    func extendsAnother() throws {
        try withFolder { folder in
            try write(
                smallestManifest + "training: { epochs: 8, batch: 16 }\n", "\(folder)/base.yaml")
            try write(
                "extends: base.yaml\nname: wider\ntraining: { epochs: 10 }\nmethods: [clean]\n",
                "\(folder)/wider.yaml")
            let manifest = try Manifest.load("\(folder)/wider.yaml", capabilities: .forTests)
            #expect(manifest.name == "wider")
            #expect(manifest.training == [TrainingSettings(epochs: 10, batch: 16)])
            #expect(manifest.methods.map(\.name) == ["clean"])
        }
    }

    @Test("an error in the file extended names that file and its line")
    func errorInBase() throws {
        try withFolder { folder in
            try write(smallestManifest + "seed: x\n", "\(folder)/base.yaml")
            try write("extends: base.yaml\n", "\(folder)/top.yaml")
            let error = #expect(throws: ManifestError.self) {
                try Manifest.load("\(folder)/top.yaml", capabilities: .forTests)
            }
            #expect(error?.description.hasPrefix("\(folder)/base.yaml:7: seed is x") == true)
        }
    }

    @Test("files that extend each other in a circle, too deeply or not at all are refused")
    func extendsWrongly() throws {
        try withFolder { folder in
            func told(_ text: String) throws -> String {
                try write(text, "\(folder)/top.yaml")
                do {
                    _ = try Manifest.load("\(folder)/top.yaml", capabilities: .forTests)
                    return "no complaint"
                } catch {
                    return error.description
                }
            }
            #expect(try told("extends: top.yaml\n").contains("in a circle"))
            let folderName = (folder as NSString).lastPathComponent
            try write("extends: ../\(folderName)/top.yaml\n", "\(folder)/b.yaml")
            #expect(try told("extends: ./b.yaml\n").contains("in a circle"))
            #expect(try told("extends: none.yaml\n").contains("none.yaml; there is no file"))
            #expect(try told("extends: /etc/passwd\n").contains("relative to this one"))
            #expect(try told("extends: [a, b]\n").contains("it must be the path"))
            for level in 0..<9 {
                try write("extends: d\(level + 1).yaml\n", "\(folder)/d\(level).yaml")
            }
            try write(smallestManifest, "\(folder)/d7.yaml")
            #expect(try told("extends: d0.yaml\n") == "no complaint")
            try write("extends: d8.yaml\n", "\(folder)/d7.yaml")
            try write(smallestManifest, "\(folder)/d8.yaml")
            #expect(try told("extends: d0.yaml\n").contains("at most 8 files"))
        }
    }
}
