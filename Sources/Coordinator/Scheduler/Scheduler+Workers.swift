import FathomProtocol

// Workers come, stay and go.

extension Scheduler {
    mutating func register(_ id: WorkerID, _ hello: Hello, at now: Instant) {
        if let reason = refusal(of: hello) {
            effects.append(.send(id, .refused(reason: reason)))
            return
        }
        if hello.facts.computesAll { numericClass = numericClass ?? hello.facts.numericClass }
        let isNew = livingWorker(id) == nil
        let worker = enter(id, hello.facts, at: now)
        noteEnd(of: worker, secondsLeft: hello.secondsLeft, isNew: isNew, at: now)
        if !table.runners.isEmpty || !hello.facts.computesAll {
            noteRunners(of: worker, hello.facts, isNew: isNew)
        }
        reunion.met(id)
        let welcome = Welcome(
            term: settings.term, leaseMilliseconds: Int(settings.leaseSeconds * 1_000),
            heartbeatMilliseconds: Int(settings.heartbeatSeconds * 1_000),
            artifactPort: settings.artifactPort)
        effects.append(.send(id, .welcome(welcome)))
        var unwanted: [Lease] = []
        for lease in hello.held where !adopt(lease, by: worker, at: now) { unwanted.append(lease) }
        for lease in hello.unacknowledged { _ = adopt(lease, by: worker, at: now) }
        if !unwanted.isEmpty { effects.append(.send(id, .cancel(unwanted))) }
        if isDraining {
            effects.append(.send(id, .drain))
        } else {
            makeHungry(worker)
        }
    }

    private func refusal(of hello: Hello) -> String? {
        guard hello.protocolVersions.overlaps(ProtocolVersion.supported) else {
            return "the worker speaks protocol \(hello.protocolVersions.lowerBound) to "
                + "\(hello.protocolVersions.upperBound), this coordinator \(ProtocolVersion.current)"
        }
        guard hello.facts.build == settings.build else {
            return "the worker is build \(hello.facts.build), this coordinator \(settings.build); "
                + "install the same on both"
        }
        if let numericClass, !settings.mixedHosts, hello.facts.computesAll,
            hello.facts.numericClass != numericClass
        {
            return "the worker's numeric class is \(hello.facts.numericClass), the sweep's is "
                + "\(numericClass); set mixedHosts: true to compare across classes"
        }
        return nil
    }

    private mutating func enter(_ id: WorkerID, _ facts: WorkerFacts, at now: Instant) -> Int {
        if let known = workerIndices[id] {
            if workers[known].isLiving { slotsLiving -= workers[known].slots }
            workers[known].slots = facts.slots
            workers[known].lastHeard = now
            slotsLiving += facts.slots
            if !workers[known].isLiving {
                departing.removeAll { $0.worker == known }
                workers[known].isLiving = true
                workers[known].livingIndex = living.count
                living.append(known)
                effects.append(.store(.workerSeen(id, facts)))
            }
            return known
        }
        let index = workers.count
        workerIndices[id] = index
        workers.append(Worker(id: id, slots: facts.slots, lastHeard: now))
        workers[index].livingIndex = living.count
        living.append(index)
        slotsLiving += facts.slots
        effects.append(.store(.workerSeen(id, facts)))
        return index
    }

    /// Takes over a lease that a worker says it holds; false when its entries are not free.
    private mutating func adopt(_ lease: Lease, by worker: Int, at now: Instant) -> Bool {
        guard settings.sabotage != .dropsInventory else { return true }
        guard let (id, job) = identify(lease) else { return false }
        if let active = leases[id] {
            guard active.worker == worker, active.entries == lease.entries else { return false }
            leases.renew(id, at: now)
            return true
        }
        guard table.jobs[job].isReady, table.jobs[job].pending.contains(lease.entries) else {
            return false
        }
        table.jobs[job].pending.subtract(lease.entries)
        table.jobs[job].attemptsUsed = max(table.jobs[job].attemptsUsed, lease.attempt)
        activate(id, entries: lease.entries, worker: worker, at: now)
        return true
    }

    mutating func renew(_ id: WorkerID, _ listed: [LeaseProgress], at now: Instant) {
        guard let worker = livingWorker(id) else {
            effects.append(.send(id, .registerAgain))
            return
        }
        workers[worker].lastHeard = now
        if workers[worker].end != nil { makeHungry(worker) }
        effects.append(.send(id, .alive(term: settings.term)))
        var unwanted: [Lease] = []
        for item in listed {
            if let (lease, _) = identify(item.lease), let active = leases[lease],
                active.worker == worker
            {
                leases.renew(lease, share: item.share, at: now)
            } else {
                unwanted.append(item.lease)
            }
        }
        if !unwanted.isEmpty { effects.append(.send(id, .cancel(unwanted))) }
        expireSilent(of: worker, at: now)
    }

    /// Ends leases that the worker has not named for longer than a lease lasts: their assignment
    /// or their result was lost on the way.
    private mutating func expireSilent(of worker: Int, at now: Instant) {
        guard settings.sabotage != .neverExpires else { return }
        let expired = leases.ids(ofWorker: worker) {
            now.seconds(since: $0.renewed) > settings.leaseSeconds
        }
        for id in expired { end(id, reason: .workerLost, error: "the lease ran out") }
        if !expired.isEmpty { makeHungry(worker) }
    }

    /// If we ourselves stood still (a stopped process, a full disk), silence proves nothing: what
    /// workers said meanwhile is still to be read.
    mutating func noteStandstill(at now: Instant) {
        defer { lastEvent = now }
        guard let lastEvent, now.seconds(since: lastEvent) > settings.leaseSeconds / 2 else {
            return
        }
        for worker in living { workers[worker].lastHeard = now }
        leases.renewAll(at: now)
    }

    mutating func tick(at now: Instant) {
        guard settings.sabotage != .neverExpires else { return }
        // Those left over are lost at the next tick, so that no step takes long.
        var silent: [Int] = []
        for worker in living where silent.count < Self.lostPerTickMax {
            if now.seconds(since: workers[worker].lastHeard) > settings.leaseSeconds {
                silent.append(worker)
            }
        }
        for worker in silent.sorted() {
            lose(workers[worker].id, reason: .workerLost, at: now)
        }
    }

    private static let lostPerTickMax = 256

    mutating func lose(_ id: WorkerID, reason: FailureReason, at now: Instant) {
        guard let worker = livingWorker(id) else { return }
        leaveLiving(worker)
        let text = Self.farewell(reason)
        departing.append((worker, reason))
        let kind = reason == .handedBack ? "workerLeft" : "workerLost"
        effects.append(.store(.workerGone(id)))
        effects.append(.store(.event(kind: kind, subject: id.text, detail: text)))
    }

    private static func farewell(_ reason: FailureReason) -> String {
        reason == .handedBack ? "the worker left" : "the worker was lost"
    }

    /// Ends leases of workers that are gone, so many a step at most.
    mutating func endDeparted() {
        var left = settings.leasesPerStepMax / 2
        while left > 0, let (worker, reason) = departing.first {
            let some = leases.ids(ofWorker: worker).prefix(left)
            for lease in some { end(lease, reason: reason, error: Self.farewell(reason)) }
            left -= max(1, some.count)
            if leases.isEmpty(ofWorker: worker) { departing.removeFirst() }
        }
    }

    private mutating func leaveLiving(_ worker: Int) {
        workers[worker].isLiving = false
        longestStay = nil
        slotsLiving -= workers[worker].slots
        let position = workers[worker].livingIndex
        living.swapAt(position, living.count - 1)
        living.removeLast()
        if position < living.count { workers[living[position]].livingIndex = position }
    }

    mutating func takeBack(_ list: [Lease], from id: WorkerID, at now: Instant) {
        guard let worker = workerIndices[id] else { return }
        for lease in list {
            guard let (leaseID, _) = identify(lease), let active = leases[leaseID],
                active.worker == worker
            else { continue }
            // What outlives one worker after the other is given up at last.
            if hasOutlived(active, at: now) {
                end(leaseID, reason: .workerLost, error: "the worker's time was over before it")
            } else {
                end(leaseID, reason: .handedBack, error: "handed back")
            }
        }
    }

    mutating func drain() {
        guard !isDraining else { return }
        isDraining = true
        for worker in living { effects.append(.send(workers[worker].id, .drain)) }
    }

    func livingWorker(_ id: WorkerID) -> Int? {
        guard let worker = workerIndices[id], workers[worker].isLiving else { return nil }
        return worker
    }

    mutating func makeHungry(_ worker: Int) {
        guard workers[worker].isLiving, !workers[worker].isHungry else { return }
        workers[worker].isHungry = true
        hungry.append(worker)
    }
}
