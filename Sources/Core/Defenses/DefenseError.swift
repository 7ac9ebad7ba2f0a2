/// Why a defense's settings are refused.
public enum DefenseError: Error, Hashable, Sendable {
    case unknownDefense(name: String, known: [String])
    /// A setting is refused.
    case setting(SettingError)
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
        case .setting(let error):
            error.description
        case .unsuited(let defense, let reason):
            "\(defense) cannot be used: \(reason)"
        }
    }
}
