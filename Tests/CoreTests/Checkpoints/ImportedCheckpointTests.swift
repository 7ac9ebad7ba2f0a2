import FathomCore
import Testing

@Suite("Checkpoints from elsewhere")
struct ImportedCheckpointTests {
    private let network: Network
    private let parameters: ParameterSet

    init() throws {
        network = try ModelRegistry.classifier(
            ModelSettings(name: "resnet18", width: 2), channels: 1, height: 16, width: 16,
            classes: 4)
        parameters = ParameterSet(network: network, random: RandomStream(seed: 4))
    }

    private func file(_ rename: (String) -> String?) -> SafetensorsFile {
        var file = SafetensorsFile()
        for (name, shape, values) in parameters.named {
            guard let name = rename(name) else { continue }
            file.set(name, to: StoredArray(shape: shape, values: .float32(values)))
        }
        return file
    }

    private func read(_ file: SafetensorsFile) throws -> [[Float]] {
        try ImportedCheckpoint(file: file, path: "net.safetensors").parameters(of: network)
            .named.map(\.values)
    }

    @Test("common spellings of the names are the same network")
    func spellings() throws {
        let expected = parameters.named.map(\.values)
        #expect(try read(file { $0 }) == expected)
        var torchvision = file { name in
            "module."
                + name.replacing("linear.", with: "fc.")
                .replacing("shortcut", with: "downsample")
        }
        torchvision.set(
            "module.bn1.num_batches_tracked", to: StoredArray(shape: [], values: .int64([7])))
        #expect(try read(torchvision) == expected)
    }

    @Test("numbers of other float types are taken over")
    func types() throws {
        var file = file { $0 }
        let count = 4 * 16
        file.set(
            "linear.weight",
            to: StoredArray(
                shape: [4, 16], values: .float64((0..<count).map { Double($0) / 4 })))
        // 1.5 in both.
        let half: [UInt8] = [0x00, 0x3e, 0x00, 0x3e]
        let brain: [UInt8] = [0xc0, 0x3f, 0xc0, 0x3f]
        file.set("bn1.weight", to: StoredArray(shape: [2], values: .raw(type: "F16", bytes: half)))
        file.set("bn1.bias", to: StoredArray(shape: [2], values: .raw(type: "BF16", bytes: brain)))
        let read = try ImportedCheckpoint(file: file, path: "x").parameters(of: network)
        #expect(read["linear.weight"] == (0..<count).map { Float($0) / 4 })
        #expect(read["bn1.weight"] == [1.5, 1.5] && read["bn1.bias"] == [1.5, 1.5])
    }

    @Test("what is missing, misshapen, foreign, double or no number is refused by its name")
    func refusals() throws {
        var misshapen = file { $0 }
        misshapen.set("conv1.weight", to: StoredArray(shape: [18], values: .float32(values(18))))
        var foreign = file { $0 }
        foreign.set("layer5.0.weight", to: StoredArray(shape: [1], values: .float32([1])))
        var double = file { $0 }
        double.set("fc.bias", to: StoredArray(shape: [4], values: .float32(values(4))))
        var whole = file { $0 }
        whole.set("linear.bias", to: StoredArray(shape: [4], values: .int32([1, 2, 3, 4])))
        let wrong: [(SafetensorsFile, [String])] = [
            (file { $0 == "layer2.0.bn1.running_var" ? nil : $0 }, ["layer2.0.bn1.running_var"]),
            (misshapen, ["conv1.weight", "[18]", "[2, 1, 3, 3]"]), (foreign, ["layer5.0.weight"]),
            (double, ["linear.bias", "fc.bias"]), (whole, ["linear.bias", "I32"]),
        ]
        for (file, words) in wrong {
            #expect {
                _ = try read(file)
            } throws: { error in
                words.allSatisfy { "\(error)".contains($0) }
            }
        }
    }

    private func values(_ count: Int) -> [Float] { Array(repeating: 1, count: count) }
}
