import FathomCore

/// Data sets, tasks and models: sides of the grid.
extension ManifestReader {
    func readData(_ node: ManifestNode) -> [DataSettings] {
        Axes.read(node, "data", problems) { item, path in
            guard !isScalar(item) else {
                return dataSet(item, path).map { [DataSettings(set: $0, train: 0, test: 0)] } ?? []
            }
            return combinations(item, path).compactMap { section in
                section.checkKeys(
                    ["set", "train", "test"],
                    later: ["path": "only the data sets named in docs/manifest.md are read"])
                return named(section, "set").flatMap { dataSet($0, section.field("set")) }.map {
                    DataSettings(
                        set: $0, train: section.whole("train", in: 0...Limits.images, default: 0),
                        test: section.whole("test", in: 0...Limits.images, default: 0))
                }
            }
        }
    }

    private func dataSet(_ node: ManifestNode, _ field: String) -> String? {
        problems.choice(
            node, field, among: capabilities.dataSets,
            later: ["cifar10", "cifar100", "emnist", "svhn"])
    }

    func readModels(_ node: ManifestNode) -> [ModelSettings] {
        Axes.read(node, "models", problems) { item, path in
            guard !isScalar(item) else {
                return model(item, path).map {
                    [ModelSettings(name: $0.name, width: $0.defaultWidth)]
                } ?? []
            }
            return combinations(item, path).compactMap { section in
                section.checkKeys(["name", "width", "runner", "layers"])
                if section.node("runner") != nil { return runnerModel(section) }
                return named(section, "name").flatMap { model($0, section.field("name")) }.map {
                    ModelSettings(name: $0.name, width: width(section, $0))
                }
            }
        }
    }

    func width(_ section: SectionReader, _ model: ModelCapability) -> Int? {
        guard let node = section.node("width"), !node.isNull else { return model.defaultWidth }
        guard model.defaultWidth != nil else {
            problems.refuse(node, section.field("width"), "\(model.name) has no width to choose")
            return nil
        }
        return problems.whole(node, section.field("width"), in: 1...1_024)
    }

    func model(_ node: ManifestNode, _ field: String) -> ModelCapability? {
        let name = problems.choice(
            node, field, among: capabilities.models.map(\.name),
            later: ["linear", "mlp", "resnet18", "resnet34", "resnet50", "senet18", "vit"])
        return capabilities.models.first { $0.name == name }
    }

    // MARK: Shared between the sides

    /// The combinations that one item of a list stands for.
    func combinations(
        _ item: ManifestNode, _ path: String, listKeys: Set<String> = []
    ) -> [SectionReader] {
        Axes.expanded(item, path, listKeys: listKeys, problems).compactMap {
            SectionReader($0, path, problems)
        }
    }

    /// The value of the one key an item cannot be without.
    func named(_ section: SectionReader, _ key: String) -> ManifestNode? {
        guard let node = section.node(key) else {
            problems.add(
                section.field(key), value: nil, advice: "is missing; it says which one is meant",
                at: section.place)
            return nil
        }
        return node
    }

    func isScalar(_ node: ManifestNode) -> Bool {
        if case .scalar = node.content { return true }
        return false
    }
}
