/// Decides whether a thread that waits stays awake for a moment before it sleeps.
///
/// To be woken takes longer than many an answer: on an idle machine the core has to wake first. Who
/// stays awake looks again and again and lets others have the core in between. That is worth while
/// only as long as answers do come that fast, so it is decided by the waits before: one that lasted
/// longer ends it, and vain attempts make it rarer, for others may need the core.
public struct Alertness: Sendable {
    /// How long a wait is at most that is spent awake: an answer that waits for a commit on an
    /// ordinary disk takes less.
    public static let moment = Duration.milliseconds(2)
    /// The most short waits in a row that it takes before the next is spent awake.
    public static let waitsMax = 64

    /// Waits in a row that were shorter than a moment.
    private var shortWaits = 0
    /// How many of those it takes now.
    private var waitsNeeded = 1

    public init() {}

    /// Whether the next wait begins awake.
    public var isAlert: Bool { shortWaits >= waitsNeeded }

    /// Whether a wait that has lasted so long goes on awake.
    public func staysAwake(after waited: Duration) -> Bool { isAlert && waited < Self.moment }

    /// A wait has ended, by what was waited for or because its time was over.
    public mutating func noteWait(_ duration: Duration) {
        let wasAlert = isAlert
        guard duration < Self.moment else {
            shortWaits = 0
            if wasAlert { waitsNeeded = min(Self.waitsMax, 2 * waitsNeeded) }
            return
        }
        shortWaits = min(Self.waitsMax, shortWaits + 1)
        if wasAlert { waitsNeeded = 1 }
    }
}
