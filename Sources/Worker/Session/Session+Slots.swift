import FathomProtocol

// Work goes to slots and comes back from them.

extension Session {
    mutating func take(_ assignment: Assignment) {
        let lease = assignment.lease
        guard !held.contains(lease), outbox[lease] == nil else { return }
        // No list of leases on the wire is longer, and whoever assigns more is out of its mind.
        guard !isDraining, held.count < MessageLimits.leasesPerList else {
            effects.append(.send(.handBack([lease])))
            return
        }
        held.insert(lease)
        guard !assignment.inputs.isEmpty else { return queue.append(assignment) }
        waiting[lease] = assignment
        effects.append(.prepare(assignment))
    }

    /// Gives queued work to slots: one job each, and a good many ahead where jobs are tiny.
    ///
    /// A slot works through its pipe in order, but tells of many at once. When it dies with more
    /// than one job in its pipe nobody can say which was to blame: they are *suspects*, which get
    /// a pipe of their own each.
    mutating func fillSlots() {
        guard !hasEnded, queueHead < queue.count else { return }
        let depth = slotDepth
        while queueHead < queue.count, let slot = emptiestSlot(below: depth) {
            let assignment = queue[queueHead]
            let isSuspect = !suspects.isEmpty && suspects.contains(assignment.lease)
            // A suspect waits for an empty pipe, and nothing goes in behind it.
            if isSuspect && !slots[slot].isEmpty { return }
            queueHead += 1
            trimQueue()
            slots[slot].append(Running(assignment: assignment, isSuspect: isSuspect))
            effects.append(.start(slot: slot, assignment))
        }
    }

    private mutating func trimQueue() {
        guard queueHead > 1_024 && queueHead * 2 > queue.count else { return }
        queue.removeFirst(queueHead)
        queueHead = 0
    }

    private func emptiestSlot(below depth: Int) -> Int? {
        var best: Int?
        for slot in slots.indices where slots[slot].count < depth {
            if slots[slot].first?.isSuspect == true { continue }
            if best.map({ slots[slot].count < slots[$0].count }) ?? true { best = slot }
        }
        return best
    }

    private var slotDepth: Int {
        guard let meanSeconds else { return 1 }
        let ahead = settings.slotAheadSeconds / max(meanSeconds, 1e-6)
        return 1 + Int(min(ahead, Double(settings.slotAheadMax)))
    }

    mutating func note(_ share: Double, of lease: Lease, in slot: Int) {
        guard let index = slots[slot].firstIndex(of: lease) else { return }
        slots[slot][index].share = share
    }

    mutating func finish(_ lease: Lease, in slot: Int, outcome: JobOutcome, at now: Instant) {
        let old = meanSeconds ?? outcome.seconds
        meanSeconds = 0.75 * old + 0.25 * outcome.seconds
        conclude(lease, in: slot, with: .result(lease, outcome), at: now)
    }

    /// An attempt ended: its message waits for an acknowledgement from here on.
    mutating func conclude(
        _ lease: Lease, in slot: Int, with message: WorkerMessage, at now: Instant
    ) {
        guard let index = slots[slot].firstIndex(of: lease) else { return }
        let running = slots[slot].remove(at: index)
        release(running.assignment)
        // A finished result is worth telling even if the lease was cancelled meanwhile; an error
        // is not.
        if running.isCancelled, case .failure = message { return }
        keep(message, of: lease, at: now)
    }

    /// From here on the message is sent until it is acknowledged.
    mutating func keep(_ message: WorkerMessage, of lease: Lease, at now: Instant) {
        outbox[lease] = Unacknowledged(message: message, sequence: sequence, since: now)
        sequence += 1
        if case .result(_, let outcome) = message, outcome.seconds >= settings.spoolSeconds {
            spool(lease)
        }
        send(lease, at: now)
    }

    mutating func bury(_ slot: Int, cause: String, logTail: String, at now: Instant) {
        guard let first = slots[slot].first else { return }
        let lease = first.assignment.lease
        if settings.sabotage == .hidesDeaths {
            slots[slot].removeFirst()
            release(first.assignment)
            requeueAll(of: slot)
            return
        }
        let isCertain = slots[slot].count == 1 || settings.sabotage == .blamesBystanders
        if isCertain {
            let failure = AttemptFailure(
                lease: lease, reason: .slotDeath, error: cause, logTail: logTail)
            conclude(lease, in: slot, with: .failure(failure), at: now)
            if !slots[slot].isEmpty { bury(slot, cause: cause, logTail: logTail, at: now) }
        } else {
            for running in slots[slot].all where !running.isCancelled {
                suspects.insert(running.assignment.lease)
            }
            requeueAll(of: slot)
        }
    }

    /// What is in a slot's pipe goes back to the front of the queue.
    private mutating func requeueAll(of slot: Int) {
        let rest = slots[slot].all
        slots[slot] = WorkLine()
        for running in rest where running.isCancelled { release(running.assignment) }
        let wanted = rest.filter { !$0.isCancelled }.map(\.assignment)
        queue.replaceSubrange(0..<queueHead, with: wanted)
        queueHead = 0
    }

    mutating func cancel(_ lease: Lease) {
        guard held.contains(lease) else { return }
        for slot in slots.indices {
            guard let index = slots[slot].firstIndex(of: lease) else { continue }
            slots[slot][index].isCancelled = true
            guard index == 0 else { return }
            requeueAll(of: slot)
            effects.append(.replace(slot: slot))
            return
        }
        if let assignment = waiting.removeValue(forKey: lease) { return release(assignment) }
        queue.removeSubrange(0..<queueHead)
        queueHead = 0
        guard let place = queue.firstIndex(where: { $0.lease == lease }) else { return }
        release(queue.remove(at: place))
    }

    /// The work is not here any longer.
    mutating func release(_ assignment: Assignment) {
        held.remove(assignment.lease)
        suspects.remove(assignment.lease)
        if !assignment.inputs.isEmpty { effects.append(.letGo(assignment.lease)) }
    }

    mutating func drain() {
        guard !isDraining else { return }
        isDraining = true
        handBackNotStarted()
    }

    mutating func handBackNotStarted() {
        handBack(notStarted)
        queue = []
        queueHead = 0
        waiting = [:]
    }

    private var notStarted: [Assignment] {
        queue[queueHead...] + waitingLeases.compactMap { waiting[$0] }
    }

    /// The grace is over: what still runs goes back.
    mutating func giveUpAll() {
        let running = slots.flatMap { $0.all.map(\.assignment) }
        handBack(running + notStarted)
        slots = slots.map { _ in WorkLine() }
        waiting = [:]
        effects.append(.send(.goodbye))
    }

    private mutating func handBack(_ work: [Assignment]) {
        guard !work.isEmpty else { return }
        for assignment in work { release(assignment) }
        effects.append(.send(.handBack(work.map(\.lease))))
    }
}
