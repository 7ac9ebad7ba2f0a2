public import FathomProtocol

/// What the coordinator needs of a store: changes last when `apply` returns.
public protocol ResultStore: AnyObject, Sendable {
    func apply(_ changes: [StoreChange]) throws(StoreError)
    /// What was accepted for these entries of a finished job; `nil` when some are missing.
    func acceptedOutcome(
        of job: JobKey, entries: Range<Int>
    ) throws(StoreError) -> JobOutcome?
}

extension Store: ResultStore {}
