/// Why a method's settings are refused, or a method cannot work on the images it is given.
public enum MethodError: Error, Hashable, Sendable {
    case unknownMethod(name: String, known: [String])
    /// A setting is refused.
    case setting(SettingError)
    /// The method cannot work on images of this size, or on these keys.
    case unsuited(method: String, reason: String)
    /// There is nothing that a probe could be trained on.
    case probeRefused(reason: String)
}

extension MethodError: CustomStringConvertible {
    /// What went wrong, the value, and what would be right.
    public var description: String {
        switch self {
        case .unknownMethod(let name, let known):
            "there is no method \(name)\(NearestName.hint(for: name, among: known)); "
                + "known are \(known.joined(separator: ", "))"
        case .setting(let error):
            error.description
        case .unsuited(let method, let reason):
            "\(method) cannot be made: \(reason)"
        case .probeRefused(let reason):
            "no linear probe can be trained: \(reason)"
        }
    }
}
