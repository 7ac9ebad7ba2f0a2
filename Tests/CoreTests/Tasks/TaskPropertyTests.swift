import FathomCore
import Testing

/// What holds of every task's metrics, whatever the images: the ends of their scales, and masks.
@Suite("what holds of all tasks")
struct TaskPropertyTests {
    private static let renderer = RoomsRenderer(RoomsSettings())
    private static let images = renderer.images(.train, Array(0..<4))

    private func target(_ kind: TaskKind) -> Objective.Target {
        TaskTargets(
            of: [kind], images: Self.images, labels: Self.images.labels,
            maps: Self.renderer.maps(.train, Self.images.indices),
            clips: ClipConstants(edge: 0.2, keypoint: 0.01)
        ).target(of: kind)
    }

    private func shape(_ kind: TaskKind) -> (channels: Int, plane: Int) {
        if case .dense(_, let count) = kind.head(channels: 3, classes: 10).kind {
            return (count, 1024)
        }
        return (10, 1)
    }

    /// What a prediction comes to, given as a number for each image, channel and pixel.
    private func metrics(
        _ kind: TaskKind, _ target: Objective.Target, _ said: (Int, Int, Int) -> Float
    ) -> [TaskMetric] {
        let (channels, plane) = shape(kind)
        var score = TaskScore(kind, target: target, channels: channels, plane: plane)
        for image in 0..<Self.images.count {
            var values: [Float] = []
            for channel in 0..<channels {
                for pixel in 0..<plane { values.append(said(image, channel, pixel)) }
            }
            score.add(values, of: image..<(image + 1))
        }
        return score.metrics
    }

    /// What says exactly what the target says.
    private func perfect(_ kind: TaskKind, _ target: Objective.Target) -> (Int, Int, Int) -> Float {
        let (channels, plane) = shape(kind)
        return { image, channel, pixel in
            switch target {
            case .classes(let labels): Int(labels[image]) == channel ? 1 : 0
            case .shares(let target): target.values[10 * image + channel]
            case .pixelClasses(let labels, _):
                Int(labels[image * plane + pixel]) == channel ? 1 : 0
            case .segments(let segments):
                channel == 0 ? Float(segments[image * plane + pixel]) * 10 : 0
            case .planes(let target):
                target.values[(image * channels + channel) * plane + pixel]
            }
        }
    }

    /// The main metric of a prediction without a flaw.
    private func best(_ kind: TaskKind) -> Double { kind.mainMetric.isHigherBetter ? 1 : 0 }

    @Test("a perfect prediction is at the scale's end", arguments: TaskKind.allCases)
    func perfection(kind: TaskKind) throws {
        let target = target(kind)
        let metrics = metrics(kind, target, perfect(kind, target))
        let main = try #require(metrics.first?.value)
        // An arc cosine near 1 turns the last bit of a `Float` into some hundredths of a degree.
        let tolerance = kind == .normal ? 0.05 : 1e-6
        #expect(abs(main - best(kind)) <= tolerance, "\(main)")
    }

    @Test("a constant prediction is worse, and no better than the one fitted to the set")
    func constants() throws {
        for kind in TaskKind.allCases {
            let target = target(kind)
            let (channels, plane) = shape(kind)
            let constant = try #require(
                metrics(kind, target) { _, channel, _ in Float(channel % 3) / 4 - 0.1 }.first?.value
            )
            let predictor = ChancePredictor(
                kind, target: target, channels: channels, plane: plane)
            var fitted = TaskScore(kind, target: target, channels: channels, plane: plane)
            fitted.add(predictor.prediction(count: 4), of: 0..<4)
            let chance = try #require(fitted.metrics.first?.value)
            let sign: Double = kind.mainMetric.isHigherBetter ? 1 : -1
            #expect(sign * constant < sign * best(kind), "\(kind)")
            #expect(sign * constant <= sign * chance + 1e-9, "\(kind): \(constant), \(chance)")
            #expect(sign * chance < sign * best(kind), "\(kind)")
        }
    }

    /// The target with every pixel kept, or none.
    private func masked(_ target: Objective.Target, keeps: Bool) -> Objective.Target {
        switch target {
        case .classes, .shares: return target
        case .pixelClasses(let labels, _):
            return .pixelClasses(labels.map { keeps ? min($0, 7) : 255 })
        case .segments(let segments):
            return .segments(segments.map { keeps ? min($0, 254) : 255 })
        case .planes(var target):
            target.mask = [UInt8](repeating: keeps ? 1 : 0, count: 4 * 1024)
            return .planes(target)
        }
    }

    @Test("an empty mask leaves nothing to count, and no number", arguments: TaskKind.allCases)
    func emptyMasks(kind: TaskKind) {
        guard kind != .cls else { return }
        let target = masked(target(kind), keeps: false)
        let metrics = metrics(kind, target) { _, _, _ in 0.5 }
        #expect(metrics.filter { $0.name != "count" }.allSatisfy { $0.value == nil }, "\(metrics)")
        let count = metrics.first { $0.name == "count" }?.value
        #expect(count == nil || count == 0)
    }

    @Test("a full mask counts every pixel", arguments: TaskKind.allCases)
    func fullMasks(kind: TaskKind) {
        guard kind != .cls, kind != .seg2d else { return }
        let channels = kind == .sem ? 1 : shape(kind).channels
        let perPixel = [.depth, .normal, .sem].contains(kind) ? 1 : channels
        let target = masked(target(kind), keeps: true)
        let metrics = metrics(kind, target) { _, _, _ in 0.5 }
        #expect(metrics.first { $0.name == "count" }?.value == Double(4 * 1024 * perPixel))
        #expect(metrics.first?.value?.isFinite == true)
    }

    @Test("losses of an empty mask are 0 and train nothing", arguments: TaskKind.allCases)
    func emptyLosses(kind: TaskKind) throws {
        guard kind != .cls else { return }
        let network = try ModelRegistry.network(
            ModelSettings(name: "smallcnn", width: 2),
            heads: [kind.head(channels: 3, classes: 10)], channels: 3, height: 32, width: 32)
        let trainer = Trainer(
            network: network,
            settings: TrainingSettings(epochs: 1, batch: 4, learningRate: 0.1, weightDecay: 0),
            images: Self.images, random: RandomStream(seed: 2),
            objective: try Objective(
                network: network, images: Self.images,
                terms: [.init(task: kind.rawValue, target: masked(target(kind), keeps: false))]))
        let before = trainer.parameters.named.filter { $0.name.hasSuffix("weight") }
        let sum = trainer.trainEpoch()
        let after = trainer.parameters.named.filter { $0.name.hasSuffix("weight") }
        #expect(sum.mean == 0)
        #expect(before.map(\.values) == after.map(\.values))
    }
}

@Suite("segments that colors decide")
struct PixelSegmentTests {
    private func segments(_ level: (Int, Int) -> [UInt8]) -> [UInt8] {
        let places = (0..<1024).map { level($0 / 32, $0 % 32) }
        let pixels = (0..<3).flatMap { channel in places.map { $0[channel] } }
        let image = ImageSet(
            channels: 3, height: 32, width: 32, classCount: 1, pixels: pixels, labels: [0],
            indices: [0])
        let targets = TaskTargets(
            of: [.seg2d], images: image, labels: [0], maps: nil,
            clips: ClipConstants(edge: 1, keypoint: 1))
        guard case .segments(let segments) = targets.target(of: .seg2d) else { return [] }
        return segments
    }

    @Test("one color is one segment, two are two, numbered by first appearance")
    func flatParts() {
        #expect(segments { _, _ in [90, 90, 90] }.allSatisfy { $0 == 0 })
        let halves = segments { _, column in column < 12 ? [220, 40, 40] : [30, 60, 200] }
        #expect(halves == (0..<1024).map { $0 % 32 < 12 ? 0 : 1 })
    }

    @Test("parts that do not touch are segments of their own, unlike parts are kept apart")
    func separateParts() {
        let islands = segments { row, column in
            (4..<12).contains(row) && ((3..<11).contains(column) || (20..<28).contains(column))
                ? [240, 240, 20] : [20, 30, 60]
        }
        #expect(Set(islands) == [0, 1, 2])
        #expect(islands[5 * 32 + 5] == 1 && islands[5 * 32 + 22] == 2 && islands[20 * 32] == 0)
    }

    @Test("likeness joins superpixels: a shallow ramp is one segment")
    func ramps() {
        let ramp = segments { row, _ in [UInt8(100 + row / 4), 100, 100] }
        #expect(Set(ramp) == [0])
    }

    @Test("a perturbation of the pixels moves what a thief can derive, on rooms")
    func perturbed() {
        let renderer = RoomsRenderer(RoomsSettings())
        var images = renderer.images(.train, Array(0..<6))
        func target() -> [UInt8] {
            let made = TaskTargets(
                of: [.seg2d], images: images, labels: images.labels, maps: nil,
                clips: ClipConstants(edge: 1, keypoint: 1))
            guard case .segments(let segments) = made.target(of: .seg2d) else { return [] }
            return segments
        }
        let clean = target()
        #expect(clean == target())
        // Some segments in every image, and fewer than pixels.
        for image in 0..<6 {
            let count = Set(clean[(image * 1024)..<((image + 1) * 1024)]).count
            #expect((2...200).contains(count), "\(count)")
        }
        for place in images.pixels.indices where place % 2 == 0 {
            images.pixels[place] = images.pixels[place] &+ 40
        }
        #expect(target() != clean)
    }
}

@Suite("weights learned as Mod-Squad learns them")
struct ModSquadTests {
    @Test("a step goes where the loss's slope says, by the network's own optimizer")
    func firstStep() throws {
        let renderer = RoomsRenderer(RoomsSettings())
        let images = renderer.images(.train, Array(0..<10))
        let settings = TaskSettings([.cls, .depth], weighting: .modSquad)
        #expect(TaskSettings(text: "cls+depth:mod-squad") == settings)
        let network = try ModelRegistry.network(
            ModelSettings(name: "smallcnn", width: 2),
            heads: settings.heads(channels: 3, classes: 10), channels: 3, height: 32, width: 32)
        let targets = TaskTargets(
            of: settings.kinds, images: images, labels: images.labels,
            maps: renderer.maps(.train, images.indices),
            clips: ClipConstants(edge: 1, keypoint: 1))
        for (optimizer, decay) in [
            (TrainingSettings.Optimizer.sgd, 0.5), (.adam, 0), (.adamw, 0.5),
        ] {
            let trainer = Trainer(
                network: network,
                settings: TrainingSettings(
                    epochs: 1, batch: 10, optimizer: optimizer, learningRate: 0.1,
                    weightDecay: decay),
                images: images, random: RandomStream(seed: 1),
                objective: try settings.objective(
                    network: network, images: images, targets: targets),
                weighting: LossWeighting(.modSquad, tasks: 2))
            // p = 1: each loss counts a half.
            #expect(trainer.lossFactors == [0.5, 0.5])
            _ = trainer.trainEpoch()
            let losses = try #require(trainer.epochSum).sums.map(\.mean)
            for (loss, factor) in zip(losses, trainer.lossFactors) {
                // The slope of L / (2 p²) + ln(1 + p²) at 1 is 1 - L; Adam's first step is its sign.
                let slope = 1 - loss
                let move: Double =
                    switch optimizer {
                    case .sgd, .sam: slope + decay
                    case .adam: slope > 0 ? 1 : -1
                    case .adamw: (slope > 0 ? 1 : -1) + decay
                    }
                let scale = 1 - 0.1 * move
                #expect(abs(factor - 0.5 / (scale * scale)) < 1e-5, "\(optimizer): \(loss)")
            }
        }
    }

    @Test("fixed weights are AdaShare's")
    func fixed() {
        let weights = TaskSettings(
            [.sem, .normal, .depth, .kp2d, .edge], weighting: .fixed
        ).baseWeights
        #expect(weights == [1, 3, 2, 7, 7])
    }
}
