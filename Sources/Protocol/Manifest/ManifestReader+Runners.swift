import FathomCore

/// Networks whose jobs a runner computes, and what must hold around them.
extension ManifestReader {
    /// `{ name: resnet18, runner: torch }`, or with all there is to say of a runner.
    func runnerModel(_ section: SectionReader) -> ModelSettings? {
        guard let nameNode = named(section, "name"),
            let name = problems.text(
                nameNode, section.field("name"), "it must be a network's name"),
            let node = section.node("runner"), var runner = runner(node, section.field("runner"))
        else { return nil }
        let isKnown = capabilities.models.contains { $0.name == name }
        if isKnown, let known = model(nameNode, section.field("name")) {
            if let layers = section.node("layers") {
                problems.refuse(
                    layers, section.field("layers"),
                    "it is said of networks that only a runner knows; \(name) is built in")
            }
            return ModelSettings(name: name, width: width(section, known), runner: runner)
        }
        guard name.wholeMatch(of: /[A-Za-z0-9_][A-Za-z0-9_.-]*(:[A-Za-z0-9_.-]+)?/) != nil,
            name.utf8.count <= Limits.nameCharacters
        else {
            problems.refuse(
                nameNode, section.field("name"),
                "it must be a built-in network or what the runner calls one of its own, such as "
                    + "mynets:wide, in at most \(Limits.nameCharacters) letters")
            return nil
        }
        guard section.node("layers") != nil else {
            problems.add(
                section.field("layers"), value: nil,
                advice: "is missing; \(name) is known to the runner alone, so say how many "
                    + "layers (convolutions and linear ones) are measured of it",
                at: section.place)
            return nil
        }
        runner.layers = section.whole("layers", in: 1...100_000, default: 1)
        if let kinds = runner.kinds, kinds.count < RunnerReference.Kind.allCases.count {
            problems.refuse(
                node, section.field("runner"),
                "the built-in engine does not know \(name), so its runner computes all kinds; "
                    + "leave kinds out")
        }
        return ModelSettings(
            name: name, width: section.wholeOrNil("width", in: 1...1_024), runner: runner)
    }

    private func runner(_ node: ManifestNode, _ field: String) -> RunnerReference? {
        if isScalar(node) { return word(node, field).map { RunnerReference(name: $0) } }
        guard let section = SectionReader(node, field, problems) else { return nil }
        section.checkKeys(["name", "revision", "device", "kinds", "needs"])
        guard let name = named(section, "name").flatMap({ word($0, section.field("name")) })
        else { return nil }
        let kinds = section.list("kinds", default: [RunnerReference.Kind]()) { node, field in
            problems.choice(
                node, field, among: RunnerReference.Kind.allCases.map(\.rawValue)
            ).flatMap(RunnerReference.Kind.init(rawValue:))
        }
        let needs = section.list("needs", default: [String]()) { node, field in
            guard let text = problems.text(node, field, WorkerTags.right) else { return nil }
            if WorkerTags.isNeed(text) { return text }
            problems.refuse(node, field, WorkerTags.right)
            return nil
        }
        let isAll = kinds.isEmpty || kinds.count == RunnerReference.Kind.allCases.count
        return RunnerReference(
            name: name, revision: section.whole("revision", in: 1...1_000_000, default: 1),
            device: section.node("device").flatMap { word($0, section.field("device")) } ?? "cpu",
            kinds: isAll ? nil : kinds.sorted { $0.rawValue < $1.rawValue },
            needs: needs.isEmpty ? nil : needs.sorted())
    }

    private func word(_ node: ManifestNode, _ field: String) -> String? {
        let right = "it must be 1 to 32 letters a-z, digits, dots, dashes and underscores"
        guard let text = problems.text(node, field, right) else { return nil }
        guard RunnerOffer.isWord(text) else {
            problems.refuse(node, field, right)
            return nil
        }
        return text
    }

    /// What runners cannot do yet is refused before anything runs.
    func checkRunners(_ manifest: Manifest) {
        let runners = manifest.models.filter { $0.runner != nil }
        guard !runners.isEmpty else { return }
        if let task = manifest.tasks.first(where: {
            !(TaskSettings(text: $0)?.isPlainClassification ?? false)
        }) {
            problems.add(
                "tasks", value: task, advice: "models with a runner learn cls only",
                at: place("tasks", ""))
        }
        let measures = runners.contains { $0.runner?.computes(.sal) ?? false }
        if measures, manifest.sal.contains(where: { $0.settings.granularity == .filter }) {
            problems.add(
                "sal.granularity", value: "filter",
                advice: "runners measure whole layers; write granularity: layer, or leave sal to "
                    + "the built-in engine with runner: { name: …, kinds: [train] }",
                at: place("sal", "granularity"))
        }
        let stranger = runners.first { $0.runner?.layers != nil }
        if let stranger, manifest.landscape != nil {
            problems.add(
                "landscape", value: stranger.name,
                advice: "landscapes are sampled by the built-in engine, which does not know it",
                at: place("landscape", ""))
        }
        if let stranger, manifest.training.contains(where: { $0.start != nil }) {
            problems.add(
                "training.init", value: stranger.name,
                advice: "only built-in networks can start from a checkpoint",
                at: place("training", "init"))
        }
    }
}
