import FathomCore

/// What is learned: tasks by themselves, and several on one network.
extension ManifestReader {
    func readTasks(_ node: ManifestNode?) -> [String] {
        guard let node else { return ["cls"] }
        return Axes.read(node, "tasks", problems) { item, path in
            if isScalar(item) { return lone(item, path).map { [$0] } ?? [] }
            guard capabilities.tasks.count > 1 else {
                problems.refuse(
                    item, path, "several tasks at once are known but not supported by this version")
                return []
            }
            return combinations(item, path, listKeys: ["multi"]).compactMap { section in
                section.node("multi") == nil ? named(section) : several(section)
            }
        }
    }

    /// A task's name, or the whole as `fathom plan --show-defaults` writes it.
    private func lone(_ item: ManifestNode, _ path: String) -> String? {
        if case .scalar(let text, _) = item.content, !capabilities.tasks.contains(text),
            let settings = TaskSettings(text: text), settings.trainingText == text,
            settings.kinds.allSatisfy({ capabilities.tasks.contains($0.rawValue) })
        {
            return text
        }
        return task(item, path).map { TaskSettings([$0.kind], losses: [$0.loss]).trainingText }
    }

    /// A task by its name, and the loss if the name says one: `cls`, `cls.soft`.
    private func task(_ item: ManifestNode, _ path: String) -> (kind: TaskKind, loss: TaskLoss)? {
        let supported = TaskKind.allCases.filter { capabilities.tasks.contains($0.rawValue) }
        let unsupported = TaskKind.allCases.filter { !supported.contains($0) }
        return problems.choice(
            item, path, among: supported.flatMap(\.names), later: unsupported.flatMap(\.names)
        )
        .flatMap { TaskKind.named($0) }
    }

    /// `{ name: edge, targets: released }`.
    private func named(_ section: SectionReader) -> String? {
        section.checkKeys(["name", "targets"])
        guard let node = named(section, "name"), let task = task(node, section.field("name"))
        else { return nil }
        return checked(
            section, TaskSettings([task.kind], losses: [task.loss], targets: targets(section)))
    }

    /// `{ multi: [cls, depth], weights: equal }`.
    private func several(_ section: SectionReader) -> String? {
        section.checkKeys(["multi", "weights", "targets"])
        let tasks = section.list("multi", default: [TaskSettings]()) { item, path in
            task(item, path).map { TaskSettings([$0.kind], losses: [$0.loss]) }
        }
        let kinds = tasks.flatMap(\.kinds)
        guard Set(kinds).count == kinds.count else {
            if let node = section.node("multi") {
                problems.refuse(
                    node, section.field("multi"), "it takes each task once, by one loss")
            }
            return nil
        }
        guard kinds.count > 1 else {
            if let node = section.node("multi") {
                problems.refuse(node, section.field("multi"), "it takes two tasks or more")
            }
            return nil
        }
        let weighting = section.choice(
            "weights", among: TaskWeighting.allCases, default: .equal)
        return checked(
            section,
            TaskSettings(
                kinds, losses: tasks.flatMap(\.losses), weighting: weighting,
                targets: targets(section)))
    }

    private func targets(_ section: SectionReader) -> TargetSource {
        section.choice("targets", among: TargetSource.allCases, default: .clean)
    }

    private func checked(_ section: SectionReader, _ settings: TaskSettings) -> String? {
        if settings.targets == .released, let node = section.node("targets"),
            let kind = settings.kinds.first(where: { !$0.isDerivedFromPixels })
        {
            problems.refuse(
                node, section.field("targets"),
                "released targets are worked out from pixels alone (edge, kp2d, ae), which does "
                    + "not give \(kind.rawValue)")
            return nil
        }
        return settings.trainingText
    }
}
