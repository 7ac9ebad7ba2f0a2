import FathomCore

/// Defenses, whose keys depend on the defense.
extension ManifestReader {
    func readDefenses(_ node: ManifestNode?) -> [DefenseSettings] {
        guard let node else { return [DefenseSettings()] }
        return Axes.read(node, "defenses", problems) { item, path in
            if isScalar(item) {
                guard let defense = defense(item, path) else { return [] }
                let empty = ManifestNode(place: item.place, content: .map([]))
                return SectionReader(empty, path, problems).map { [settings($0, defense)] } ?? []
            }
            return combinations(item, path).compactMap { section in
                named(section, "name").flatMap { defense($0, section.field("name")) }.map {
                    section.checkKeys(["name"] + $0.parameters.map(\.name))
                    return settings(section, $0)
                }
            }
        }
    }

    private static let laterDefenses = ["avatar", "d-vae", "eclipse", "op-full"]

    private func defense(_ node: ManifestNode, _ field: String) -> DefenseCapability? {
        let name = problems.choice(
            node, field, among: capabilities.defenses.map(\.name), later: Self.laterDefenses)
        return capabilities.defenses.first { $0.name == name }
    }

    private func settings(
        _ section: SectionReader, _ defense: DefenseCapability
    ) -> DefenseSettings {
        var settings = DefenseSettings(name: defense.name)
        for parameter in defense.parameters {
            let key = parameter.name
            if case .number(let value, let range) = parameter.kind {
                settings.numbers[key] = section.numberOrNil(key, in: range) ?? value
            } else if case .whole(let value, let range) = parameter.kind {
                let chosen = section.wholeOrNil(key, in: range) ?? value
                settings.numbers[key] = chosen.map(Double.init)
            } else if case .word(let value, let choices) = parameter.kind {
                let chosen = section.node(key).flatMap {
                    problems.choice($0, section.field(key), among: choices)
                }
                settings.words[key] = chosen ?? value
            }
        }
        return settings
    }
}
