public import FathomProtocol

/// What bounds the machines that are asked of a batch system.
public struct AllocatorSettings: Sendable, Hashable, Codable {
    /// Allocations, pending and running, at the same time. One is one node with one worker.
    public var allocationsMax: Int
    /// Slots of a worker in one allocation.
    public var slotsPerAllocation: Int
    /// How long an allocation lasts.
    public var wallSeconds: Double
    /// Another allocation is worth its start when so much work is left for each slot.
    public var backlogSecondsPerSlot: Double
    /// Allocations asked for at the same time, at most; the rest in later rounds.
    public var allocationsPerRequestMax: Int
    /// Between two questions to the batch system, whatever the number of allocations.
    public var statusSeconds: Double
    /// Allocations over the whole sweep, so that a broken node cannot use up a project's hours.
    public var allocationsTotalMax: Int

    public init(
        allocationsMax: Int, slotsPerAllocation: Int, wallSeconds: Double,
        backlogSecondsPerSlot: Double = 60, allocationsPerRequestMax: Int = 100,
        statusSeconds: Double = 30, allocationsTotalMax: Int = 10_000
    ) {
        self.allocationsMax = allocationsMax
        self.slotsPerAllocation = slotsPerAllocation
        self.wallSeconds = wallSeconds
        self.backlogSecondsPerSlot = backlogSecondsPerSlot
        self.allocationsPerRequestMax = allocationsPerRequestMax
        self.statusSeconds = statusSeconds
        self.allocationsTotalMax = allocationsTotalMax
    }
}

/// One thing that happened around a sweep's allocations.
public enum AllocatorEvent: Sendable {
    /// How much is left: estimated seconds of computing over all slots together, and entries that
    /// are not finished.
    case load(secondsLeft: Double, entriesLeft: Int)
    /// Every allocation the batch system knows of, in any order. Those it no longer lists ended.
    case status([AllocationID: AllocationState])
    case statusFailed
    /// A request was taken, as so many allocations.
    case submitted([AllocationID])
    case submitFailed
    /// The sweep is over or the coordinator stops: nothing may stay behind.
    case close
}

/// One thing to ask of the batch system.
public enum AllocatorEffect: Sendable, Hashable {
    /// Ask for so many allocations, as one array where the site allows it.
    case submit(count: Int)
    case askStatus
    case cancel([AllocationID])
}

/// The batch system's own name of an allocation, such as `4711_3`.
public struct AllocationID: Sendable, Hashable, Comparable, CustomStringConvertible {
    public let text: String
    public init(_ text: String) { self.text = text }
    public var description: String { text }
    public static func < (left: Self, right: Self) -> Bool { left.text < right.text }
}

/// What the batch system says of an allocation.
public enum AllocationState: Sendable, Hashable {
    /// It waits for a node, also after a preemption.
    case pending
    case running
}

/// Decides when machines are asked for and given back: as many as there is work for, and no more.
///
/// Workers that find no work end by themselves when the coordinator tells them to; what is left to
/// do here is to ask, to count, and to withdraw requests that have become pointless. As pure as the
/// scheduler: no clock, no process, no randomness.
public struct Allocator: Sendable {
    public let settings: AllocatorSettings
    public private(set) var allocations: [AllocationID: AllocationState] = [:]
    /// Asked for and not answered.
    private var underWay = 0
    private var isAsking = false
    /// Whether the batch system has told what an earlier coordinator of this sweep left with it.
    private var isInformed = false
    /// Given by the batch system over the sweep.
    public private(set) var total = 0
    private var lastStatus: Instant?
    private var nextSubmit: Instant?
    private var failuresInARow = 0
    private var isClosed = false

    public init(settings: AllocatorSettings) { self.settings = settings }

    /// Takes in one thing that happened and answers what must now be asked, in order.
    public mutating func handle(_ event: AllocatorEvent, at now: Instant) -> [AllocatorEffect] {
        switch event {
        case .load(let secondsLeft, let entriesLeft):
            return balance(secondsLeft: secondsLeft, entriesLeft: entriesLeft, at: now)
        case .status(let states):
            isAsking = false
            isInformed = true
            allocations = states
            return isClosed ? withdraw(Array(states.keys)) : []
        case .statusFailed:
            // What was known stands until the next answer.
            isAsking = false
            return []
        case .submitted(let ids):
            underWay = 0
            failuresInARow = 0
            total += ids.count
            for id in ids { allocations[id] = .pending }
            return isClosed ? withdraw(ids) : []
        case .submitFailed:
            underWay = 0
            failuresInARow += 1
            nextSubmit = now + Double(min(600, 15 << min(failuresInARow, 5)))
            return []
        case .close:
            isClosed = true
            return withdraw(Array(allocations.keys))
        }
    }

    /// How many allocations the work left is worth.
    public func wanted(secondsLeft: Double, entriesLeft: Int) -> Int {
        guard entriesLeft > 0 else { return 0 }
        let perAllocation = Double(settings.slotsPerAllocation)
        // Costs that nobody has measured say nothing: one allocation finds them out.
        let byWork = secondsLeft / (perAllocation * max(settings.backlogSecondsPerSlot, 1))
        let byEntries = Double(entriesLeft) / perAllocation
        let useful = min(byWork.rounded(.up), byEntries.rounded(.up))
        return max(1, min(settings.allocationsMax, Int(min(useful, 1e6))))
    }

    private mutating func balance(
        secondsLeft: Double, entriesLeft: Int, at now: Instant
    ) -> [AllocatorEffect] {
        guard !isClosed else { return [] }
        var effects: [AllocatorEffect] = []
        let wanted = wanted(secondsLeft: secondsLeft, entriesLeft: entriesLeft)
        let held = allocations.count + underWay
        if held > wanted {
            // Those that run drain when there is nothing for them; pending ones would come too late.
            let pending = allocations.filter { $0.value == .pending }.keys.sorted()
            effects += withdraw(Array(pending.suffix(held - wanted)))
        } else if held < wanted, mayAsk(at: now) {
            let room = settings.allocationsTotalMax - total
            let count = min(wanted - held, settings.allocationsPerRequestMax, room)
            if count > 0 {
                underWay = count
                effects.append(.submit(count: count))
            }
        }
        if !isInformed || !allocations.isEmpty, !isAsking, isStatusDue(at: now) {
            isAsking = true
            lastStatus = now
            effects.append(.askStatus)
        }
        return effects
    }

    private func mayAsk(at now: Instant) -> Bool {
        isInformed && underWay == 0 && nextSubmit.map { $0 <= now } ?? true
    }

    private func isStatusDue(at now: Instant) -> Bool {
        lastStatus.map { now.seconds(since: $0) >= settings.statusSeconds } ?? true
    }

    private mutating func withdraw(_ ids: [AllocationID]) -> [AllocatorEffect] {
        guard !ids.isEmpty else { return [] }
        for id in ids { allocations[id] = nil }
        return [.cancel(ids.sorted())]
    }
}
