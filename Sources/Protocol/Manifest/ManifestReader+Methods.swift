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
        "classes": "a method perturbs the images of all classes",
        "craftTask": "a method is crafted for classification",
        "fraction": "a method perturbs all training images",
        "key": "a method is keyed by class",
        "kind": "only the methods built in can be used",
        "path": "only the methods built in can be used",
        "surrogate": "no method here has a surrogate to choose",
        "tier": "give the method's settings one by one",
    ]
    private static let laterMethods = [
        "ar", "cuda", "dc", "em-c", "em-s", "hypo", "label-noise", "lsp", "ntga", "ops", "pil",
        "rand-c", "rand-s", "random-labels", "rem", "tap",
    ]

    private func method(_ node: ManifestNode, _ field: String) -> MethodCapability? {
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
            }
        }
        return settings
    }
}
