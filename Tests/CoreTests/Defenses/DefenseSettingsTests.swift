import FathomCore
import Foundation
import Testing

@Suite("Settings of defenses")
struct DefenseSettingsTests {
    private func complaint(_ settings: DefenseSettings) -> String {
        do {
            _ = try DefenseRegistry.resolve(settings, channels: 3, height: 32, width: 32)
            return "no complaint"
        } catch {
            return error.description
        }
    }

    @Test("none is encoded by its name alone, as it always was")
    func encoding() throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        let none = String(decoding: try encoder.encode(DefenseSettings()), as: UTF8.self)
        #expect(none == #"{"name":"none"}"#)
        let jpeg = DefenseSettings(
            name: "jpeg", numbers: ["quality": 10], words: ["testImages": "plain"])
        let decoded = try JSONDecoder().decode(
            DefenseSettings.self, from: try encoder.encode(jpeg))
        #expect(decoded == jpeg)
        let old = try JSONDecoder().decode(DefenseSettings.self, from: Data(none.utf8))
        #expect(old == DefenseSettings())
    }

    @Test("every default is filled in, and complete settings stay as they are")
    func completing() throws {
        for defense in DefenseRegistry.defenses {
            for (channels, side) in [(3, 32), (1, 28)] {
                let once = try DefenseRegistry.resolve(
                    DefenseSettings(name: defense.name), channels: channels, height: side,
                    width: side)
                let twice = try DefenseRegistry.resolve(
                    once, channels: channels, height: side, width: side)
                #expect(once == twice)
                let unconditional = defense.parameters.filter { $0.condition == nil }.map(\.name)
                #expect(
                    Set(unconditional).isSubset(of: Set(once.numbers.keys).union(once.words.keys)))
            }
            #expect((defense.revision == 0) == (defense.name == "none"))
            #expect(!defense.summary.isEmpty)
        }
    }

    @Test("what a defense does not take is refused by name and value")
    func refusals() {
        func settings(_ name: String, _ key: String, _ value: Double) -> DefenseSettings {
            DefenseSettings(name: name, numbers: [key: value])
        }
        #expect(
            complaint(settings("jpeg", "quality", 0))
                == "quality of jpeg is 0.0; it must lie within 1.0...100.0")
        #expect(
            complaint(settings("jpeg", "quality", 10.5))
                == "quality of jpeg is 10.5; it must be a whole number")
        #expect(
            complaint(settings("jpeg", "qualty", 10))
                == "jpeg has no setting qualty (did you mean quality?); it has quality, testImages")
        #expect(
            complaint(DefenseSettings(name: "jpg")).hasPrefix(
                "there is no defense jpg (did you mean jpeg?); known are none, gray"))
        #expect(
            complaint(DefenseSettings(name: "gray", words: ["testImages": "transfromed"]))
                == "testImages of gray is transfromed (did you mean transformed?); it must be one "
                + "of plain, transformed")
        #expect(
            complaint(settings("gray", "testImages", 1))
                == "testImages of gray must be one of plain, transformed")
    }
}
