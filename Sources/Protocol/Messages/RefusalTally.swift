/// Counts refused messages, so that whoever sends a million of them fills no log.
public struct RefusalTally: Sendable {
    private var untold = 0
    private var told = 0

    /// How many are told of one by one before the rest of a period is only counted.
    private static let toldMax = 5

    public init() {}

    /// Whether this one is to be told of by itself.
    public mutating func note() -> Bool {
        told += 1
        if told <= Self.toldMax { return true }
        untold += 1
        return false
    }

    /// Ends a period and answers how many more there were.
    public mutating func takeUntold() -> Int {
        defer { self = RefusalTally() }
        return untold
    }
}
