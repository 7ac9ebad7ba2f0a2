import FathomProtocol

/// The short time after a restart in which workers of the last coordinator say what they hold.
///
/// Until then nothing is given out, so that no work in flight is begun a second time. It ends when
/// all have come back, or after a second.
struct Reunion: Sendable {
    /// Workers that have not come back yet.
    private(set) var awaited: Set<WorkerID>
    private let seconds: Double
    private var deadline: Instant?

    init(awaiting workers: Set<WorkerID>, seconds: Double) {
        awaited = workers
        self.seconds = seconds
    }

    var isOver: Bool { awaited.isEmpty }

    mutating func met(_ worker: WorkerID) { awaited.remove(worker) }

    /// Ends the waiting when it has lasted long enough.
    ///
    /// - Returns: Who did not come.
    mutating func look(at now: Instant) -> [WorkerID] {
        guard !isOver else { return [] }
        let deadline = deadline ?? now + seconds
        self.deadline = deadline
        guard now >= deadline else { return [] }
        defer { awaited = [] }
        return awaited.sorted()
    }
}
