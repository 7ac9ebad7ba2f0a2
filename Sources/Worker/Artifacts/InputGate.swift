import FathomCore
import FathomProtocol

/// Holds back assignments whose files are still on their way, and remembers which have started.
///
/// A slot works in the order it was given, so what stands behind a waiting one waits too.
struct InputGate {
    /// An assignment that may be handed to its slot.
    struct Start: Hashable {
        var slot: Int
        var assignment: Assignment
    }

    private struct Waiting {
        var assignment: Assignment
        var missing: Set<Digest>
    }

    private var lines: [[Waiting]]
    private var started: [[Assignment]]

    init(slots: Int) {
        lines = Array(repeating: [], count: slots)
        started = Array(repeating: [], count: slots)
    }

    /// Whether the slot's process has work that it has not answered.
    func hasStarted(_ slot: Int) -> Bool { !started[slot].isEmpty }

    /// Files that somebody waits for.
    var missing: Set<Digest> {
        lines.reduce(into: []) { all, line in
            for item in line { all.formUnion(item.missing) }
        }
    }

    mutating func add(_ assignment: Assignment, to slot: Int, missing: Set<Digest>) -> [Start] {
        lines[slot].append(Waiting(assignment: assignment, missing: missing))
        return release(slot)
    }

    mutating func arrived(_ digest: Digest) -> [Start] {
        var starts: [Start] = []
        for slot in lines.indices {
            for index in lines[slot].indices { lines[slot][index].missing.remove(digest) }
            starts += release(slot)
        }
        return starts
    }

    private mutating func release(_ slot: Int) -> [Start] {
        var starts: [Start] = []
        while let first = lines[slot].first, first.missing.isEmpty {
            lines[slot].removeFirst()
            started[slot].append(first.assignment)
            starts.append(Start(slot: slot, assignment: first.assignment))
        }
        return starts
    }

    /// The slot has answered a lease; `nil` when it was not known to work on it.
    mutating func ended(_ lease: Lease, in slot: Int) -> Assignment? {
        guard let index = started[slot].firstIndex(where: { $0.lease == lease }) else { return nil }
        return started[slot].remove(at: index)
    }

    /// Takes out those who wait for a file that will not come.
    mutating func giveUp(waitingFor digest: Digest) -> [Start] {
        var given: [Start] = []
        for slot in lines.indices {
            given += lines[slot].filter { $0.missing.contains(digest) }
                .map { Start(slot: slot, assignment: $0.assignment) }
            lines[slot].removeAll { $0.missing.contains(digest) }
        }
        return given
    }

    /// Forgets all that a slot had, started or not, and answers it.
    mutating func clear(_ slot: Int) -> [Assignment] {
        let all = started[slot] + lines[slot].map(\.assignment)
        started[slot] = []
        lines[slot] = []
        return all
    }
}

/// Holds back results whose files the coordinator does not have yet.
struct ResultGate {
    private var waiting: [Lease: (message: WorkerMessage, missing: Set<Digest>)] = [:]
    /// What the coordinator has said that it has, on this connection.
    private var brought: Set<Digest> = []

    private static let broughtMax = 65_536

    /// What has to be brought before a message may be sent; nothing: it may go now.
    mutating func hold(_ message: WorkerMessage) -> [ArtifactReference] {
        guard case .result(let lease, let outcome) = message else { return [] }
        let missing = outcome.artifacts.filter { !brought.contains($0.digest) }
        waiting[lease] = missing.isEmpty ? nil : (message, Set(missing.map(\.digest)))
        return missing
    }

    /// The coordinator has a file; answers the results that may go now.
    mutating func brought(_ digest: Digest) -> [WorkerMessage] {
        if brought.count >= Self.broughtMax { brought = [] }
        brought.insert(digest)
        var released: [WorkerMessage] = []
        for lease in leases(missing: digest) {
            waiting[lease]?.missing.remove(digest)
            guard let item = waiting[lease], item.missing.isEmpty else { continue }
            waiting[lease] = nil
            released.append(item.message)
        }
        return released
    }

    /// A file can never be brought; answers the leases whose results are worth nothing by it.
    mutating func lost(_ digest: Digest) -> [Lease] {
        let leases = leases(missing: digest)
        for lease in leases { waiting[lease] = nil }
        return leases
    }

    mutating func forget(_ leases: [Lease]) {
        for lease in leases { waiting[lease] = nil }
    }

    /// What was brought for results that are acknowledged may be gone when it is made again.
    mutating func forget(brought digests: [Digest]) { brought.subtract(digests) }

    /// Another coordinator may have other files.
    mutating func reconnected() { brought = [] }

    private func leases(missing digest: Digest) -> [Lease] {
        waiting.filter { $0.value.missing.contains(digest) }.map(\.key)
            .sorted { ($0.job, $0.attempt, $0.term) < ($1.job, $1.attempt, $1.term) }
    }
}
