public import FathomCore

/// Methods that are files made elsewhere.
extension ManifestReader {
    private static let externalKeys = [
        "name", "kind", "path", "apply", "sign", "rounding", "array", "allowPartial",
    ]

    /// Reads `{ name: mine, kind: external, path: ... }`; what is at the path is looked at when
    /// the sweep is planned.
    func external(_ section: SectionReader) -> MethodSettings? {
        section.checkKeys(Self.externalKeys)
        let settings = ExternalSettings()
        guard let kind = section.node("kind"),
            problems.choice(kind, section.field("kind"), among: ["external"]) != nil,
            let name = externalName(section), let path = text(section, "path", needed: true)
        else { return nil }
        var method = MethodSettings(name: name, words: ["kind": "external", "path": path])
        method.words["apply"] =
            section.choice(
                "apply", among: ExternalSettings.Application.allCases,
                default: settings.application
            ).rawValue
        method.words["sign"] =
            section.choice(
                "sign", among: ExternalSettings.Sign.allCases, default: settings.sign
            ).rawValue
        method.words["rounding"] =
            section.choice(
                "rounding", among: ExternalSettings.Rounding.allCases, default: settings.rounding
            ).rawValue
        method.words["array"] = text(section, "array", needed: false)
        method.words["allowPartial"] = "\(section.flag("allowPartial", default: false))"
        return method
    }

    private func text(_ section: SectionReader, _ key: String, needed: Bool) -> String? {
        let right = "it must be text"
        guard let node = needed ? named(section, key) : section.node(key),
            needed || !node.isNull,
            let text = problems.text(node, section.field(key), right)
        else { return nil }
        if text.isEmpty { problems.refuse(node, section.field(key), right) }
        return text.isEmpty ? nil : text
    }

    /// A name that no method of ours has, so that nobody takes one for the other.
    private func externalName(_ section: SectionReader) -> String? {
        let right =
            "it must be 1 to \(Limits.nameCharacters) letters a-z, digits, dots, dashes and "
            + "underscores, a letter or digit first"
        guard let node = named(section, "name"),
            let name = problems.text(node, section.field("name"), right)
        else { return nil }
        guard name.utf8.count <= Limits.nameCharacters,
            name.wholeMatch(of: /[A-Za-z0-9][A-Za-z0-9._-]*/) != nil
        else {
            problems.refuse(node, section.field("name"), right)
            return nil
        }
        guard !capabilities.methods.contains(where: { $0.name == name }) else {
            problems.refuse(
                node, section.field("name"), "that is a method of Fathom; call yours otherwise")
            return nil
        }
        return name
    }
}

extension MethodSettings {
    /// How the files of an external method are to be understood, and where they are.
    public var external: (path: String, settings: ExternalSettings)? {
        guard isExternal, let path = words["path"] else { return nil }
        var settings = ExternalSettings()
        settings.application = words["apply"].flatMap { .init(rawValue: $0) } ?? .auto
        settings.sign = words["sign"].flatMap { .init(rawValue: $0) } ?? .both
        settings.rounding = words["rounding"].flatMap { .init(rawValue: $0) } ?? .nearest
        settings.array = words["array"]
        settings.allowsPartial = words["allowPartial"] == "true"
        return (path, settings)
    }
}
