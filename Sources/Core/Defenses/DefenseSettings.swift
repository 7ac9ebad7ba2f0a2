/// What a victim does against perturbations.
public struct DefenseSettings: Codable, Hashable, Sendable {
    /// The defense's name; `none` is the only one so far.
    public var name: String

    public init(name: String = "none") {
        self.name = name
    }
}
