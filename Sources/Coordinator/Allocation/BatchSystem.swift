/// What a cluster's own scheduler can be asked. Calls block, so they are made on a thread of ours.
public protocol BatchSystem: Sendable {
    /// Asks for allocations that each run one worker, at most `count`.
    ///
    /// - Returns: One identifier for each allocation that was taken.
    func submit(count: Int) throws(BatchSystemError) -> [AllocationID]

    /// Every allocation of this sweep that is pending or running, in one call.
    func status() throws(BatchSystemError) -> [AllocationID: AllocationState]

    /// Withdraws allocations; those that have ended are passed over.
    func cancel(_ allocations: [AllocationID]) throws(BatchSystemError)
}

/// Why a batch system did not do what it was asked.
public struct BatchSystemError: Error, CustomStringConvertible {
    public let command: String
    /// What it said, its last lines.
    public let message: String

    public init(command: String, message: String) {
        self.command = command
        self.message = message
    }

    public var description: String { "\(command): \(message)" }
}
