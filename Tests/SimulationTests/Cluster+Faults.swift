import FathomCore
import FathomCoordinator
import FathomProtocol
import FathomWorker

// What goes wrong, and what users do meanwhile.

extension Cluster {
    mutating func planFaults() {
        var faults: [Happening] = []
        if script.coordinatorsCrash { faults.append(.crashCoordinator) }
        if script.workersCrash { faults.append(.crashWorker) }
        if script.standstills { faults.append(.stallCoordinator) }
        if script.standstills && script.stops { faults.append(.stopWorker) }
        if script.steers {
            faults += [.steer, .steer]
            timeline.plan(.resumeAll, at: now + script.healAfter)
        }
        if script.losesFiles { faults += [.loseFiles, .loseFiles] }
        var at = 5.0
        guard !faults.isEmpty else { return }
        while at < script.healAfter {
            if let fault = faults.randomElement(&random) { timeline.plan(fault, at: now + at) }
            at += 2 + 20 * random.uniformDouble()
        }
    }

    /// When an event can happen whose process stands still now; `nil` when it can at once.
    func standstill(_ event: Happening) -> Instant? {
        let until: Instant? =
            switch event {
            case .toCoordinator, .tickCoordinator, .command, .fileMissed: stalledUntil
            case .toWorker(let id, _), .slotDone(let id, _, _), .tickWorker(let id),
                .reconnect(let id, _), .fetch(let id, _):
                nodes[id]?.stoppedUntil
            default: nil
            }
        guard let until, now < until else { return nil }
        return until
    }

    mutating func crashWorker() {
        guard let victim = nodes.keys.sorted().randomElement(&random) else { return }
        replaceWorker(victim)
    }

    /// A worker is gone, and another comes: its memory is lost, its disk is not.
    mutating func replaceWorker(_ id: WorkerID) {
        for (lease, message) in nodes[id]?.spool ?? [:] { orphanedSpool[lease] = message }
        nodes[id] = nil
        timeline.plan(.startWorker, at: now + 3 * random.uniformDouble())
    }

    mutating func stopWorker() {
        guard let victim = nodes.keys.sorted().randomElement(&random) else { return }
        nodes[victim]?.stoppedUntil = now + 1 + 60 * random.uniformDouble()
    }

    mutating func steer() {
        guard scheduler != nil, let job = store.jobs.randomElement(&random) else { return }
        switch random.integer(below: 3) {
        case 0:
            timeline.plan(.command(.pause(job.key)), at: now)
            timeline.plan(.command(.resume(job.key)), at: now + 30 * random.uniformDouble())
        case 1: timeline.plan(.command(.forget(job.key)), at: now)
        default:
            timeline.plan(.command(.cancel(job.key)), at: now)
            timeline.plan(.command(.retry(job.key)), at: now + 5)
        }
    }

    /// What a crash has kept from being taken back is taken back.
    mutating func resumeAll() {
        for job in store.jobs where scheduler != nil {
            if job.isPaused { tell(.resume(job.key)) }
            if job.state == .quarantined { tell(.retry(job.key)) }
        }
        // The last of them may have been finished before the faults were over.
        if let last = store.jobs.last { tell(.forget(last.key)) }
        timeline.plan(.resumeAll, at: now + 30)
    }
}
