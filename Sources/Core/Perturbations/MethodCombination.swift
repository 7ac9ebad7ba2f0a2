/// Methods put one on top of the other: `ops+em-s` is `ops` crafted on images that `em-s` has
/// perturbed. Settings of a combination carry their method's name, such as `em-s.epsilon`.
extension MethodSettings {
    /// Whether several methods are named.
    public var isCombination: Bool { name.contains("+") }

    /// The methods in the order of crafting, each with its own settings; the last named is first.
    public var components: [MethodSettings] {
        guard isCombination else { return [self] }
        return name.split(separator: "+").reversed().map(String.init).map { part in
            let prefix = part + "."
            return MethodSettings(
                name: part, numbers: Self.own(numbers, prefix),
                words: Self.own(words, prefix))
        }
    }

    private static func own<Value>(_ all: [String: Value], _ prefix: String) -> [String: Value] {
        let pairs = all.filter { $0.key.hasPrefix(prefix) }
            .map { (String($0.key.dropFirst(prefix.count)), $0.value) }
        return Dictionary(uniqueKeysWithValues: pairs)
    }

    /// Several methods as one, in the order of crafting.
    init(combining components: [MethodSettings]) {
        self.init(name: components.reversed().map(\.name).joined(separator: "+"))
        for component in components {
            for (key, value) in component.numbers { numbers["\(component.name).\(key)"] = value }
            for (key, value) in component.words { words["\(component.name).\(key)"] = value }
        }
    }
}

extension PerturbationRegistry {
    /// Resolves every method of a combination, and refuses what belongs to none of them.
    static func resolvedCombination(
        _ settings: MethodSettings, channels: Int, height: Int, width: Int
    ) throws(MethodError) -> MethodSettings {
        let components = settings.components
        let names = components.map(\.name)
        guard names.count > 1, Set(names).count == names.count, !names.contains("clean") else {
            throw .unsuited(
                method: settings.name,
                reason: "a combination names at least two different methods beside clean")
        }
        for key in (settings.numbers.keys.map(\.self) + settings.words.keys).sorted()
        where !names.contains(where: { key.hasPrefix($0 + ".") }) {
            throw .setting(
                SettingError(
                    owner: settings.name, setting: key,
                    problem: .unknown(known: names.map { "\($0).\(key)" })))
        }
        var resolved: [MethodSettings] = []
        for component in components {
            resolved.append(
                try resolve(component, channels: channels, height: height, width: width))
        }
        return MethodSettings(combining: resolved)
    }
}
