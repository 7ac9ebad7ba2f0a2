/// Why a method's settings are refused, or a method cannot work on the images it is given.
public enum MethodError: Error, Hashable, Sendable {
    case unknownMethod(name: String, known: [String])
    case unknownParameter(method: String, name: String, known: [String])
    /// A number was given for a word, or a word for a number.
    case wrongKind(method: String, name: String, expected: String)
    case outOfRange(method: String, name: String, value: Double, range: ClosedRange<Double>)
    case notWhole(method: String, name: String, value: Double)
    case notAllowed(method: String, name: String, value: String, allowed: [String])
    /// The parameter has no meaning beside another one's value.
    case notApplicable(method: String, name: String, when: String)
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
        case .unknownParameter(let method, let name, let known):
            "\(method) has no setting \(name)\(NearestName.hint(for: name, among: known)); "
                + (known.isEmpty ? "it has none" : "it has \(known.joined(separator: ", "))")
        case .wrongKind(let method, let name, let expected):
            "\(name) of \(method) must be \(expected)"
        case .outOfRange(let method, let name, let value, let range):
            "\(name) of \(method) is \(value); "
                + "it must lie within \(range.lowerBound)...\(range.upperBound)"
        case .notWhole(let method, let name, let value):
            "\(name) of \(method) is \(value); it must be a whole number"
        case .notAllowed(let method, let name, let value, let allowed):
            "\(name) of \(method) is \(value)\(NearestName.hint(for: value, among: allowed)); "
                + "it must be one of \(allowed.joined(separator: ", "))"
        case .notApplicable(let method, let name, let when):
            "\(name) of \(method) is read only with \(when); leave it out"
        case .unsuited(let method, let reason):
            "\(method) cannot be made: \(reason)"
        case .probeRefused(let reason):
            "no linear probe can be trained: \(reason)"
        }
    }
}
