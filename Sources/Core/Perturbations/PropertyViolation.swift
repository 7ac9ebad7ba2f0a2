/// A crafted perturbation broke a promise of its method. This is a fault of ours, never of the
/// user's settings.
public struct PropertyViolation: Error, Hashable, Sendable, CustomStringConvertible {
    /// The promises, numbered as in `docs/science/perturbations.md`.
    public enum Property: String, Hashable, Sendable, CaseIterable {
        case range = "P1 range"
        case budget = "P2 budget"
        case keyConsistency = "P3 key consistency"
        case determinism = "P4 determinism"
        case probe = "P5 linear probe"
        case effect = "P6 non-triviality"
        case permutation = "P7 permutation"
    }

    public let property: Property
    public let method: String
    public let detail: String

    public init(property: Property, method: String, detail: String) {
        self.property = property
        self.method = method
        self.detail = detail
    }

    public var description: String { "\(method) breaks \(property.rawValue): \(detail)" }
}
