/// Completes the settings of one method.
struct MethodResolver {
    let method: any PerturbationMethod
    let given: MethodSettings

    func resolved(shape: ImageShape) throws(MethodError) -> MethodSettings {
        try refuseStrangers()
        var resolved = MethodSettings(name: method.name)
        // Words first, because conditions of the numbers look at them.
        for parameter in method.parameters {
            guard case .word(let standard, let allowed) = parameter.kind else { continue }
            let word = try word(parameter, standard, allowed)
            if parameter.isLeftOutAtDefault && word == standard { continue }
            resolved.words[parameter.name] = word
        }
        for parameter in method.parameters {
            guard case .number(let standard, let range, let whole) = parameter.kind else {
                continue
            }
            if let condition = parameter.condition,
                !condition.values.contains(resolved.words[condition.name] ?? "")
            {
                try refuseInapplicable(parameter, condition)
                continue
            }
            let value =
                given.numbers[parameter.name] ?? standard
                ?? method.standard(of: parameter.name, words: resolved.words, shape: shape)
            try check(parameter, value, range, whole: whole)
            resolved.numbers[parameter.name] = value
        }
        guard method.takesSharedSettings else { return resolved }
        let shared = try SharedSettings.resolved(given)
        resolved.numbers.merge(shared.numbers) { _, shared in shared }
        resolved.words.merge(shared.words) { _, shared in shared }
        return resolved
    }

    /// Refuses names that the method does not have, and numbers where words belong.
    private func refuseStrangers() throws(MethodError) {
        let parameters = method.allParameters
        let known = parameters.map(\.name)
        for name in (given.numbers.keys.map(\.self) + given.words.keys).sorted() {
            guard let parameter = parameters.first(where: { $0.name == name }) else {
                throw .unknownParameter(method: method.name, name: name, known: known)
            }
            switch parameter.kind {
            case .number where given.words[name] != nil:
                throw .wrongKind(method: method.name, name: name, expected: "a number")
            case .word(_, let allowed) where given.numbers[name] != nil:
                throw .wrongKind(
                    method: method.name, name: name,
                    expected: "one of \(allowed.joined(separator: ", "))")
            case .text(let example) where given.numbers[name] != nil:
                throw .wrongKind(
                    method: method.name, name: name, expected: "text such as \(example)")
            case .number, .word, .text: break
            }
        }
    }

    private func word(
        _ parameter: MethodParameter, _ standard: String, _ allowed: [String]
    ) throws(MethodError) -> String {
        let value = given.words[parameter.name] ?? standard
        guard allowed.contains(value) else {
            throw .notAllowed(
                method: method.name, name: parameter.name, value: value, allowed: allowed)
        }
        return value
    }

    private func refuseInapplicable(
        _ parameter: MethodParameter, _ condition: MethodParameter.Condition
    ) throws(MethodError) {
        guard given.numbers[parameter.name] == nil else {
            throw .notApplicable(
                method: method.name, name: parameter.name,
                when: "\(condition.name) \(condition.values.joined(separator: " or "))")
        }
    }

    private func check(
        _ parameter: MethodParameter, _ value: Double, _ range: ClosedRange<Double>, whole: Bool
    ) throws(MethodError) {
        guard range.contains(value) else {
            throw .outOfRange(
                method: method.name, name: parameter.name, value: value, range: range)
        }
        guard !whole || value == value.rounded() else {
            throw .notWhole(method: method.name, name: parameter.name, value: value)
        }
    }
}
