import FathomCore
import Testing

@Suite("Dense heads")
struct DenseHeadTests {
    private static let sizes: [(width: Int, counts: [Int: Int])] = [
        (8, [1: 9_073, 3: 9_363, 8: 10_088]), (16, [1: 35_809, 3: 36_387, 8: 37_832]),
        (32, [1: 85_969, 3: 86_835, 8: 89_000]), (64, [1: 172_993, 3: 174_147, 8: 177_032]),
    ]

    private func network(
        _ model: ModelSettings, _ heads: [HeadSettings], side: Int = 32, channels: Int = 3
    ) throws -> Network {
        try ModelRegistry.network(
            model, heads: heads, channels: channels, height: side, width: side)
    }

    private func dense(
        _ task: String, _ channels: Int, _ kind: HeadSettings.DenseKind = .fpn
    ) -> HeadSettings {
        HeadSettings(task: task, kind: .dense(kind: kind, channels: channels))
    }

    private let classifier = HeadSettings(task: "cls", kind: .classifier(classes: 10))

    @Test("fpn heads have the parameters of the published table and eight measured layers")
    func counts() throws {
        for (width, counts) in Self.sizes {
            let model = ModelSettings(name: "resnet18", width: width)
            let alone = try network(model, [classifier])
            for (channels, count) in counts {
                let both = try network(model, [classifier, dense("depth", channels)])
                #expect(both.parameterCount - alone.parameterCount == count)
                #expect(both.measured.count - alone.measured.count == 8)
                #expect(both.measured.filter { $0.task == "depth" }.count == 8)
                #expect(both.sharedLayers == Array(0..<20))
            }
        }
    }

    @Test("a head's layers carry its task's name; the classifier's keep PyTorch's")
    func names() throws {
        let model = ModelSettings(name: "resnet18", width: 2)
        let both = try network(
            model, [classifier, dense("depth", 1), dense("auto", 3, .ae), dense("lin", 1, .probe)])
        #expect(both.heads.map(\.task) == ["cls", "depth", "auto", "lin"])
        #expect(
            both.measured.dropFirst(20).map(\.name) == [
                "linear", "depth.lateral4", "depth.lateral3", "depth.smooth3", "depth.lateral2",
                "depth.smooth2", "depth.lateral1", "depth.smooth1", "depth.output",
                "auto.lateral4", "auto.smooth3", "auto.smooth2", "auto.smooth1", "auto.output",
                "lin.output",
            ])
        #expect(Set(both.parameterNames.map(\.name)).count == both.parameterNames.count)
    }

    @Test("heads fit sides that are no multiples of the strides", arguments: [28, 30, 33])
    func oddSides(_ side: Int) throws {
        for name in ["lenet5", "smallcnn", "resnet18", "resnet34", "resnet50"] {
            let model = ModelSettings(name: name, width: name == "lenet5" ? nil : 2)
            for kind in HeadSettings.DenseKind.allCases {
                let network = try network(model, [dense("depth", 2, kind)], side: side)
                let executor = Executor(
                    network: network,
                    parameters: ParameterSet(network: network, random: RandomStream(seed: 1)))
                executor.prepare(batch: 2)
                executor.forward(mode: .evaluation)
                let (values, shape) = executor.prediction(0)
                #expect(shape == .image(channels: 2, height: side, width: side))
                #expect(values.values.allSatisfy { $0.isFinite })
            }
        }
    }

    @Test("gradients of networks with several heads agree with differences")
    func gradients() throws {
        let heads = [
            HeadSettings(task: "cls", kind: .classifier(classes: 4)), dense("depth", 1),
            dense("auto", 2, .ae), dense("lin", 1, .probe),
        ]
        for model in [
            ModelSettings(name: "resnet18", width: 2), ModelSettings(name: "smallcnn", width: 3),
            ModelSettings(name: "lenet5"),
        ] {
            let cases = try GradientCheck.model(
                model, heads: heads, channels: 2, height: 18, width: 17)
            for one in cases {
                let failed = one.checks.filter { $0.error > $0.tolerance }
                #expect(one.passed, "\(one.name): \(failed.map { "\($0.what) \($0.error)" })")
            }
        }
    }

    @Test("heads that cannot be built are refused by their task")
    func refusals() throws {
        let wrong: [(ModelSettings, [HeadSettings], String)] = [
            (ModelSettings(name: "mlp"), [dense("depth", 1)], "depth"),
            (ModelSettings(name: "lenet5"), [dense("depth", 0)], "depth"),
            (ModelSettings(name: "lenet5"), [dense("d.p", 1)], "d.p"),
            (ModelSettings(name: "lenet5"), [dense("edge", 1), dense("edge", 1)], "twice"),
            (ModelSettings(name: "lenet5"), [], "head"),
        ]
        for (model, heads, word) in wrong {
            #expect {
                _ = try network(model, heads)
            } throws: { error in
                "\(error)".contains(word)
            }
        }
    }
}
