import FathomCore

/// Methods, whose keys depend on the method.
extension ManifestReader {
    func readMethods(_ node: ManifestNode) -> [MethodSettings] {
        Axes.read(node, "methods", problems) { item, path in
            if isScalar(item) {
                guard let method = method(item, path) else { return [] }
                let empty = ManifestNode(place: item.place, content: .map([]))
                return SectionReader(empty, path, problems).map { [settings($0, method)] } ?? []
            }
            return combinations(item, path).compactMap { section in
                if section.node("kind") != nil { return external(section) }
                return named(section, "name").flatMap { method($0, section.field("name")) }.map {
                    method in
                    section.checkKeys(
                        ["name"] + method.parameters.map(\.name), later: Self.laterMethodKeys)
                    return settings(section, method)
                }
            }
        }
    }

    private static let laterMethodKeys = [
        "kind": "only the methods built in can be used",
        "path": "only the methods built in can be used",
    ]
    private static let laterMethods = ["dc", "ntga"]

    private func method(_ node: ManifestNode, _ field: String) -> MethodCapability? {
        guard case .scalar(let text, _) = node.content, text.contains("+") else {
            return single(node, field)
        }
        // Each name is judged by itself, so that a slip in one of them is told.
        let names = text.split(separator: "+", omittingEmptySubsequences: false)
        let parts = names.compactMap { name in
            single(
                ManifestNode(
                    place: node.place, content: .scalar(text: String(name), isQuoted: false)),
                field)
        }
        return parts.count == names.count ? MethodCapability(combining: parts) : nil
    }

    private func single(_ node: ManifestNode, _ field: String) -> MethodCapability? {
        let name = problems.choice(
            node, field, among: capabilities.methods.map(\.name), later: Self.laterMethods)
        return capabilities.methods.first { $0.name == name }
    }

    private func settings(_ section: SectionReader, _ method: MethodCapability) -> MethodSettings {
        var settings = MethodSettings(name: method.name)
        for parameter in method.parameters {
            let key = parameter.name
            switch parameter.kind {
            case .number(let value, let range):
                settings.numbers[key] = section.numberOrNil(key, in: range) ?? value
            case .whole(let value, let range):
                let chosen = section.wholeOrNil(key, in: range) ?? value
                settings.numbers[key] = chosen.map(Double.init)
            case .word(let value, let choices):
                let chosen = section.node(key).flatMap {
                    problems.choice($0, section.field(key), among: choices)
                }
                settings.words[key] = chosen ?? value
            case .text(let example):
                settings.words[key] = section.node(key).flatMap {
                    $0.isNull
                        ? nil
                        : problems.text($0, section.field(key), "it must be such as \(example)")
                }
            }
        }
        return settings
    }
}
