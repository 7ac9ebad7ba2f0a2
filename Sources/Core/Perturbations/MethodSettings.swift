/// Which perturbation is put on the training images, with every setting that its result depends on.
public struct MethodSettings: Codable, Hashable, Sendable {
    /// One of the names in `PerturbationRegistry`.
    public var name: String
    /// The method's own numbers, such as `epsilon` (pixels scaled to 0...1), defaults filled in.
    public var numbers: [String: Double]
    /// The method's own words, such as `variant`.
    public var words: [String: String]

    public init(name: String, numbers: [String: Double] = [:], words: [String: String] = [:]) {
        self.name = name
        self.numbers = numbers
        self.words = words
    }

    /// Whether the images come from files made elsewhere rather than from a method here.
    public var isExternal: Bool { words["kind"] == "external" }
}
