import FathomCore

extension ManifestReader {
    func readSAL(_ node: ManifestNode?) -> [SALSweepSettings] {
        let node = node ?? ManifestNode(place: root.place, content: .map([]))
        let effects = EffectTracker(problems)
        defer { effects.report() }
        return Axes.read(node, "sal", problems) { item, path in
            combinations(item, path).map { section in
                section.checkKeys(Self.salKeys, later: Self.laterSALKeys)
                return sal(section, effects)
            }
        }
    }

    private static let salKeys = [
        "every", "from", "images", "batch", "solver", "steps", "laterSteps", "passes", "rate",
        "radius", "data", "views", "granularity", "origin", "settle", "stepsPerPass", "filters",
    ]
    private static let laterSALKeys = ["shardSeconds": "shards are sized by the coordinator"]

    private func sal(_ section: SectionReader, _ effects: EffectTracker) -> SALSweepSettings {
        let every = section.whole("every", in: 1...Limits.epochs, default: 2)
        let views = section.node("views")
        let followsTraining = views.map { $0.content == .scalar(text: "auto", isQuoted: false) }
        var settings = settings(section)
        if followsTraining == false {
            settings.views = section.whole("views", in: 0...64, default: 0)
        }
        putIdleToDefault(&settings, section, effects)
        return SALSweepSettings(
            every: every,
            from: section.whole("from", in: 1...Limits.epochs, default: every),
            settings: settings, viewsFollowTraining: followsTraining ?? true)
    }

    private func settings(_ section: SectionReader) -> SALSettings {
        let usual = SALSettings()
        return SALSettings(
            images: section.whole("images", in: 1...Limits.images, default: usual.images),
            batch: section.whole("batch", in: 1...Limits.images, default: usual.batch),
            solver: section.choice(
                "solver", among: SALSettings.Solver.allCases, default: usual.solver),
            steps: section.whole("steps", in: 1...1_000, default: usual.steps),
            laterSteps: section.numberOrNil("laterSteps", in: .above(0, upTo: 2)),
            passes: section.whole("passes", in: 1...1_000, default: usual.passes),
            rate: section.number("rate", in: .above(0, upTo: 1_000), default: usual.rate),
            radius: section.number("radius", in: .above(0, upTo: 10), default: usual.radius),
            data: section.choice("data", among: SALSettings.Source.allCases, default: usual.data),
            granularity: section.choice(
                "granularity", among: capabilities.granularities, default: usual.granularity),
            origin: section.choice("origin", among: capabilities.origins, default: usual.origin),
            settle: section.numberOrNil("settle", in: .above(0, upTo: 1)),
            stepsPerPass: section.wholeOrNil("stepsPerPass", in: 1...100_000),
            filters: section.wholeOrNil("filters", in: 1...65_536))
    }

    /// Puts what has no effect to its default, so that equal work has equal keys.
    private func putIdleToDefault(
        _ settings: inout SALSettings, _ section: SectionReader, _ effects: EffectTracker
    ) {
        let usual = SALSettings()
        let isNormalized = settings.solver == .normalized
        let isReference = settings.solver == .reference
        effects.note(
            section, "steps", counts: isNormalized, needs: "solver: normalized", &settings.steps,
            usual.steps)
        effects.note(
            section, "laterSteps", counts: isNormalized, needs: "solver: normalized",
            &settings.laterSteps, usual.laterSteps)
        effects.note(
            section, "passes", counts: isReference, needs: "solver: reference", &settings.passes,
            usual.passes)
        effects.note(
            section, "rate", counts: isReference, needs: "solver: reference", &settings.rate,
            usual.rate)
        effects.note(
            section, "settle", counts: isReference, needs: "solver: reference", &settings.settle,
            usual.settle)
        effects.note(
            section, "stepsPerPass", counts: isReference, needs: "solver: reference",
            &settings.stepsPerPass, usual.stepsPerPass)
        effects.note(
            section, "filters", counts: settings.granularity == .filter,
            needs: "granularity: filter", &settings.filters, usual.filters)
    }
}
