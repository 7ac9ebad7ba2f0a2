/// The numbers a setting may take, with words for an error message.
public struct NumberRange: Sendable, Hashable, CustomStringConvertible {
    public let low: Double
    public let high: Double
    /// Whether the bounds themselves are allowed.
    public let includesLow: Bool
    public let includesHigh: Bool

    private init(_ low: Double, _ high: Double, includesLow: Bool, includesHigh: Bool) {
        precondition(low <= high, "a range from \(low) to \(high) is empty")
        self.low = low
        self.high = high
        self.includesLow = includesLow
        self.includesHigh = includesHigh
    }

    /// Both bounds belong to it.
    public static func from(_ low: Double, to high: Double) -> NumberRange {
        NumberRange(low, high, includesLow: true, includesHigh: true)
    }

    /// The upper bound does not belong to it.
    public static func from(_ low: Double, below high: Double) -> NumberRange {
        NumberRange(low, high, includesLow: true, includesHigh: false)
    }

    /// The lower bound does not belong to it.
    public static func above(_ low: Double, upTo high: Double) -> NumberRange {
        NumberRange(low, high, includesLow: false, includesHigh: true)
    }

    public func contains(_ value: Double) -> Bool {
        (includesLow ? value >= low : value > low) && (includesHigh ? value <= high : value < high)
    }

    public var description: String {
        let lowText = NumberText.shortest(low)
        let highText = NumberText.shortest(high)
        let start = includesLow ? "from \(lowText)" : "above \(lowText)"
        return includesHigh ? "\(start) to \(highText)" : "\(start) to below \(highText)"
    }
}
