import FathomCore
import Yams

/// A manifest written out again, every default visible.
extension Manifest {
    /// Canonical JSON, one text for one meaning.
    public var canonicalJSON: String { tree.canonicalJSON }

    /// YAML that reads back as the same sweep: what `fathom plan --show-defaults` prints.
    public var yaml: String {
        do {
            return try Yams.serialize(node: Self.node(tree, depth: 0), width: 100)
        } catch {
            preconditionFailure("a checked manifest must be writable: \(error)")
        }
    }

    /// The whole manifest as data, in the order of `docs/manifest.md`.
    var tree: SettingTree {
        .map(
            [
                .init("version", .whole(1)),
                .init("name", .text(name)),
                .init("seed", .whole(Int(seed))),
                .init("data", .oneOrMany(data.map(\.tree))),
                .init("methods", .list(methods.map(\.tree))),
                .init("tasks", .list(tasks.map { .text($0) })),
                .init("models", .list(models.map(\.tree))),
                .init("defenses", .list(defenses.map(\.tree))),
                .init("seeds", seeds.tree),
                .init("training", .oneOrMany(training.map(\.tree))),
                .init("sal", .oneOrMany(sal.map { salTree($0) })),
                .init("compare", compare.tree),
                .init("audit", .number(audit)),
                .init("keep", .text(keep.rawValue)),
            ] + (landscape.map { [.init("landscape", $0.tree)] } ?? []))
    }

    private func salTree(_ sweep: SALSweepSettings) -> SettingTree {
        let views = Set(training.map { sweep.resolved(for: $0).views })
        let isUniform = views.count == 1
        return sweep.tree(views: isUniform ? views.first : nil)
    }

    /// Sections go on lines of their own, what is inside their lists on one line.
    private static func node(_ tree: SettingTree, depth: Int) -> Node {
        switch tree {
        case .list(let items):
            return Node(items.map { node($0, depth: depth + 2) }, .implicit, .flow)
        case .map(let entries):
            let pairs = entries.map { entry in
                (Node(entry.key), node(entry.value, depth: depth + 1))
            }
            return Node(pairs, .implicit, depth < 2 ? .block : .flow)
        default:
            return Node(tree.text, .implicit, .plain)
        }
    }
}

extension DataSettings {
    var tree: SettingTree {
        .map([
            .init("set", .text(set)), .init("train", .whole(train)), .init("test", .whole(test)),
        ])
    }
}

extension MethodSettings {
    var tree: SettingTree {
        let numbers = numbers.map { SettingTree.Entry($0.key, .number($0.value)) }
        let words = words.map { key, word in
            SettingTree.Entry(key, key == "allowPartial" ? .flag(word == "true") : .text(word))
        }
        let parameters = (numbers + words).sorted { $0.key < $1.key }
        return .map([.init("name", .text(name))] + parameters)
    }
}

extension DefenseSettings {
    /// Its name alone where there is nothing to set.
    var tree: SettingTree {
        let numbers = numbers.map { SettingTree.Entry($0.key, .number($0.value)) }
        let words = words.map { SettingTree.Entry($0.key, .text($0.value)) }
        let parameters = (numbers + words).sorted { $0.key < $1.key }
        return parameters.isEmpty ? .text(name) : .map([.init("name", .text(name))] + parameters)
    }
}

extension ModelSettings {
    var tree: SettingTree {
        .map(
            [.init("name", .text(name))] + (width.map { [.init("width", .whole($0))] } ?? [])
                + (runner?.layers.map { [.init("layers", .whole($0))] } ?? [])
                + (runner.map { [.init("runner", $0.tree)] } ?? []))
    }
}

extension RunnerReference {
    /// Kinds and needs are there only where they are set.
    var tree: SettingTree {
        let computed = kinds.map { kinds in
            SettingTree.Entry("kinds", .list(kinds.map { .text($0.rawValue) }))
        }
        let needed = needs.map { needs in
            SettingTree.Entry("needs", .list(needs.map { .text($0) }))
        }
        return .map(
            [
                .init("name", .text(name)), .init("revision", .whole(revision)),
                .init("device", .text(device)),
            ] + [computed, needed].compactMap { $0 })
    }
}

extension SeedSettings {
    var tree: SettingTree {
        func list(_ seeds: [UInt64]) -> SettingTree { .list(seeds.map { .whole(Int($0)) }) }
        return switch self {
        case .together(let seeds): list(seeds)
        case .apart(let data, let poison, let train, let sal):
            .map([
                .init("data", list(data)), .init("poison", list(poison)),
                .init("train", list(train)), .init("sal", list(sal)),
            ])
        }
    }
}

extension TrainingSettings {
    /// Phases and a start are there only where they are set; their absence says that there are none.
    var tree: SettingTree {
        let phased: [SettingTree.Entry] =
            phases.map { [.init("phases", .list($0.map(\.tree)))] } ?? []
        let started: [SettingTree.Entry] = start.map { [.init("init", $0.tree)] } ?? []
        return .map(
            phased + started + [
                .init("epochs", .whole(epochs)),
                .init("batch", .whole(batch)),
                .init("optimizer", .text(optimizer.rawValue)),
                .init("learningRate", .number(learningRate)),
                .init("momentum", .number(momentum)),
                .init("nesterov", .flag(nesterov)),
                .init("weightDecay", .number(weightDecay)),
                .init("schedule", .text(schedule.rawValue)),
                .init("milestones", .list(milestones.map { .whole($0) })),
                .init("factor", .number(factor)),
                .init("warmupEpochs", .whole(warmupEpochs)),
                .init("augment", .list(augment.map { .text($0.rawValue) })),
                .init("samRadius", .number(samRadius)),
            ])
    }
}

extension TrainingPhase {
    var tree: SettingTree {
        .map([
            .init("epochs", .whole(epochs)), .init("data", .text(data.rawValue)),
            .init("images", .text(images.rawValue)),
        ])
    }
}

extension TrainingStart {
    var tree: SettingTree {
        .map([
            .init("checkpoint", .text(checkpoint)), .init("part", .text(part.rawValue)),
            .init("frozen", .flag(frozen)),
        ])
    }
}

extension SALSweepSettings {
    /// - Parameter views: The number beside every training, or `nil` where it follows training.
    func tree(views: Int?) -> SettingTree {
        let followed: SettingTree = viewsFollowTraining ? .text("auto") : .whole(settings.views)
        return .map([
            .init("every", .whole(every)),
            .init("from", .whole(from)),
            .init("images", .whole(settings.images)),
            .init("batch", .whole(settings.batch)),
            .init("solver", .text(settings.solver.rawValue)),
            .init("steps", .whole(settings.steps)),
            .init("laterSteps", .optional(settings.laterSteps)),
            .init("passes", .whole(settings.passes)),
            .init("rate", .number(settings.rate)),
            .init("radius", .number(settings.radius)),
            .init("data", .text(settings.data.rawValue)),
            .init("views", views.map { .whole($0) } ?? followed),
            .init("granularity", .text(settings.granularity.rawValue)),
            .init("origin", .text(settings.origin.rawValue)),
            .init("settle", .optional(settings.settle)),
            .init("stepsPerPass", .optional(settings.stepsPerPass)),
            .init("filters", .optional(settings.filters)),
        ])
    }
}

extension ComparisonSettings {
    var tree: SettingTree {
        .map([
            .init("baseline", .text(baseline.rawValue)),
            .init("threshold", .text(threshold.rawValue)),
            .init("controls", .list(controls.map { .text($0) })),
        ])
    }
}
