import FathomCore
import Foundation
import Testing

/// Trees that Python wrote (`Fixtures/taskonomy/make_taskonomy.py`), whose formulas stand here too.
@Suite("Taskonomy")
struct TaskonomyTests {
    private let scratch: DataScratch
    private var current: String { scratch.path + "/current" }
    /// The numbers of the training views that every domain has, in order.
    private static let trained = [0, 1, 3, 4, 6]
    private static let tested = [8, 9]
    private static let side = 32

    init() throws {
        scratch = try DataScratch()
        let archive = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("../../Fixtures/taskonomy/taskonomy.tar.gz").standardized.path
        let tar = Process()
        tar.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        tar.arguments = ["tar", "xzf", archive, "-C", scratch.path]
        try tar.run()
        tar.waitUntilExit()
        try #require(tar.terminationStatus == 0)
    }

    private func open(classImagesMin: Int = 2) throws -> DataSet {
        DataSet(
            name: "t",
            taskonomy: try TaskonomySet.open(
                root: current, name: "t", partition: "tiny", side: Self.side,
                classImagesMin: classImagesMin))
    }

    private func told(_ name: String = "taskonomy-tiny-32") -> String {
        caught(DataError.self) {
            let set = try DataSetCatalog.open(name: name, folder: current)
            _ = try set.train
            _ = try set.maps(.train, of: try set.train)
        }?.description ?? "no complaint"
    }

    // MARK: What is read

    @Test("is joined by building, point and view; what lacks a file is left out and told")
    func join() throws {
        let set = try open()
        #expect(set.facts.trainCount == 5 && set.facts.testCount == 2)
        #expect(set.facts.classCount == 2 && set.facts.pixelClassCount == 17)
        #expect(set.facts.mapTasks == [.sem, .seg2d, .depth, .normal, .reshade, .curv])
        #expect(
            set.facts.notes == [
                "buildings of the split that are not here: woodbine",
                "left out for want of a file: hanson: 1 views have no normal; "
                    + "merom: 1 views have no class_scene",
                "2 classes with few training images are one, \"other\" (the last)",
            ])
        let (train, test) = (try set.train, try set.test)
        // Scenes 10, 10, 10, 20, 30, and 10, 99 in the test.
        #expect(train.labels == [0, 0, 0, 1, 1] && test.labels == [0, 1])
        #expect(train.indices == Array(0..<5))
        for (images, numbers) in [(train, Self.trained), (test, Self.tested)] {
            for (image, k) in numbers.enumerated() {
                for pixel in 0..<1024 {
                    let start = image * 3072 + pixel
                    let right = [2 * (pixel / 32) + k, 2 * (pixel % 32) + 3 * k, 40 * k % 256]
                    let found = [0, 1024, 2048].map { Int(images.pixels[start + $0]) }
                    guard found != right else { continue }
                    Issue.record("view \(k), pixel \(pixel): \(found), not \(right)")
                    return
                }
            }
        }
    }

    @Test("every domain is decoded to what its files mean")
    func domains() throws {
        let set = try open()
        let images = try set.images(.train, at: [4, 0])
        let maps = try #require(try set.maps(.train, of: images))
        for (image, k) in [6, 0].enumerated() {
            for pixel in 0..<1024 {
                let (r, c) = (2 * (pixel / 32) + 1, 2 * (pixel % 32) + 1)
                let place = image * 1024 + pixel
                let problem = problem(maps, image, pixel, place, r, c, k)
                #expect(problem == nil, "view \(k), row \(r), column \(c): \(problem ?? "")")
                if problem != nil { return }
            }
        }
    }

    /// What is wrong of one pixel of a view.
    private func problem(
        _ maps: SceneMaps, _ image: Int, _ pixel: Int, _ place: Int, _ r: Int, _ c: Int, _ k: Int
    ) -> String? {
        func near(_ left: Float, _ right: Double) -> Bool { abs(Double(left) - right) < 1e-5 }
        let isFar = r < 6
        let metres = Double(512 + 64 * r + c + 100 * k) / 512
        if maps.valid[place] != (r < 4 ? 0 : 1) { return "mask" }
        if maps.depthValid?[place] != (isFar ? 0 : 1) { return "depth's mask" }
        if !near(maps.depth[place], isFar ? 0 : metres) { return "depth" }
        if !near(maps.depthAlongAxis[place], Double(400 + 60 * r) / 512) { return "z" }
        if maps.semantic[place] != (r < 16 ? 255 : UInt8((c / 4 + k) % 17)) { return "semantic" }
        if maps.segments[place] != UInt8(4 * (r / 16) + c / 16) { return "segments" }
        if !near(maps.reshading[place], Double((r + 10 * k) % 256) / 127.5 - 1) {
            return "reshading"
        }
        let bends = [Double(k) / 127 / 0.03, Double(-r) / 127 / 0.03]
        for channel in 0..<2
        where abs(Double(maps.curvatures[(2 * image + channel) * 1024 + pixel]) - bends[channel])
            > 1e-4
        {
            return "curvature"
        }
        let raw = [200, 100, 150 + k].map { Double($0) / 127.5 - 1 }
        let length = raw.reduce(0) { $0 + $1 * $1 }.squareRoot()
        let isKnown = c >= 10
        if maps.normalValid?[place] != (isKnown ? 1 : 0) { return "normals' mask" }
        for channel in 0..<3 where isKnown {
            let found = maps.normals[(3 * image + channel) * 1024 + pixel]
            if !near(found, raw[channel] / length) { return "normals" }
        }
        let edge = Double(80 * c + k) / 65_535 / 0.08 * 2 - 1
        let point = min(Double(5 * r + k) / 65_535 / 0.005, 1) * 2 - 1
        if !near(maps.edges?[place] ?? 9, edge) { return "edges" }
        return near(maps.keypoints?[place] ?? 9, point) ? nil : "keypoints"
    }

    @Test("domains without a task are decoded too, and class files are probabilities")
    func otherDomains() throws {
        _ = try open()
        func array(_ name: String) throws -> StoredArray {
            try NPYFile(path: "\(current)/.fathom/t/train-\(name)-0.npy").array
        }
        let corners = try array("keypoints3d")
        #expect(corners.shape == [5, 1, 32, 32] && corners.integers?[3] == 900 * 7)
        #expect(try array("edge_occlusion").integers?[32] == 6 * 3)
        #expect(try array("segment_unsup25d").bytes?[5] == 1)
        let scenes = try #require(try array("class_scene").floats)
        #expect(scenes.count == 5 * 365 && scenes[10] == 0.5 && scenes[4 * 365 + 30] == 0.5)
        let objects = try #require(try array("class_object").floats)
        // Logits of -1 and, at 7 k, 5: after softmax 1 / (1 + 999 exp(-6)).
        #expect(abs(Double(objects[1000 + 7]) - 1 / (1 + 999 * exp(-6.0))) < 1e-6)
        #expect(abs(objects[..<1000].reduce(0, +) - 1) < 1e-4)
    }

    @Test("how likely classes are, and what pixels' classes weigh, can be learned by")
    func losses() throws {
        let set = try open()
        #expect(set.facts.losses == [.soft, .square, .prior])
        let images = try set.train
        #expect(try set.maps(.train, of: images)?.classShares == nil)
        let settings = TaskSettings([.cls, .sem], losses: [.soft, .prior])
        #expect(settings.problem(with: set.facts) == nil)
        let maps = try #require(
            try set.maps(.train, of: images, for: settings.kinds, losses: settings.losses))
        // Scene 10 is told apart, and all others are one.
        let shares = try #require(maps.classShares)
        #expect(shares.count == 10)
        for (image, scene) in [10, 10, 10, 20, 30].enumerated() {
            let own = scene == 10 ? 0.5 : 0.5 / 364
            #expect(abs(Double(shares[2 * image]) - own) < 1e-5)
            #expect(abs(Double(shares[2 * image + 1]) - (1 - own)) < 1e-4)
        }
        let weights = try #require(maps.semanticWeights)
        #expect(weights.count == 17 && weights[0] == 0.5424 && weights[16] == 9.1374)
        // A label that a method changed is all that is known of the image.
        var noisy = images.labels
        noisy[0] = 1
        func made(_ losses: [TaskKind: TaskLoss]) -> TaskTargets {
            TaskTargets(
                of: settings.kinds, images: images, labels: noisy, maps: maps,
                clips: ClipConstants(edge: 1, keypoint: 1), losses: losses)
        }
        let targets = made(settings.otherLosses)
        guard case .shares(let target) = targets.target(of: .cls) else {
            Issue.record("cls.soft is learned from shares")
            return
        }
        #expect(Array(target.values[..<2]) == [0, 1] && target.values[2...] == shares[2...])
        #expect(target.labels == noisy)
        try train(settings, images, targets)
        let square = TaskSettings([.cls], losses: [.square])
        try train(square, images, made(square.otherLosses))
    }

    private func train(_ settings: TaskSettings, _ images: ImageSet, _ targets: TaskTargets) throws
    {
        let network = try ModelRegistry.network(
            ModelSettings(name: "smallcnn", width: 4),
            heads: settings.heads(channels: 3, classes: 2, pixelClasses: 17), channels: 3,
            height: 32, width: 32)
        let trainer = Trainer(
            network: network,
            settings: TrainingSettings(
                epochs: 20, batch: 5, optimizer: .adam, learningRate: 1e-2, weightDecay: 0),
            images: images, random: RandomStream(seed: 1),
            objective: try settings.objective(network: network, images: images, targets: targets))
        let losses = (0..<20).map { _ in trainer.trainEpoch().mean }
        #expect(losses[19] < 0.9 * losses[0], "\(losses)")
        let results = try TaskEvaluation.results(
            trainer.executor, settings, on: images, targets: targets, batch: 2)
        #expect(results.map(\.kind) == settings.kinds)
        #expect(results.allSatisfy { $0.metrics[0].value?.isFinite == true })
        let chance = TaskEvaluation.chance(.cls, fittedOn: targets, judgedOn: targets)
        #expect(chance.first?.value == 0.6)
    }

    @Test("older names and the one building of the sample are read the same")
    func sample() throws {
        let set = try DataSetCatalog.open(
            name: "taskonomy-sample-32", folder: scratch.path + "/sample")
        #expect(set.facts.trainCount == 4 && set.facts.testCount == 1)
        #expect(set.facts.notes.count == 1 && set.facts.classCount == 1)
        #expect(try set.test.pixels[0] == 4)
        let maps = try #require(try set.maps(.test, of: try set.test))
        #expect(maps.depth[31 * 32] == Float(512 + 64 * 63 + 1 + 400) / 512)
        #expect(maps.depthAlongAxis[0] == Float(460) / 512)
        #expect(maps.segments.max() == 15 && maps.edges != nil && maps.keypoints != nil)
        // A tree without folders of buildings has nothing that a split could choose from.
        #expect(
            caught(DataError.self) {
                _ = try DataSetCatalog.open(
                    name: "taskonomy-tiny-32", folder: scratch.path + "/sample")
            }?.description.contains("taskonomy-sample-64") == true)
    }

    @Test("a second opening reads the decoded arrays, whatever became of the files")
    func cached() throws {
        let first = try open()
        try FileManager.default.removeItem(atPath: current + "/depth_euclidean")
        let second = try open()
        #expect(first.facts == second.facts)
        #expect(try first.train.pixels == second.train.pixels)
        let shard = current + "/.fathom/t/train-rgb-0.npy"
        var bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: shard)))
        bytes[bytes.count - 1] ^= 1
        try Data(bytes).write(to: URL(fileURLWithPath: shard))
        let complaint = caught(DataError.self) { _ = try open().train }?.description
        #expect(complaint?.contains("as the index has them") == true)
    }

    // MARK: Splits and classes

    @Test("split files end their lines in any of three ways")
    func splits() throws {
        for end in ["\r", "\n", "\r\n"] {
            for last in ["", end] {
                let text = ["id,train,val,test", "a,1,0,0", "b-2,0,1,0", "c,0,0,1"]
                    .joined(separator: end)
                let split = try TaskonomySplit(decoding: Array((text + last).utf8), file: "s")
                #expect(
                    split == TaskonomySplit(train: ["a"], validation: ["b-2"], test: ["c"]))
            }
        }
        func told(_ rows: String) -> String {
            caught(DataError.self) {
                _ = try TaskonomySplit(
                    decoding: Array("id,train,val,test\r\(rows)".utf8), file: "s.csv")
            }?.description ?? "no complaint"
        }
        #expect(told("a,1,0,0\ra,0,1,0").contains("s.csv, byte 26: expected each building once"))
        for wrong in ["a,1,1,0", "a,0,0,0", "a,1,0", "a,2,0,0", "../b,1,0,0", ",1,0,0"] {
            #expect(told(wrong).contains("s.csv, byte 18: expected a building"), "\(wrong)")
        }
        #expect(
            caught(DataError.self) {
                _ = try TaskonomySplit(decoding: Array("id;train".utf8), file: "s")
            } != nil)
    }

    @Test("classes with few training images, and those of the test alone, are one")
    func classes() {
        let classes = TaskonomyClasses(
            train: [9, 9, 4, 4, 7, 3], test: [9, 5], imagesMin: 2)
        #expect(classes.kept == [4, 9] && classes.mergedCount == 2 && classes.count == 3)
        #expect([4, 9, 7, 5].map(classes.label) == [0, 1, 2, 2])
        let whole = TaskonomyClasses(train: [1, 1, 0], test: [0], imagesMin: 1)
        #expect(whole.count == 2 && !whole.hasOther)
    }

    // MARK: What is refused

    @Test("what does not fit is refused by name and offset")
    func refusals() throws {
        let depth =
            current + "/depth_euclidean/taskonomy/ihlen/"
            + "point_0_view_0_domain_depth_euclidean.png"
        let good = try Data(contentsOf: URL(fileURLWithPath: depth))
        let gray = PNGFile(
            width: 64, height: 64, color: .gray,
            samples: .bytes([UInt8](repeating: 1, count: 4096)))
        try gray.write(to: depth)
        #expect(told().contains("byte 24: expected gray, 16 bits, found gray, 8 bits"))
        let small = PNGFile(
            width: 32, height: 32, color: .gray,
            samples: .words([UInt16](repeating: 1, count: 1024)))
        try small.write(to: depth)
        #expect(told().contains("the size of its rgb file, 64x64, found 32x32"))
        try FileManager.default.removeItem(atPath: depth)
        try FileManager.default.createSymbolicLink(
            atPath: depth, withDestinationPath: "/etc/hostname")
        #expect(told().contains("is a link to"))
        try FileManager.default.removeItem(atPath: depth)
        try good.write(to: URL(fileURLWithPath: depth))
        #expect(told("taskonomy-full-32").contains("train_val_test_full.csv"))
        #expect(told() == "no complaint")
        try FileManager.default.removeItem(atPath: current + "/rgb")
        #expect(told("taskonomy-tiny-64").contains("rgb, depth_euclidean and so on"))
    }

    @Test("damaged files of any kind are read as something whole or refused, and never crash")
    func damage() throws {
        let folder = current + "/"
        let victims = [
            "rgb/taskonomy/merom/point_1_view_0_domain_rgb.png",
            "edge_texture/taskonomy/merom/point_1_view_0_domain_edge_texture.png",
            "class_scene/taskonomy/merom/point_1_view_0_domain_class_scene.npy",
            "splits_taskonomy/train_val_test_tiny.csv",
        ]
        for (number, victim) in victims.enumerated() {
            try damaging(folder + victim, times: 8, seed: UInt64(number)) {
                try? FileManager.default.removeItem(atPath: folder + ".fathom")
            }
        }
        _ = try DataSetCatalog.open(name: "taskonomy-tiny-32", folder: current)
        for kept in ["index.json", "test-normal-0.npy", "train-class_scene-0.npy"] {
            try damaging(folder + ".fathom/taskonomy-tiny-32/" + kept, times: 60, seed: 9) {}
        }
    }

    /// Opens the set with a file damaged in several ways, and mends the file.
    private func damaging(
        _ path: String, times: Int, seed: UInt64, before: () -> Void
    ) throws {
        let place = URL(fileURLWithPath: path)
        let good = [UInt8](try Data(contentsOf: place))
        Damage.apply(to: good, times: times, seed: seed) { damaged in
            before()
            do {
                try Data(damaged).write(to: place)
                let set = try DataSetCatalog.open(name: "taskonomy-tiny-32", folder: current)
                let images = try set.train
                #expect(images.labels.allSatisfy { (0..<Int32(images.classCount)).contains($0) })
                _ = try set.maps(.test, of: try set.test)
            } catch {
                #expect(error is DataError, "\(error)")
            }
        }
        try Data(good).write(to: place)
        before()
    }
}
