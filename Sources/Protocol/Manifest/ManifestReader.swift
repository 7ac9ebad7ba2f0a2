import FathomCore

/// Reads a manifest's tree section by section.
struct ManifestReader {
    let root: ManifestNode
    let capabilities: Capabilities
    let problems: ProblemCollector

    private static let keys = [
        "version", "name", "seed", "data", "methods", "tasks", "models", "defenses", "seeds",
        "training", "sal", "compare", "landscape", "audit", "keep", "extends",
    ]
    private static let laterKeys = [
        "mixedHosts": "a sweep keeps to one numeric class",
        "shardSeconds": "shards are sized by the coordinator",
    ]

    /// The manifest, or `nil` where too much is missing; problems are noted either way.
    func manifest() -> Manifest? {
        guard let top = SectionReader(root, "", problems) else { return nil }
        top.checkKeys(Self.keys, later: Self.laterKeys)
        checkVersion(top)
        let manifest = Manifest(
            name: name(top),
            seed: UInt64(top.whole("seed", in: 0...Limits.seedMax, default: 0)),
            data: required(top, "data", "such as data: fashion-mnist", readData),
            methods: required(top, "methods", "such as methods: [clean, rand-s]", readMethods),
            tasks: readTasks(top.node("tasks")),
            models: required(top, "models", "such as models: [lenet5]", readModels),
            defenses: readDefenses(top.node("defenses")),
            seeds: readSeeds(top.node("seeds")),
            training: readTraining(top.node("training")),
            sal: readSAL(top.node("sal")),
            compare: readCompare(top.node("compare")),
            landscape: readLandscape(top.node("landscape")),
            audit: readAudit(top.node("audit")), keep: readKeep(top.node("keep")))
        checkTogether(manifest)
        return manifest
    }

    private func checkVersion(_ top: SectionReader) {
        guard let node = top.node("version") else {
            problems.add(
                "version", value: nil, advice: "is missing; write version: 1", at: top.place)
            return
        }
        guard case .scalar("1", false) = node.content else {
            return problems.refuse(node, "version", "this build reads version 1 only")
        }
    }

    private func name(_ top: SectionReader) -> String {
        let right =
            "it must be 1 to \(Limits.nameCharacters) letters a-z, digits, dots, dashes and "
            + "underscores, a letter or digit first"
        guard let node = top.node("name") else {
            problems.add("name", value: nil, advice: "is missing; \(right)", at: top.place)
            return ""
        }
        guard let name = problems.text(node, "name", right) else { return "" }
        if name.utf8.count > Limits.nameCharacters
            || name.wholeMatch(of: /[A-Za-z0-9][A-Za-z0-9._-]*/) == nil
        {
            problems.refuse(node, "name", right)
        }
        return name
    }

    /// A share such as `0.01`, or `1%`.
    private func readAudit(_ node: ManifestNode?) -> Double {
        guard let node else { return 0 }
        let right = "it must be a share such as 0.01 or 1%, at most 1 or 100%"
        guard let text = problems.text(node, "audit", right) else { return 0 }
        let isPercent = text.hasSuffix("%")
        let number = NumberText.number(isPercent ? String(text.dropLast()) : text)
        guard let share = number.map({ isPercent ? $0 / 100 : $0 }), (0...1).contains(share) else {
            problems.refuse(node, "audit", right)
            return 0
        }
        return share
    }

    private func readKeep(_ node: ManifestNode?) -> CheckpointKeeping {
        guard let node else { return .measured }
        let right = "it is measured, last or none"
        guard let text = problems.text(node, "keep", right) else { return .measured }
        guard let keeping = CheckpointKeeping(rawValue: text) else {
            problems.refuse(node, "keep", right)
            return .measured
        }
        return keeping
    }

    private func required<Setting>(
        _ top: SectionReader, _ key: String, _ example: String,
        _ read: (ManifestNode) -> [Setting]
    ) -> [Setting] {
        guard let node = top.node(key) else {
            problems.add(key, value: nil, advice: "is missing, \(example)", at: top.place)
            return []
        }
        return read(node)
    }

    /// Where `key` of `section` is written, or the nearest thing to it.
    func place(_ section: String, _ key: String) -> Place {
        let node = root.child(section)
        return (node?.child(key) ?? node ?? root).place
    }

    // MARK: What sections say of one another

    private func checkTogether(_ manifest: Manifest) {
        for sal in manifest.sal {
            for training in manifest.training where sal.from > training.epochs {
                problems.add(
                    "sal.from", value: "\(sal.from)",
                    advice: "it must be at most training.epochs, \(training.epochs)",
                    at: place("sal", "from"))
            }
            for data in manifest.data {
                checkImages("sal", sal.settings.images, of: sal.settings.data, data)
            }
        }
        checkLandscape(manifest)
        checkRunners(manifest)
    }

    private func checkImages(
        _ section: String, _ count: Int, of source: SALSettings.Source, _ data: DataSettings
    ) {
        let (key, available) = source == .test ? ("test", data.test) : ("train", data.train)
        guard available > 0, count > available else { return }
        problems.add(
            "\(section).images", value: "\(count)",
            advice: "it must be at most data.\(key), \(available)", at: place(section, "images"))
    }

    private func checkLandscape(_ manifest: Manifest) {
        guard let landscape = manifest.landscape, let first = landscape.planes.first else { return }
        for data in manifest.data { checkImages("landscape", first.images, of: first.data, data) }
        guard landscape.planes.contains(where: { $0.plane == .trajectory }) else { return }
        for sal in manifest.sal {
            for training in manifest.training {
                let count = sal.measuredEpochs(of: training.epochs).count
                guard count < 3 else { continue }
                problems.add(
                    "landscape.planes", value: "trajectory",
                    advice: "it needs 3 measured epochs, and sal.every \(sal.every) of "
                        + "training.epochs \(training.epochs) makes \(count)",
                    at: place("landscape", "planes"))
            }
        }
    }
}
