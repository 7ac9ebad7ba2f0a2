import FathomProtocol

// Work waits for the files it reads beside the slots and not in them: the file that one job waits
// for may have to be made by another job on the same slot.

extension Session {
    /// What waits for its files, in a fixed order.
    var waitingLeases: [Lease] {
        waiting.keys.sorted { ($0.job, $0.attempt, $0.term) < ($1.job, $1.attempt, $1.term) }
    }

    mutating func inputsReady(_ lease: Lease) {
        guard let assignment = waiting.removeValue(forKey: lease),
            settings.sabotage != .losesReady
        else { return }
        queue.append(assignment)
    }

    mutating func inputsFailed(_ lease: Lease, error: String, at now: Instant) {
        guard let assignment = waiting.removeValue(forKey: lease) else { return }
        release(assignment)
        let failure = AttemptFailure(lease: lease, reason: .error, error: error, logTail: "")
        keep(.failure(failure), of: lease, at: now)
    }

    /// The slot goes on with what is behind it.
    mutating func inputsUnreadable(_ lease: Lease, in slot: Int) {
        guard let index = slots[slot].firstIndex(of: lease) else { return }
        let running = slots[slot].remove(at: index)
        suspects.remove(lease)
        guard !running.isCancelled else { return release(running.assignment) }
        waiting[lease] = running.assignment
    }
}
