/// What keeps a cell from being finished, as the store knows it now.
public struct CellTrouble: Sendable, Hashable {
    /// Jobs given up.
    public var failed: Int
    /// Jobs waiting for those in vain.
    public var blocked: Int
    /// Why the first of those given up was; of those blocked, where there is none.
    public var reason: String

    public init(failed: Int, blocked: Int, reason: String) {
        self.failed = failed
        self.blocked = blocked
        self.reason = reason
    }

    /// In words: `1 job failed, 3 blocked: …`.
    public var text: String {
        let counts = [
            failed > 0 ? "\(failed) \(failed == 1 ? "job" : "jobs") failed" : nil,
            blocked > 0 ? "\(blocked) blocked" : nil,
        ].compactMap { $0 }.joined(separator: ", ")
        return "\(counts): \(reason)"
    }
}
