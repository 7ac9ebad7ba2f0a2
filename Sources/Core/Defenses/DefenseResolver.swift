/// Completes the settings of one defense.
struct DefenseResolver {
    let defense: any Defense
    let given: DefenseSettings

    func resolved(shape: ImageShape) throws(DefenseError) -> DefenseSettings {
        try refuseStrangers()
        var resolved = DefenseSettings(name: defense.name)
        // Words first, because conditions of the numbers look at them.
        for parameter in defense.parameters {
            guard case .word(let standard, let allowed) = parameter.kind else { continue }
            resolved.words[parameter.name] = try word(parameter, standard, allowed)
        }
        for parameter in defense.parameters {
            guard case .number(let standard, let range, let whole) = parameter.kind,
                try isRead(parameter, resolved.words)
            else { continue }
            let value =
                given.numbers[parameter.name] ?? standard
                ?? defense.standard(of: parameter.name, words: resolved.words, shape: shape)
            try check(parameter, value, range, whole: whole)
            resolved.numbers[parameter.name] = value
        }
        return resolved
    }

    private func refuseStrangers() throws(DefenseError) {
        for name in (given.numbers.keys.map(\.self) + given.words.keys).sorted() {
            let isKnown = defense.parameters.contains { parameter in
                guard parameter.name == name else { return false }
                if case .number = parameter.kind { return given.words[name] == nil }
                return given.numbers[name] == nil
            }
            guard isKnown else {
                throw .unknownParameter(
                    defense: defense.name, name: name, known: defense.parameters.map(\.name))
            }
        }
    }

    private func word(
        _ parameter: MethodParameter, _ standard: String, _ allowed: [String]
    ) throws(DefenseError) -> String {
        let value = given.words[parameter.name] ?? standard
        guard allowed.contains(value) else {
            throw .notAllowed(
                defense: defense.name, name: parameter.name, value: value, allowed: allowed)
        }
        return value
    }

    /// Whether the number means anything beside the words; one that is given must.
    private func isRead(
        _ parameter: MethodParameter, _ words: [String: String]
    ) throws(DefenseError) -> Bool {
        guard let condition = parameter.condition,
            !condition.values.contains(words[condition.name] ?? "")
        else { return true }
        guard given.numbers[parameter.name] == nil else {
            throw .notApplicable(
                defense: defense.name, name: parameter.name,
                when: "\(condition.name) \(condition.values.joined(separator: " or "))")
        }
        return false
    }

    private func check(
        _ parameter: MethodParameter, _ value: Double, _ range: ClosedRange<Double>, whole: Bool
    ) throws(DefenseError) {
        guard range.contains(value) else {
            throw .outOfRange(
                defense: defense.name, name: parameter.name, value: value, range: range)
        }
        guard !whole || value == value.rounded() else {
            throw .notWhole(defense: defense.name, name: parameter.name, value: value)
        }
    }
}
