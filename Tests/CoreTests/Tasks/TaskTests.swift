import FathomCore
import Testing

@Suite("tasks")
struct TaskTests {
    private static let renderer = RoomsRenderer(RoomsSettings())

    private func targets(_ range: Range<Int>, _ split: RoomsSettings.Split = .train) -> TaskTargets
    {
        let images = Self.renderer.images(split, Array(range))
        return TaskTargets(
            of: TaskKind.allCases, images: images, labels: images.labels,
            maps: Self.renderer.maps(split, images.indices), clips: Self.clips)
    }

    private static let clips = ClipConstants(
        for: TaskKind.allCases, of: renderer.images(.train, Array(0..<200)))

    @Test("texts read back, and name what is trained and measured")
    func textsReadBack() throws {
        let multi = TaskSettings([.cls, .depth, .normal], weighting: .dwa)
        let all =
            TaskKind.allCases.map { TaskSettings([$0]) }
            + [TaskSettings([.edge], targets: .released)] + multi.measurements
            + TaskSettings([.edge, .ae], targets: .released).measurements
        for settings in all {
            #expect(TaskSettings(text: settings.text) == settings, "\(settings.text)")
        }
        #expect(TaskSettings([.cls]).text == "cls")
        #expect(TaskSettings([.edge], targets: .released).text == "edge:released")
        #expect(
            multi.measurements.map(\.text) == [
                "cls@cls+depth+normal:dwa", "depth@cls+depth+normal:dwa",
                "normal@cls+depth+normal:dwa", "joint@cls+depth+normal:dwa",
                "balanced@cls+depth+normal:dwa",
            ])
        #expect(multi.measurements[1].rowTask == "depth")
        for wrong in [
            "", "shape", "cls+", "cls+cls", "cls:", "cls:best", "depth@cls", "sem@cls+depth",
            "joint@depth", "cls+depth:equal", "depth:dwa", "a@b@c", "depth@", "edge:released:dwa",
        ] {
            #expect(TaskSettings(text: wrong) == nil, "\(wrong)")
        }
    }

    @Test("a task is refused where its set cannot teach it")
    func unfitTasks() throws {
        var facts = try DataSetCatalog.open(name: "rooms10-easy").facts
        for kind in TaskKind.allCases { #expect(TaskSettings([kind]).problem(with: facts) == nil) }
        facts.mapTasks = []
        for kind in TaskKind.allCases {
            #expect((TaskSettings([kind]).problem(with: facts) == nil) == !kind.needsMaps)
        }
        let released = TaskSettings([.edge, .cls], targets: .released)
        #expect(released.problem(with: facts)?.contains("cls") == true)
    }

    @Test("targets lie in their ranges")
    func targetsAreBounded() {
        let targets = targets(0..<40)
        for kind in TaskKind.allCases {
            guard case .planes(let target) = targets.target(of: kind) else { continue }
            let range: ClosedRange<Float> = kind == .depth || kind == .curv ? 0...1 : -1...1
            #expect(target.values.allSatisfy { range.contains($0) }, "\(kind)")
            #expect(Set(target.values).count > 100, "\(kind) hardly varies")
        }
        guard case .planes(let depth) = targets.target(of: .depth) else { return }
        #expect(depth.mask?.contains(0) == true)
    }

    @Test("clip constants are the 99th percentile in two digits")
    func clipConstants() {
        for constant in [Self.clips.edge, Self.clips.keypoint] {
            var scaled = constant
            while scaled < 10 { scaled *= 10 }
            #expect(abs(scaled - scaled.rounded()) < 1e-9)
        }
        guard case .planes(let edges) = targets(0..<200).target(of: .edge) else { return }
        let clipped = Double(edges.values.count { $0 == 1 }) / Double(edges.values.count)
        #expect((0.005...0.015).contains(clipped), "\(clipped)")
    }

    @Test("filters answer nothing where nothing is, and something at a border or a spot")
    func filters() {
        func image(_ level: (Int, Int) -> UInt8) -> ImageSet {
            let pixels = (0..<1024).map { level($0 / 32, $0 % 32) }
            return ImageSet(
                channels: 1, height: 32, width: 32, classCount: 1, pixels: pixels, labels: [0],
                indices: [0])
        }
        func responses(_ kind: TaskKind, _ image: ImageSet) -> [Float] {
            let targets = TaskTargets(
                of: [kind], images: image, labels: [0], maps: nil,
                clips: ClipConstants(edge: 10, keypoint: 10))
            guard case .planes(let target) = targets.target(of: kind) else { return [] }
            return target.values.map { ($0 + 1) * 5 }
        }
        let flat = image { _, _ in 200 }
        #expect(responses(.edge, flat).allSatisfy { abs($0) < 1e-5 })
        #expect(responses(.kp2d, flat).allSatisfy { abs($0) < 1e-5 })
        let step = image { _, column in column < 16 ? 0 : 255 }
        let edges = responses(.edge, step)
        // Both pixels beside a step of 1, hardly blurred, see it through Sobel's halves.
        #expect(abs(edges[5 * 32 + 15] - edges[5 * 32 + 16]) < 1e-4)
        #expect(edges[5 * 32 + 15] > 0.4 && edges[5 * 32 + 4] < 1e-4)
        let spot = image { row, column in row == 10 && column == 20 ? 255 : 0 }
        let keypoints = responses(.kp2d, spot)
        #expect(keypoints.firstIndex(of: keypoints.max() ?? 0) == 10 * 32 + 20)
        #expect(responses(.kp2d, step).allSatisfy { $0 < 1e-3 }, "a straight edge is no point")
    }

    @Test("what looks at nothing beats no metric's end, and medians beat other constants")
    func chanceIsFitted() {
        let (train, test) = (targets(0..<120), targets(0..<60, .test))
        for kind in TaskKind.allCases {
            let metrics = TaskEvaluation.chance(kind, fittedOn: train, judgedOn: test)
            #expect(metrics.first?.name == kind.mainMetric.name)
            #expect(metrics.first?.value?.isFinite == true, "\(kind)")
        }
        let classes = TaskEvaluation.chance(.cls, fittedOn: train, judgedOn: test)
        #expect(classes.first?.value == 0.1)
        let pairs = TaskEvaluation.chance(.seg2d, fittedOn: train, judgedOn: test)
        #expect(pairs.first?.value == 0.5)
        let depth = TaskEvaluation.chance(.depth, fittedOn: train, judgedOn: test)
        guard case .planes(let target) = test.target(of: .depth) else { return }
        var constant = TaskScore(.depth, target: .planes(target), channels: 1, plane: 1024)
        constant.add([Float](repeating: 0.6, count: 60 * 1024), of: 0..<60)
        #expect((depth.first?.value ?? 1) < (constant.metrics.first?.value ?? 0))
    }

    @Test("every task learns: training lowers its loss")
    func tasksAreLearned() throws {
        let images = Self.renderer.images(.train, Array(0..<40))
        let own = targets(0..<40)
        for kind in TaskKind.allCases {
            let settings = TaskSettings([kind])
            let network = try ModelRegistry.network(
                ModelSettings(name: "smallcnn", width: 4),
                heads: settings.heads(channels: 3, classes: 10), channels: 3, height: 32, width: 32)
            let trainer = Trainer(
                network: network,
                settings: TrainingSettings(
                    epochs: 4, batch: 8, optimizer: .adam, learningRate: 1e-2, weightDecay: 0),
                images: images, random: RandomStream(seed: 1),
                objective: try settings.objective(
                    network: network, images: images, targets: own))
            let losses = (0..<4).map { _ in trainer.trainEpoch().mean }
            #expect(losses[3] < 0.95 * losses[0], "\(kind): \(losses)")
            let results = try TaskEvaluation.results(
                trainer.executor, settings, on: images, targets: own, batch: 20)
            #expect(results[0].metrics.allSatisfy { $0.value?.isFinite ?? false }, "\(kind)")
        }
    }

    @Test("weights of losses follow them, and survive a checkpoint")
    func weighting() throws {
        let images = Self.renderer.images(.train, Array(0..<20))
        let own = targets(0..<20)
        for weighting in [TaskWeighting.logVariance, .modSquad, .dwa] {
            let settings = TaskSettings([.cls, .depth], weighting: weighting)
            func trainer() throws -> Trainer {
                let network = try ModelRegistry.network(
                    ModelSettings(name: "smallcnn", width: 2),
                    heads: settings.heads(channels: 3, classes: 10), channels: 3, height: 32,
                    width: 32)
                return Trainer(
                    network: network, settings: TrainingSettings(epochs: 4, batch: 10),
                    images: images, random: RandomStream(seed: 1),
                    objective: try settings.objective(
                        network: network, images: images, targets: own),
                    weighting: LossWeighting(weighting, tasks: 2))
            }
            let whole = try trainer()
            let first = whole.lossFactors
            for _ in 0..<3 { _ = whole.trainEpoch() }
            let state = whole.state
            #expect(state.lossFactors?.count == 2)
            #expect(whole.lossFactors != first)
            _ = whole.trainEpoch()
            let resumed = try trainer()
            try resumed.restore(state)
            _ = resumed.trainEpoch()
            #expect(resumed.lossFactors == whole.lossFactors)
            #expect(resumed.parameters.named.map(\.values) == whole.parameters.named.map(\.values))
            if weighting == .dwa { #expect(abs(whole.lossFactors.reduce(0, +) - 2) < 1e-9) }
        }
    }
}

@Suite("the loss on pairs of pixels")
struct PairLossTests {
    /// Central differences of step 0.01 in `Float` leave some tenths of a percent.
    @Test("has the gradient that it should", arguments: UInt64(0)..<4)
    func gradient(seed: UInt64) {
        #expect(PairLossCheck.worstError(seed: seed) < 0.01)
    }
}
