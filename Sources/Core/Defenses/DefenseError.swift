/// Why a defense's settings are refused.
public enum DefenseError: Error, Hashable, Sendable {
    case unknownDefense(name: String, known: [String])
    case unknownParameter(defense: String, name: String, known: [String])
    case outOfRange(defense: String, name: String, value: Double, range: ClosedRange<Double>)
    case notWhole(defense: String, name: String, value: Double)
    case notAllowed(defense: String, name: String, value: String, allowed: [String])
    /// The parameter has no meaning beside another one's value.
    case notApplicable(defense: String, name: String, when: String)
    /// The settings cannot work on images of this size.
    case unsuited(defense: String, reason: String)
}

extension DefenseError: CustomStringConvertible {
    /// What went wrong, the value, and what would be right.
    public var description: String {
        switch self {
        case .unknownDefense(let name, let known):
            "there is no defense \(name)\(NearestName.hint(for: name, among: known)); "
                + "known are \(known.joined(separator: ", "))"
        case .unknownParameter(let defense, let name, let known):
            "\(defense) has no setting \(name)\(NearestName.hint(for: name, among: known)); "
                + (known.isEmpty ? "it has none" : "it has \(known.joined(separator: ", "))")
        case .outOfRange(let defense, let name, let value, let range):
            "\(name) of \(defense) is \(value); "
                + "it must lie within \(range.lowerBound)...\(range.upperBound)"
        case .notWhole(let defense, let name, let value):
            "\(name) of \(defense) is \(value); it must be a whole number"
        case .notAllowed(let defense, let name, let value, let allowed):
            "\(name) of \(defense) is \(value)\(NearestName.hint(for: value, among: allowed)); "
                + "it must be one of \(allowed.joined(separator: ", "))"
        case .notApplicable(let defense, let name, let when):
            "\(name) of \(defense) is read only with \(when); leave it out"
        case .unsuited(let defense, let reason):
            "\(defense) cannot be used: \(reason)"
        }
    }
}
