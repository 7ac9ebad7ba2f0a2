/// Completes the settings of a method or a defense.
struct SettingsResolver {
    /// Whose settings they are.
    let owner: String
    let parameters: [MethodParameter]
    let numbers: [String: Double]
    let words: [String: String]

    /// Fills in every default; complete settings come back unchanged.
    ///
    /// - Parameter standard: The default of a number that declares none, beside the words given.
    func resolved(
        standard: (_ parameter: String, _ words: [String: String]) -> Double
    ) throws(SettingError) -> (numbers: [String: Double], words: [String: String]) {
        try refuseStrangers()
        var resolved = (numbers: [String: Double](), words: [String: String]())
        // Words first, because conditions of the numbers look at them.
        for parameter in parameters {
            resolved.words[parameter.name] = try word(parameter)
        }
        for parameter in parameters {
            guard case .number(let declared, let range, let whole) = parameter.kind,
                try isRead(parameter, resolved.words)
            else { continue }
            let value =
                numbers[parameter.name] ?? declared ?? standard(parameter.name, resolved.words)
            try check(parameter, value, range, whole: whole)
            if parameter.isLeftOutAtDefault && value == declared { continue }
            resolved.numbers[parameter.name] = value
        }
        return resolved
    }

    /// Refuses names that are not known, and numbers where words belong.
    private func refuseStrangers() throws(SettingError) {
        for name in (numbers.keys.map(\.self) + words.keys).sorted() {
            guard let parameter = parameters.first(where: { $0.name == name }) else {
                throw problem(name, .unknown(known: parameters.map(\.name)))
            }
            switch parameter.kind {
            case .number where words[name] != nil:
                throw problem(name, .wrongKind(expected: "a number"))
            case .word(_, let allowed) where numbers[name] != nil:
                throw problem(
                    name, .wrongKind(expected: "one of \(allowed.joined(separator: ", "))"))
            case .text(let example) where numbers[name] != nil:
                throw problem(name, .wrongKind(expected: "text such as \(example)"))
            case .number, .word, .text: break
            }
        }
    }

    /// A word, or text; `nil` where it is none, or is left out.
    private func word(_ parameter: MethodParameter) throws(SettingError) -> String? {
        let given = words[parameter.name]
        guard case .word(let standard, let allowed) = parameter.kind else { return given }
        let value = given ?? standard
        guard allowed.contains(value) else {
            throw problem(parameter.name, .notAllowed(value: value, allowed: allowed))
        }
        return parameter.isLeftOutAtDefault && value == standard ? nil : value
    }

    /// Whether the number means anything beside the words; one that is given must.
    private func isRead(
        _ parameter: MethodParameter, _ words: [String: String]
    ) throws(SettingError) -> Bool {
        guard let condition = parameter.condition,
            !condition.values.contains(words[condition.name] ?? "")
        else { return true }
        guard numbers[parameter.name] == nil else {
            let when = "\(condition.name) \(condition.values.joined(separator: " or "))"
            throw problem(parameter.name, .notApplicable(when: when))
        }
        return false
    }

    private func check(
        _ parameter: MethodParameter, _ value: Double, _ range: ClosedRange<Double>, whole: Bool
    ) throws(SettingError) {
        guard range.contains(value) else {
            throw problem(parameter.name, .outOfRange(value: value, range: range))
        }
        guard !whole || value == value.rounded() else {
            throw problem(parameter.name, .notWhole(value: value))
        }
    }

    private func problem(_ setting: String, _ problem: SettingError.Problem) -> SettingError {
        SettingError(owner: owner, setting: setting, problem: problem)
    }
}

/// A setting that is refused.
public struct SettingError: Error, Hashable, Sendable {
    /// What is wrong with it.
    public enum Problem: Hashable, Sendable {
        case unknown(known: [String])
        /// A number was given for a word, or a word for a number.
        case wrongKind(expected: String)
        case outOfRange(value: Double, range: ClosedRange<Double>)
        case notWhole(value: Double)
        case notAllowed(value: String, allowed: [String])
        /// It has no meaning beside another one's value.
        case notApplicable(when: String)
    }

    /// The method or defense.
    public let owner: String
    public let setting: String
    public let problem: Problem
}

extension SettingError: CustomStringConvertible {
    /// What went wrong, the value, and what would be right.
    public var description: String {
        switch problem {
        case .unknown(let known):
            "\(owner) has no setting \(setting)\(NearestName.hint(for: setting, among: known)); "
                + (known.isEmpty ? "it has none" : "it has \(known.joined(separator: ", "))")
        case .wrongKind(let expected):
            "\(setting) of \(owner) must be \(expected)"
        case .outOfRange(let value, let range):
            "\(setting) of \(owner) is \(value); "
                + "it must lie within \(range.lowerBound)...\(range.upperBound)"
        case .notWhole(let value):
            "\(setting) of \(owner) is \(value); it must be a whole number"
        case .notAllowed(let value, let allowed):
            "\(setting) of \(owner) is \(value)\(NearestName.hint(for: value, among: allowed)); "
                + "it must be one of \(allowed.joined(separator: ", "))"
        case .notApplicable(let when):
            "\(setting) of \(owner) is read only with \(when); leave it out"
        }
    }
}
