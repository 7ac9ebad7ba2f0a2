import FathomCore

/// `training` and `sal`, whose every scalar may be an axis.
extension ManifestReader {
    func readTraining(_ node: ManifestNode?) -> [TrainingSettings] {
        let node = node ?? ManifestNode(place: root.place, content: .map([]))
        let effects = EffectTracker(problems)
        defer { effects.report() }
        return Axes.read(node, "training", problems) { item, path in
            combinations(item, path, listKeys: ["augment", "milestones", "phases"]).map { section in
                section.checkKeys(Self.trainingKeys)
                return withoutIdle(training(section), section, effects)
            }
        }
    }

    private static let trainingKeys = [
        "epochs", "batch", "optimizer", "learningRate", "momentum", "nesterov", "weightDecay",
        "schedule", "milestones", "factor", "warmupEpochs", "augment", "samRadius", "phases",
        "init",
    ]

    private func training(_ section: SectionReader) -> TrainingSettings {
        let usual = TrainingSettings()
        let epochs = section.whole("epochs", in: 1...Limits.epochs, default: usual.epochs)
        return TrainingSettings(
            epochs: epochs,
            batch: section.whole("batch", in: 1...Limits.images, default: usual.batch),
            optimizer: section.choice(
                "optimizer", among: capabilities.optimizers, default: usual.optimizer),
            learningRate: section.number(
                "learningRate", in: .above(0, upTo: 1_000), default: usual.learningRate),
            momentum: section.number("momentum", in: .from(0, below: 1), default: usual.momentum),
            nesterov: section.flag("nesterov", default: usual.nesterov),
            weightDecay: section.number(
                "weightDecay", in: .from(0, to: 100), default: usual.weightDecay),
            schedule: section.choice(
                "schedule", among: capabilities.schedules, default: usual.schedule),
            milestones: milestones(section, epochs),
            factor: section.number("factor", in: .above(0, upTo: 1), default: usual.factor),
            warmupEpochs: section.whole(
                "warmupEpochs", in: 0...epochs, default: usual.warmupEpochs),
            augment: augment(section),
            samRadius: section.number(
                "samRadius", in: .above(0, upTo: 100), default: usual.samRadius),
            phases: phases(section, epochs), start: start(section))
    }

    /// `[{ epochs: 5, data: clean, images: first-half }, ...]`.
    private func phases(_ section: SectionReader, _ epochs: Int) -> [TrainingPhase]? {
        guard let node = section.node("phases"), !node.isNull else { return nil }
        let field = section.field("phases")
        guard (1...Limits.phases).contains(node.items.count) else {
            problems.refuse(node, field, "it takes 1 to \(Limits.phases) phases")
            return nil
        }
        let phases = node.items.enumerated().compactMap { index, item -> TrainingPhase? in
            guard let part = SectionReader(item, "\(field)[\(index)]", problems) else { return nil }
            part.checkKeys(["epochs", "data", "images"])
            guard named(part, "epochs") != nil, named(part, "data") != nil else { return nil }
            return TrainingPhase(
                epochs: part.whole("epochs", in: 1...Limits.epochs, default: 1),
                data: part.choice("data", among: TrainingPhase.Source.allCases, default: .poison),
                images: part.choice(
                    "images", among: TrainingPhase.Share.allCases, default: .all))
        }
        guard phases.count == node.items.count else { return nil }
        let total = phases.reduce(0) { $0 + $1.epochs }
        if total != epochs {
            problems.refuse(
                node, field,
                "its phases last \(total) epochs together, and training.epochs is \(epochs); they "
                    + "must be equal")
        }
        return phases
    }

    /// A path, or `{ checkpoint: PATH, part: backbone, frozen: true }`.
    private func start(_ section: SectionReader) -> TrainingStart? {
        guard let node = section.node("init"), !node.isNull else { return nil }
        let field = section.field("init")
        let right = "it must be the path of a checkpoint"
        if isScalar(node) {
            return problems.text(node, field, right).map { TrainingStart(checkpoint: $0) }
        }
        guard let part = SectionReader(node, field, problems) else { return nil }
        part.checkKeys(["checkpoint", "part", "frozen"])
        guard let place = named(part, "checkpoint"),
            let path = problems.text(place, part.field("checkpoint"), right), !path.isEmpty
        else { return nil }
        let start = TrainingStart(
            checkpoint: path,
            part: part.choice("part", among: TrainingStart.Part.allCases, default: .network),
            frozen: part.flag("frozen", default: false))
        if start.frozen, start.part == .network, let node = part.node("frozen") {
            problems.refuse(
                node, part.field("frozen"),
                "a frozen backbone goes with part: backbone, whose heads start fresh")
        }
        return start
    }

    private func milestones(_ section: SectionReader, _ epochs: Int) -> [Int] {
        section.list("milestones", default: []) { node, field in
            problems.whole(node, field, in: 1...epochs)
        }.sorted()
    }

    private func augment(_ section: SectionReader) -> [TrainingSettings.Augmentation] {
        let later = TrainingSettings.Augmentation.allCases.map(\.rawValue)
        let chosen = section.list("augment", default: []) { node, field in
            problems.choice(
                node, field, among: capabilities.augmentations.map(\.rawValue), later: later
            ).flatMap(TrainingSettings.Augmentation.init(rawValue:))
        }
        // The order of application is the trainer's, so the order of writing makes no new cell.
        return TrainingSettings.Augmentation.allCases.filter(chosen.contains)
    }

    /// Puts what has no effect to its default, so that equal work has equal keys.
    private func withoutIdle(
        _ read: TrainingSettings, _ section: SectionReader, _ effects: EffectTracker
    ) -> TrainingSettings {
        let usual = TrainingSettings()
        var settings = read
        let isStep = settings.schedule == .step
        if isStep && section.node("milestones")?.items.isEmpty != false {
            problems.add(
                section.field("milestones"), value: nil,
                advice: "is missing; schedule: step needs the epochs after which the rate falls",
                at: section.node("schedule")?.place ?? section.place)
        }
        effects.note(
            section, "milestones", counts: isStep, needs: "schedule: step", &settings.milestones,
            usual.milestones)
        effects.note(
            section, "factor", counts: isStep, needs: "schedule: step", &settings.factor,
            usual.factor)
        effects.note(
            section, "samRadius", counts: settings.optimizer == .sam, needs: "optimizer: sam",
            &settings.samRadius, usual.samRadius)
        let hasMomentum = settings.optimizer == .sgd || settings.optimizer == .sam
        effects.note(
            section, "momentum", counts: hasMomentum, needs: "optimizer: sgd", &settings.momentum,
            usual.momentum)
        effects.note(
            section, "nesterov", counts: hasMomentum, needs: "optimizer: sgd", &settings.nesterov,
            usual.nesterov)
        return settings
    }
}
