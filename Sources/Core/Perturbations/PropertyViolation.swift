/// A crafted perturbation broke a promise of its method. This is a fault of ours, never of the
/// user's settings.
public struct PropertyViolation: Error, Hashable, Sendable, CustomStringConvertible {
    /// The promises, numbered as in `docs/science/methods.md`.
    public enum Property: String, Hashable, Sendable, CaseIterable {
        case range = "P1 range"
        case budget = "P2 budget"
        case keyConsistency = "P3 key consistency"
        case determinism = "P4 determinism"
        case probe = "P5 linear probe"
        case effect = "P6 non-triviality"
        case permutation = "P7 permutation"
    }

    /// Which promise was broken.
    public let property: Property
    /// The method's name.
    public let method: String
    /// The values that show it.
    public let detail: String

    /// Takes every part as given.
    public init(property: Property, method: String, detail: String) {
        self.property = property
        self.method = method
        self.detail = detail
    }

    /// What went wrong, the value, and what would be right.
    public var description: String { "\(method) breaks \(property.rawValue): \(detail)" }
}
