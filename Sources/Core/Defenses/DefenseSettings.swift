/// What a victim does against perturbations, with every setting that its result depends on.
public struct DefenseSettings: Hashable, Sendable {
    /// One of the names in `DefenseRegistry`.
    public var name: String
    /// The defense's own numbers, such as `quality`, defaults filled in.
    public var numbers: [String: Double]
    /// The defense's own words, such as `testImages`.
    public var words: [String: String]

    public init(
        name: String = "none", numbers: [String: Double] = [:], words: [String: String] = [:]
    ) {
        self.name = name
        self.numbers = numbers
        self.words = words
    }

    /// A number of complete settings.
    func number(_ name: String) -> Double {
        guard let value = numbers[name] else {
            preconditionFailure("\(self.name) asked for \(name), which is not resolved")
        }
        return value
    }

    /// A word of complete settings.
    func word(_ name: String) -> String {
        guard let value = words[name] else {
            preconditionFailure("\(self.name) asked for \(name), which is not resolved")
        }
        return value
    }
}

/// What is empty is left out, so that jobs without a defense are called as they always were.
extension DefenseSettings: Codable {
    private enum CodingKeys: String, CodingKey { case name, numbers, words }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        name = try container.decode(String.self, forKey: .name)
        numbers = try container.decodeIfPresent([String: Double].self, forKey: .numbers) ?? [:]
        words = try container.decodeIfPresent([String: String].self, forKey: .words) ?? [:]
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(name, forKey: .name)
        if !numbers.isEmpty { try container.encode(numbers, forKey: .numbers) }
        if !words.isEmpty { try container.encode(words, forKey: .words) }
    }
}
