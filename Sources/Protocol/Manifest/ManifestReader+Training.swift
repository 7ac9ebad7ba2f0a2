import FathomCore

/// `training` and `sal`, whose every scalar may be an axis.
extension ManifestReader {
    func readTraining(_ node: ManifestNode?) -> [TrainingSettings] {
        let node = node ?? ManifestNode(place: root.place, content: .map([]))
        let effects = EffectTracker(problems)
        defer { effects.report() }
        return Axes.read(node, "training", problems) { item, path in
            combinations(item, path, listKeys: ["augment", "milestones"]).map { section in
                section.checkKeys(Self.trainingKeys, later: Self.laterTrainingKeys)
                return withoutIdle(training(section), section, effects)
            }
        }
    }

    private static let trainingKeys = [
        "epochs", "batch", "optimizer", "learningRate", "momentum", "nesterov", "weightDecay",
        "schedule", "milestones", "factor", "warmupEpochs", "augment", "samRadius",
    ]
    private static let laterTrainingKeys = [
        "init": "every run starts from fresh weights",
        "phases": "a run trains on one kind of data from its first epoch to its last",
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
                "samRadius", in: .above(0, upTo: 100), default: usual.samRadius))
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
