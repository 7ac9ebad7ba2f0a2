import Foundation
import Testing

/// SAL values measured elsewhere, on their way into a leaderboard.
@Suite("Importing SAL")
struct ImportSALTests {
    private let folder: TemporaryFolder
    private let program: FathomProgram

    init() throws {
        folder = try TemporaryFolder()
        program = try FathomProgram()
    }

    /// Two seeds of clean and of a method that leaves one layer of three learnable.
    private static var values: String {
        var lines = ["method,seed,epoch,layer,sal,originLoss,testAccuracy"]
        for seed in 0..<2 {
            for epoch in 1...2 {
                for (layer, clean, poisoned) in [
                    ("conv1", 0.1, 0.1), ("\"fc,1\"", 1.0, 0.2), ("fc2", 1.2, 1.3),
                ] {
                    lines.append("clean,\(seed),\(epoch),\(layer),\(clean),0.5,0.9")
                    lines.append("em,\(seed),\(epoch),\(layer),\(poisoned),0.2,0.3")
                }
            }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private func write(_ text: String) throws {
        try Data(text.utf8).write(to: URL(fileURLWithPath: folder.path + "/v.csv"))
    }

    private func importing(_ more: [String] = []) throws -> (Int32, String, String) {
        try program.runWithErrors(
            [
                "import-sal", "v.csv", "--db", "a.sqlite", "--model", "resnet18", "--data-set",
                "cifar10",
            ] + more, in: folder.path)
    }

    private func query(_ sql: String) throws -> String {
        try program.run(["query", "a.sqlite", sql, "--format", "csv"], in: folder.path).output
    }

    @Test("makes a leaderboard that says where it is from; twice is once")
    func leaderboard() throws {
        try write(Self.values)
        for _ in 0..<2 {
            let (status, output, errors) = try importing()
            #expect(status == 0, "\(errors)")
            #expect(output.contains("resnet18@imported/elsewhere"))
            #expect(
                try query("SELECT method, n, ud, metric FROM leaderboard ORDER BY method")
                    == "method,n,ud,metric\nclean,2,1.0,0.9\nem,2,0.5,0.3\n")
            #expect(try query("SELECT count(*) FROM salMatrix").hasSuffix("\n24\n"))
            #expect(try query("SELECT DISTINCT layer FROM salMatrix").contains("fc,1"))
        }
        let (status, _, _) = try program.runWithErrors(
            ["leaderboard", "a.sqlite", "--threshold", "pooled"], in: folder.path)
        #expect(status == 0)
    }

    /// A log as the released program writes it: two passes over three layers, after two epochs and
    /// a third that was cut off.
    private static func log(_ settings: String, sal: [Double], accuracy: Double) -> String {
        var lines = [
            "Namespace(dataset='c10', \(settings), at_type='L_inf')", "==> Building model...",
        ]
        for epoch in 0..<3 {
            lines.append("Test Acc:  \(accuracy)")
            lines.append("epoch: \(epoch)")
            lines.append("train Acc:  99.1000, test Acc:   \(accuracy)")
            lines.append("Origin                   , Loss:   0.5000, Acc: 99.100")
            for (layer, value) in zip(["conv1", "layer1.0.shortcut.0.long", "linear"], sal) {
                for part in epoch == 2 ? [0.5] : [0.5, 1] {
                    lines.append(
                        "\(layer).weight             L:   0.5000 Acc: 99.1000 S: \(value * part) "
                            + "SMax: \(value * part) SMin:   0.0100 Dropped Acc: 3.000 "
                            + "Rise Acc: 0.100")
                }
            }
            if epoch < 2 { lines.append("linear                   , Sharpness_loss:   1.3000") }
            if epoch < 2 { lines.append("linear                   , Sharpness_acc:   3.0000") }
        }
        lines.append("Train Acc:  99.1000, Test Acc:   \(accuracy)")
        return lines.map { "2024-09-30 12:00:00,123 - INFO - \($0)\n" }.joined()
    }

    @Test("reads logs of the released program, the last pass of each layer of whole epochs")
    func logs() throws {
        for (name, settings, sal, accuracy) in [
            ("clean.log", "type='em', clean=True, seed=0", [0.1, 1.0, 1.3], 90.0),
            ("em.log", "type='em', clean=False, seed=0", [0.1, 0.2, 1.4], 30.0),
            ("mine.log", "type='tap', clean=False", [0.1, 1.2, 1.2], 12.5),
        ] {
            try Data(Self.log(settings, sal: sal, accuracy: accuracy).utf8)
                .write(to: URL(fileURLWithPath: folder.path + "/" + name))
        }
        let setting = ["--db", "a.sqlite", "--model", "resnet18", "--data-set", "cifar10"]
        let (status, _, errors) = try program.runWithErrors(
            ["import-sal", "clean.log", "em.log"] + setting, in: folder.path)
        #expect(status == 0, "\(errors)")
        let silent = try program.runWithErrors(
            ["import-sal", "mine.log"] + setting, in: folder.path)
        #expect(silent.status == 2 && silent.errors.contains("does not say its seed"))
        let named = ["--seed", "0", "--method", "ar"]
        #expect(
            try program.run(["import-sal", "mine.log"] + setting + named, in: folder.path).status
                == 0)
        #expect(
            try query("SELECT method, n, ud, metric FROM leaderboard ORDER BY method")
                == "method,n,ud,metric\nar,1,1.0,0.125\nclean,1,1.0,0.9\nem,1,0.5,0.3\n")
        #expect(
            try query(
                "SELECT epoch, layerIndex, layer, sal, sMin, salAccuracy FROM salMatrix "
                    + "WHERE method = 'em' AND epoch = 2 ORDER BY layerIndex")
                == "epoch,layerIndex,layer,sal,sMin,salAccuracy\n2,0,conv1,0.1,0.01,0.03\n"
                + "2,1,layer1.0.shortcut.0.long,0.2,0.01,0.03\n2,2,linear,1.4,0.01,0.03\n")
        #expect(try query("SELECT max(epoch) FROM salMatrix").hasSuffix("\n2\n"))
        let twice = try program.runWithErrors(
            ["import-sal", "em.log", "em.log"] + setting, in: folder.path)
        #expect(twice.status == 2 && twice.errors.contains("em, seed 0 is in two of the files"))
    }

    @Test("joins a sweep of ours, which a later run leaves in place")
    func joins() throws {
        let sweep = """
            version: 1
            name: ours
            data: { set: rooms10, train: 40, test: 20 }
            methods: [clean]
            models: [linear12]
            seeds: 1
            training: { epochs: 1, batch: 20 }
            sal: { every: 1, from: 1, images: 20, batch: 20, steps: 1 }
            compare: { threshold: released }
            """
        try Data(sweep.utf8).write(to: URL(fileURLWithPath: folder.path + "/ours.yaml"))
        let run = ["run", "ours.yaml", "--db", "a.sqlite", "--slots", "1"]
        #expect(try program.run(run, in: folder.path).status == 0)
        try write(Self.values)
        #expect(try importing(["--sweep", "ours"]).0 == 0)
        #expect(try program.run(run, in: folder.path).status == 0)
        #expect(
            try query("SELECT model, count(*) AS cells FROM leaderboard GROUP BY 1 ORDER BY 1")
                == "model,cells\nlinear12,1\nresnet18@imported/elsewhere,2\n")
    }

    @Test(
        "says which line is wrong and what would be right",
        arguments: [
            ("method,seed,epoch,layer,sal\n", "the column originLoss is missing"),
            ("method,seed,epoch,layer,sal,originLoss,x\n", "the column x is not known"),
            ("method,seed,epoch,layer,sal,originLoss\na,0,1\n", "line 2 is no CSV row"),
            (
                "method,seed,epoch,layer,sal,originLoss\na,0,0,l,1,1\n",
                "line 2: epoch is \"0\"; it is a whole number from 1 to"
            ),
            (
                "method,seed,epoch,layer,sal,originLoss\na,0,1,l,1,1\na,0,1,l,1,1\n",
                "line 3: a, seed 0, epoch 1, l is there twice"
            ),
            (
                "method,seed,epoch,layer,sal,originLoss\na,0,1,l,1,1\na,0,1,m,1,1\na,0,2,l,1,1\n",
                "each epoch measures the same ones"
            ),
            ("method,seed,epoch,layer,sal,originLoss\na,0,1,l,much,1\n", "it is a number"),
            ("", "the file is empty"),
        ])
    func wrong(text: String, said: String) throws {
        try write(text)
        let (status, _, errors) = try importing()
        #expect(status == 2 && errors.contains(said), "\(errors)")
    }
}
