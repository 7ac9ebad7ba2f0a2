import FathomCore
import FathomProtocol
import Foundation
import Testing

@Suite("Manifests read")
struct ManifestGridTests {
    @Test("defaults are what docs/manifest.md says")
    func defaults() throws {
        let manifest = try parsed(smallestManifest)
        #expect(manifest.seed == 0)
        #expect(manifest.tasks == ["cls"])
        #expect(manifest.defenses == [DefenseSettings(name: "none")])
        #expect(manifest.training == [TrainingSettings()])
        #expect(
            manifest.sal == [
                SALSweepSettings(
                    every: 2, from: 2, settings: SALSettings(), viewsFollowTraining: true)
            ])
        #expect(manifest.compare == ComparisonSettings())
        #expect(
            manifest.methods == [
                MethodSettings(name: "clean"),
                MethodSettings(name: "rand-s", numbers: ["epsilon": 8.0 / 255]),
                MethodSettings(name: "lsp", numbers: ["patch": 7]),
            ])
    }

    static let axes: [(old: String, new: String, cells: Int)] = [
        ("seeds: 2", "seeds: 2\ntraining: { learningRate: [0.1, 0.05], batch: [32, 64] }", 12),
        ("seeds: 2", "seeds: 2\ntraining: [{ epochs: 4 }, { epochs: 8 }]", 6),
        ("seeds: 2", "seeds: 2\ntraining: { augment: [[], [crop], [flip, crop]] }", 9),
        (
            "seeds: 2",
            "seeds: 2\ntraining: { schedule: [constant, step], milestones: [5], factor: 0.2 }", 6
        ),
        ("seeds: 2", "seeds: 2\nsal: { radius: [0.05, 0.1], steps: [2, 4] }", 12),
        (
            "seeds: 2",
            "seeds: 2\nsal: { solver: [normalized, reference], steps: [2, 4], passes: [5, 9] }",
            12
        ),
        ("set: mnist", "set: [mnist, kmnist]", 6),
        ("train: 2000", "train: [1000, 2000]", 6),
        ("{ set: mnist, train: 2000, test: 1000 }", "[mnist, { set: kmnist, train: 1000 }]", 6),
        ("[lenet5]", "[lenet5, { name: resnet18, width: [8, 16] }]", 9),
        ("rand-s", "{ name: rand-s, epsilon: [4/255, 8/255] }", 4),
        ("rand-s", "{ name: [rand-s, rand-c], epsilon: 4/255 }", 4),
    ]

    @Test("any scalar may be a list, which multiplies the cells", arguments: axes)
    func axesMultiply(old: String, new: String, cells: Int) throws {
        let text = smallestManifest.replacingOccurrences(of: old, with: new)
        let plan = try planned(text)
        #expect(plan.cells.count == cells)
        #expect(Set(plan.cells.map(\.key)).count == cells)
        let names = plan.cells.map { "\($0.methodLabel) \($0.modelLabel)" }
        #expect(Set(names).count == cells, "each cell has a name of its own: \(names)")
    }

    @Test("seeds are a count, a list, or varied apart")
    func seedForms() throws {
        func runs(_ seeds: String) throws -> [(number: Int, seeds: RunSeeds)] {
            let text = smallestManifest.replacingOccurrences(
                of: "seeds: 2", with: "seeds: \(seeds)")
            return try parsed(text + "seed: 9\n").seeds.runs(sweep: 9)
        }
        #expect(try runs("3").map(\.number) == [0, 1, 2])
        #expect(try runs("[4, 2]").map(\.number) == [4, 2])
        #expect(
            try runs("[4]").map(\.seeds)
                == [RunSeeds(sweep: 9, data: 4, poison: 4, train: 4, sal: 4)])
        let apart = try runs("{ poison: 5, train: [1, 7] }")
        #expect(apart.map(\.number) == [1, 7])
        #expect(
            apart.map(\.seeds) == [
                RunSeeds(sweep: 9, data: 0, poison: 5, train: 1, sal: 0),
                RunSeeds(sweep: 9, data: 0, poison: 5, train: 7, sal: 0),
            ])
        #expect(try runs("{ data: [3, 4], sal: [5, 6] }").map(\.number) == [0, 1, 2, 3])
    }

    @Test(
        "every second epoch means 2, 4, and always the last",
        arguments: [
            (2, 2, 8, [2, 4, 6, 8]), (2, 2, 7, [2, 4, 6, 7]), (2, 3, 8, [4, 6, 8]),
            (5, 1, 12, [5, 10, 12]), (1, 3, 5, [3, 4, 5]), (50, 1, 20, [20]), (1, 1, 1, [1]),
        ])
    func measuredEpochs(every: Int, from: Int, epochs: Int, measured: [Int]) {
        let sweep = SALSweepSettings(
            every: every, from: from, settings: SALSettings(), viewsFollowTraining: true)
        #expect(sweep.measuredEpochs(of: epochs) == measured)
    }

    @Test("images are viewed augmented once where training augments, unless told otherwise")
    func viewsFollowTraining() throws {
        func views(_ lines: String) throws -> [Int] {
            try planned(smallestManifest + lines).cells.map(\.sal.views)
        }
        #expect(try views("") == [0, 0, 0])
        #expect(try views("training: { augment: [crop, flip] }") == [1, 1, 1])
        #expect(try views("training: { augment: flip }\nsal: { views: 4 }") == [4, 4, 4])
        #expect(try views("training: { augment: flip }\nsal: { views: 0 }") == [0, 0, 0])
        #expect(
            try views("training: { augment: [[], [crop]] }\nsal: { views: auto }")
                == [0, 0, 0, 1, 1, 1])
    }

    static let manifests: [String] =
        [smallestManifest]
        + axes.map { smallestManifest.replacingOccurrences(of: $0.old, with: $0.new) }
        + [
            smallestManifest + "training: { augment: [[], [crop]] }\n",
            smallestManifest + "training: { augment: [crop] }\nsal: { views: [0, 3] }\n",
            smallestManifest + "sal: { solver: reference, settle: 1e-4, rate: 1/3, every: 3 }\n",
            smallestManifest + "compare: { controls: [], baseline: vanilla }\nseed: 77\n",
            smallestManifest.replacingOccurrences(
                of: "seeds: 2", with: "seeds: { data: 3, train: [0, 1], sal: [4, 5] }"),
            smallestManifest.replacingOccurrences(
                of: "lsp", with: "{ name: lsp, norm: 0.65 }, { name: rand-c, variant: sign }"),
        ]

    @Test("a manifest with all defaults written out plans the same sweep", arguments: manifests)
    func roundTrip(text: String) throws {
        let manifest = try parsed(text)
        let again = try parsed(manifest.yaml, file: "defaults.yaml")
        let (plan, replanned) = (try planned(manifest), try planned(again))
        #expect(replanned.cells == plan.cells)
        #expect(replanned.jobs == plan.jobs)
        #expect(replanned.manifest == plan.manifest)
        #expect(again.yaml == manifest.yaml)
    }

    @Test("the canonical manifest is JSON with every section")
    func canonicalManifest() throws {
        let text = try parsed(smallestManifest).canonicalJSON
        let object = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]
        #expect(
            object?.keys.sorted() == [
                "audit", "compare", "data", "defenses", "keep", "methods", "models", "name", "sal",
                "seed",
                "seeds", "tasks", "training", "version",
            ])
    }

    @Test("which checkpoints stay is one of three words")
    func keep() throws {
        #expect(try parsed(smallestManifest).keep == .measured)
        let manifest = try parsed(smallestManifest + "\nkeep: last\n")
        #expect(manifest.keep == .last)
        #expect(try planned(manifest).keep == .last)
        #expect(throws: ManifestError.self) {
            try parsed(smallestManifest + "\nkeep: everything\n")
        }
    }

    @Test("an audited share is a number or a percentage", arguments: ["0.25", "25%", "1/4"])
    func audit(text: String) throws {
        #expect(try parsed(smallestManifest).audit == 0)
        let manifest = try parsed(smallestManifest + "\naudit: \(text)\n")
        #expect(manifest.audit == 0.25)
        #expect(try planned(manifest).auditShare == 0.25)
        for wrong in ["2", "-1%", "101%", "much"] {
            #expect(throws: ManifestError.self) {
                try parsed(smallestManifest + "\naudit: \"\(wrong)\"\n")
            }
        }
    }

    @Test("the quickstart is cross-task on rooms")
    func quickstart() throws {
        var capabilities = Capabilities.forTests
        capabilities.dataSets.append("rooms10")
        capabilities.tasks.append("normal")
        capabilities.models.append(ModelCapability("smallcnn", defaultWidth: 16))
        capabilities.optimizers.append(.adam)
        let manifest = try Manifest.load(
            "\(repositoryRoot)/sweeps/quickstart.yaml", capabilities: capabilities)
        #expect(manifest.data.map(\.set) == ["rooms10"] && manifest.tasks == ["cls", "normal"])
        #expect(manifest.methods.map(\.name) == ["clean", "rand-s", "rand-c", "lsp", "ops"])
        #expect(manifest.seeds == .together([0, 1]))
        #expect(
            manifest.compare
                == ComparisonSettings(baseline: .both, threshold: .released, controls: ["rand-s"]))
    }

    @Test("the quickstart with Fashion-MNIST is what it is said to be")
    func quickstartFashion() throws {
        let manifest = try Manifest.load(
            "\(repositoryRoot)/sweeps/quickstart-fashion.yaml", capabilities: .forTests)
        #expect(manifest.data == [DataSettings(set: "fashion-mnist", train: 2_000, test: 1_000)])
        #expect(manifest.methods.map(\.name) == ["clean", "rand-s", "rand-c", "lsp", "ops"])
        #expect(manifest.models == [ModelSettings(name: "lenet5")])
        #expect(manifest.seeds == .together([0, 1]))
        #expect(manifest.training == [TrainingSettings(epochs: 20, batch: 32, learningRate: 0.05)])
        #expect(manifest.sal.map(\.settings) == [SALSettings()])
        #expect(
            manifest.compare
                == ComparisonSettings(baseline: .both, threshold: .released, controls: ["rand-s"]))
        let summary = PlanSummary(try planned(manifest))
        #expect(summary.cells == 5 && summary.runs == 10)
        #expect(summary.poisonJobs == 8 && summary.trainJobs == 100 && summary.salJobs == 100)
        #expect(summary.salEntries == 500)
        #expect(summary.notes.isEmpty)
    }
}
