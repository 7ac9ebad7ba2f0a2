import FathomProtocol
import Foundation
import Testing

@Suite("Errors of manifests")
struct ManifestErrorTests {
    @Test("the sample everything else is built on is right")
    func sampleIsRight() { #expect(complaint(smallestManifest) == "no complaint") }

    static let cases: [(line: String, says: String)] = [
        (
            "training: { epochs: -3 }",
            "training.epochs is -3; it must be a whole number from 1 to 100000"
        ),
        (
            "training: { epochs: 2.5 }",
            "training.epochs is 2.5; it must be a whole number from 1 to"
        ),
        (
            "training: { epochs: \"20\" }",
            "training.epochs is \"20\"; it must be a whole number from 1 to 100000, with"
        ),
        ("training: { epochs: }", "training.epochs is empty; it must be a whole number"),
        ("training: { epochs: {} }", "training.epochs is a mapping; it must be a whole number"),
        ("training: { epoch: 3 }", "training.epoch is not a known key; did you mean epochs?"),
        ("training: { zebra: 3 }", "training.zebra is not a known key; known are epochs, batch,"),
        ("training: { init: {} }", "training.init.checkpoint is missing; it says which one"),
        (
            "training: { learningRate: nan }",
            "training.learningRate is nan; it must be a number above 0 to 1000"
        ),
        ("training: { learningRate: .inf }", "training.learningRate is .inf; it must be a number"),
        ("training: { learningRate: 1e999 }", "training.learningRate is 1e999; it must be"),
        ("training: { learningRate: 0x10 }", "training.learningRate is 0x10; it must be a number"),
        ("training: { learningRate: 1/0 }", "training.learningRate is 1/0; it must be a number"),
        (
            "training: { momentum: 1 }",
            "training.momentum is 1; it must be a number from 0 to below 1"
        ),
        ("training: { nesterov: yes }", "training.nesterov is yes; it must be true or false"),
        (
            "training: { optimizer: adam }",
            "training.optimizer is adam; that is known but not supported by this version: it must"
        ),
        (
            "training: { optimizer: sdg }",
            "training.optimizer is sdg; it must be one of sgd; did you mean sgd?"
        ),
        ("training: { schedule: step }", "training.milestones is missing; schedule: step needs"),
        (
            "training: { milestones: [5] }",
            "training.milestones is a list; that has no effect without schedule: step; leave it"
        ),
        (
            "training: { schedule: step, milestones: [25] }",
            "training.milestones[0] is 25; it must be a whole number from 1 to 20"
        ),
        (
            "training: { augment: [crop, crop] }",
            "training.augment[1] is crop; it is in the list already"
        ),
        (
            "training: { augment: [rotate] }",
            "training.augment[0] is rotate; it must be one of crop, flip"
        ),
        (
            "training: { learningRate: [] }",
            "training.learningRate is an empty list; an axis of the grid needs at least one value"
        ),
        (
            "training: { learningRate: [0.1, 0.1] }",
            "training.learningRate[1] is 0.1; it is on this axis already"
        ),
        ("training: 5", "training is 5; it must be a mapping of keys to values"),
        ("sal: { every: 0 }", "sal.every is 0; it must be a whole number from 1 to 100000"),
        ("sal: { images: 3000 }", "sal.images is 3000; it must be at most data.train, 2000"),
        (
            "sal: { images: 1500, data: test }",
            "sal.images is 1500; it must be at most data.test, 1000"
        ),
        ("sal: { from: 21 }", "sal.from is 21; it must be at most training.epochs, 20"),
        ("sal: { passes: 3 }", "sal.passes is 3; that has no effect without solver: reference"),
        ("sal: { granularity: weight }", "sal.granularity is weight; it must be one of"),
        ("sal: { filters: 4 }", "sal.filters is 4; that has no effect without granularity"),
        ("sal: { settle: -1 }", "sal.settle is -1; it must be a number above 0 to 1"),
        ("sal: { views: many }", "sal.views is many; it must be a whole number from 0 to 64"),
        (
            "sal: { solver: reference, laterSteps: 0.7 }",
            "sal.laterSteps is 0.7; that has no effect without solver"
        ),
        ("sal: { stepsPerPass: 4 }", "sal.stepsPerPass is 4; that has no effect without solver"),
        ("tasks: [depth]", "tasks[0] is depth; that is known but not supported by this version"),
        ("tasks: [{ multi: [cls, depth] }]", "tasks[0] is a mapping; several tasks at once"),
        ("tasks: []", "tasks is an empty list; it needs from 1 to 10000 values"),
        ("defenses: avatar", "defenses is avatar; that is known but not supported by this version"),
        ("seed: -1", "seed is -1; it must be a whole number from 0 to 9007199254740992"),
        ("compare: { threshold: [crossfit] }", "compare.threshold is a list; it must be one of"),
        ("compare: { threshold: crosfit }", "did you mean crossfit?"),
        ("compare: { controls: [rand] }", "compare.controls[0] is rand; it must be one of clean"),
        ("mixedHosts: true", "key mixedHosts is known but not supported by this version"),
        ("modles: [lenet5]", "modles is not a known key; did you mean models?"),
        ("<<: 3", "<< is not a known key"),
    ]

    @Test("each says file, line, field, value and what would be right", arguments: cases)
    func lineIsTold(line: String, says: String) {
        let told = complaint(about: line)
        #expect(told.hasPrefix("q.yaml:7: "), "\(told)")
        #expect(told.contains(says), "\(told)")
        #expect(!told.contains("\n"), "one problem is one line: \(told)")
    }

    static let replacements: [(old: String, new: String, says: String)] = [
        ("version: 1", "version: 2", "q.yaml:1: version is 2; this build reads version 1 only"),
        ("version: 1", "version: \"1\"", "q.yaml:1: version is \"1\"; this build reads"),
        ("version: 1\n", "", "q.yaml:1: version is missing; write version: 1"),
        ("name: small\n", "", "q.yaml:1: name is missing; it must be 1 to 64 letters"),
        ("name: small", "name: ../etc", "q.yaml:2: name is ../etc; it must be 1 to 64 letters"),
        ("name: small", "name: \(String(repeating: "x", count: 65))", "q.yaml:2: name is xxx"),
        ("name: small", "name: naïve", "q.yaml:2: name is naïve; it must be"),
        (
            "set: mnist", "set: mnits",
            "q.yaml:3: data.set is mnits; it must be one of fashion-mnist"
        ),
        ("set: mnist", "set: cifar10", "data.set is cifar10; that is known but not supported"),
        ("set: mnist, ", "", "q.yaml:3: data.set is missing; it says which one is meant"),
        ("train: 2000", "path: x", "q.yaml:3: key data.path is known but not supported"),
        ("train: 2000", "train: -1", "data.train is -1; it must be a whole number from 0 to"),
        ("[clean, rand-s, lsp]", "[clean, randd-s]", "methods[1] is randd-s; it must be one of"),
        ("[clean, rand-s, lsp]", "[clean, randd-s]", "did you mean rand-s?"),
        ("[clean, rand-s, lsp]", "[clean, ntga]", "methods[1] is ntga; that is known but not"),
        ("[clean, rand-s, lsp]", "[clean, clean]", "methods[1] is clean; it comes to the same as"),
        ("[clean, rand-s, lsp]", "[{ epsilon: 1 }]", "methods[0].name is missing; it says which"),
        (
            "[clean, rand-s, lsp]", "[{ name: rand-s, epsilon: 8 }]",
            "q.yaml:4: methods[0].epsilon is 8; it must be a number from 0 to 1"
        ),
        (
            "[clean, rand-s, lsp]", "[{ name: rand-s, patch: 4 }]",
            "methods[0].patch is not a known key"
        ),
        (
            "[clean, rand-s, lsp]", "[{ name: lsp, craftTask: cls }]",
            "methods[0].craftTask is not a known key"
        ),
        (
            "[clean, rand-s, lsp]", "[{ name: rand-c, variant: loud }]",
            "methods[0].variant is loud; it must be one of uniform, sign"
        ),
        (
            "[clean, rand-s, lsp]", "[{ name: lsp, patch: 2.5 }]",
            "methods[0].patch is 2.5; it must be a whole number from 1 to 64"
        ),
        ("[clean, rand-s, lsp]", "~", "q.yaml:4: methods is empty; it must be one of"),
        (
            "[lenet5]", "[lenet]",
            "q.yaml:5: models[0] is lenet; it must be one of lenet5, resnet18"
        ),
        (
            "[lenet5]", "[{ name: lenet5, width: 8 }]",
            "q.yaml:5: models[0].width is 8; lenet5 has no width to choose"
        ),
        ("[lenet5]", "[{ name: resnet18, width: 0 }]", "models[0].width is 0; it must be a whole"),
        (
            "[lenet5]", "[resnet18, { name: resnet18, width: 64 }]",
            "models[1] is a mapping; it comes to the same as models[0]"
        ),
        (
            "seeds: 2", "seeds: 0",
            "q.yaml:6: seeds is 0; it must be a whole number from 1 to 10000"
        ),
        (
            "seeds: 2", "seeds: [3, 3]",
            "q.yaml:6: seeds[1] is 3; it comes to the same as seeds[0]"
        ),
        ("seeds: 2", "seeds: { tran: 1 }", "seeds.tran is not a known key; did you mean train?"),
        ("seeds: 2", "seeds: [-1]", "seeds[0] is -1; it must be a whole number from 0 to"),
        ("seeds: 2", "seeds: 2\nseeds: 3", "seeds is written more than once in the same mapping"),
    ]

    @Test("what is written wrongly is told where it stands", arguments: replacements)
    func replacementIsTold(old: String, new: String, says: String) {
        let text = smallestManifest.replacingOccurrences(of: old, with: new)
        #expect(text != smallestManifest)
        let told = complaint(text)
        #expect(told.contains(says), "\(told)")
    }

    @Test("several problems are told together, in the order of the file")
    func severalProblems() {
        let text = smallestManifest + "sal: { every: 0 }\ntraining: { epochs: 0, batch: 0 }\n"
        let lines = complaint(text).split(separator: "\n")
        #expect(lines.count == 3)
        #expect(lines.first?.hasPrefix("q.yaml:7: sal.every") == true)
        #expect(lines.last?.hasPrefix("q.yaml:8: training.batch") == true)
    }

    @Test("more than twenty problems are counted, not shown")
    func manyProblems() {
        let keys = (0..<30).map { "zzzzzzzz\($0): 1" }.joined(separator: "\n")
        let lines = complaint(smallestManifest + keys).split(separator: "\n")
        #expect(lines.count == 21)
        #expect(lines.last == "and 10 more problems")
    }

    @Test("an error carries its parts")
    func partsOfAnError() throws {
        let error = #expect(throws: ManifestError.self) {
            try parsed(smallestManifest + "training:\n  epochs: -3\n")
        }
        let problem = try #require(error?.problems.first)
        #expect(problem.file == "small.yaml" && problem.line == 8 && problem.column == 11)
        #expect(problem.field == "training.epochs" && problem.value == "-3")
        #expect(problem.advice == "it must be a whole number from 1 to 100000")
    }
}
