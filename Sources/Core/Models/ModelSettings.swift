/// Which network to build: its architecture's name and, where it has one, its base width.
public struct ModelSettings: Codable, Hashable, Sendable {
    /// One of `ModelSettings.names`.
    public var name: String
    /// The base number of channels; `nil` stands for the architecture's own.
    public var width: Int?

    public init(name: String, width: Int? = nil) {
        self.name = name
        self.width = width
    }
}
