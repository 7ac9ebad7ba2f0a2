/// Multiplies out the axes of the grid: every scalar of a section may be a list of values.
enum Axes {
    /// Every combination of a mapping's values, the last key varying fastest.
    ///
    /// - Parameter listKeys: Keys whose one value is a list already, such as `augment`; a list of
    ///   lists is an axis there.
    static func expanded(
        _ node: ManifestNode, _ path: String, listKeys: Set<String>, _ problems: ProblemCollector
    ) -> [ManifestNode] {
        guard case .map(let entries) = node.content else { return [node] }
        var combinations: [[ManifestNode.Entry]] = [[]]
        for entry in entries {
            let field = path.isEmpty ? entry.key : "\(path).\(entry.key)"
            let values = values(of: entry, field, isList: listKeys.contains(entry.key), problems)
            guard combinations.count * values.count <= Limits.axisValues else {
                problems.add(
                    path, value: nil,
                    advice: "multiplies out to more than \(Limits.axisValues) combinations",
                    at: node.place)
                return []
            }
            combinations = combinations.flatMap { combination in
                values.map { value in
                    combination + [.init(key: entry.key, place: entry.place, value: value)]
                }
            }
        }
        return combinations.map { ManifestNode(place: node.place, content: .map($0)) }
    }

    /// The values one key takes in turn.
    private static func values(
        of entry: ManifestNode.Entry, _ field: String, isList: Bool, _ problems: ProblemCollector
    ) -> [ManifestNode] {
        guard case .list(let items) = entry.value.content else { return [entry.value] }
        if isList && !items.contains(where: \.isList) { return [entry.value] }
        guard !items.isEmpty else {
            problems.refuse(entry.value, field, "an axis of the grid needs at least one value")
            return []
        }
        var texts: Set<String> = []
        for (index, item) in items.enumerated() {
            if case .scalar(let text, _) = item.content, !texts.insert(text).inserted {
                problems.refuse(item, "\(field)[\(index)]", "it is on this axis already")
            }
        }
        return items
    }

    /// Reads a section that is one item or a list of them, each of which may stand for several
    /// settings, and keeps each setting once.
    ///
    /// Two items of the list that come to the same are an error; two combinations within an item
    /// are not, because a setting without effect is put to its default.
    static func read<Setting: Hashable>(
        _ node: ManifestNode, _ path: String, _ problems: ProblemCollector,
        item read: (ManifestNode, String) -> [Setting]
    ) -> [Setting] {
        guard node.items.count > 0, node.items.count <= Limits.axisValues else {
            problems.refuse(node, path, "it needs from 1 to \(Limits.axisValues) values")
            return []
        }
        var settings: [Setting] = []
        var owners: [Setting: Int] = [:]
        for (index, item) in node.items.enumerated() {
            let itemPath = node.isList ? "\(path)[\(index)]" : path
            for setting in read(item, itemPath) {
                switch owners.updateValue(owners[setting] ?? index, forKey: setting) {
                case nil: settings.append(setting)
                case index?: break
                case let earlier?:
                    problems.refuse(item, itemPath, "it comes to the same as \(path)[\(earlier)]")
                }
            }
        }
        return settings
    }
}
