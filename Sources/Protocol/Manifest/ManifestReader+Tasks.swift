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
        return kind(item, path)?.rawValue
    }

    private func kind(_ item: ManifestNode, _ path: String) -> TaskKind? {
        let unsupported = TaskKind.allCases.map(\.rawValue).filter {
            !capabilities.tasks.contains($0)
        }
        return problems.choice(item, path, among: capabilities.tasks, later: unsupported)
            .flatMap(TaskKind.init(rawValue:))
    }

    /// `{ name: edge, targets: released }`.
    private func named(_ section: SectionReader) -> String? {
        section.checkKeys(["name", "targets"])
        guard let node = named(section, "name"), let kind = kind(node, section.field("name"))
        else { return nil }
        return checked(section, TaskSettings([kind], targets: targets(section)))
    }

    /// `{ multi: [cls, depth], weights: equal }`.
    private func several(_ section: SectionReader) -> String? {
        section.checkKeys(["multi", "weights", "targets"])
        let kinds = section.list("multi", default: [TaskKind]()) { kind($0, $1) }
        guard kinds.count > 1 else {
            if let node = section.node("multi") {
                problems.refuse(node, section.field("multi"), "it takes two tasks or more")
            }
            return nil
        }
        let weighting = section.choice(
            "weights", among: TaskWeighting.allCases, default: .equal)
        return checked(
            section, TaskSettings(kinds, weighting: weighting, targets: targets(section)))
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
