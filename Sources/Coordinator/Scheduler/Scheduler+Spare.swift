import FathomProtocol

// What idle slots do: audits, and a second try at work that takes too long.

extension Scheduler {
    /// Adds a finished job to those to be audited, if it belongs to the sample.
    mutating func considerAudit(of job: Int, computedBy worker: Int?) {
        guard settings.sabotage != .skipsAudits, !table.jobs[job].isAudited,
            AuditBook.samples(table.jobs[job].key, share: settings.auditShare)
        else { return }
        audits.add(job, computedBy: worker)
    }

    /// Has a worker with a free slot audit a job.
    mutating func audit(on worker: Int, at now: Instant) -> Bool {
        guard hasFreeSlot(worker), !isOnProbation(worker) else { return false }
        let left = isFresh(worker, at: now) ? .infinity : secondsFree(of: worker, at: now)
        let suitable = audits.upcoming.filter { item in
            let job = table.jobs[item.job]
            let seconds = table.costs.estimate(job.costClass) * Double(job.entryCount)
            return !lacks(worker, for: item.job) && seconds <= left
                && (item.computedBy != worker || isOnlyOne(worker, for: item.job))
        }
        let job = audits.next(among: Set(suitable.map(\.job)))
        guard let job else { return false }
        grant(job, 0..<table.jobs[job].entryCount, to: worker, for: .audit, at: now)
        return true
    }

    /// Whether no other worker that is here could audit a job.
    private func isOnlyOne(_ worker: Int, for job: Int) -> Bool {
        !living.contains { $0 != worker && !isOnProbation($0) && !lacks($0, for: job) }
    }

    /// An audit's lease ended without an outcome.
    mutating func auditEnded(_ job: Int, reason: FailureReason) {
        let isCharged = reason == .error || reason == .slotDeath
        guard !audits.putBack(job, isCharged: isCharged) else { return }
        effects.append(
            .store(
                .event(
                    kind: "auditFailed", subject: table.jobs[job].key.description,
                    detail: "it was computed once, and failed each time it was tried again")))
    }

    /// An audit's outcome is here, and is compared like every late one.
    mutating func auditFinished(_ job: Int) {
        table.jobs[job].isAudited = true
        audits.close(job)
    }

    /// Gives leases that last much longer than estimated to idle slots too; the first result
    /// counts. O(leases), and only at the end, when nothing else waits and few leases are left.
    mutating func helpStragglers(at now: Instant) {
        guard ready.isEmpty, leases.count <= Self.leasesAtTheEnd, audits.isQueueEmpty, !isDraining,
            reunion.isOver
        else { return }
        var idle = living.filter { hasFreeSlot($0) && !isOnProbation($0) }
        guard !idle.isEmpty else { return }
        let slow = leases.all.filter { isStraggler($0.id, $0.lease, at: now) }.map(\.id).sorted()
        for id in slow {
            guard let active = leases[id],
                let position = idle.firstIndex(where: {
                    $0 != active.worker && !lacks($0, for: id.job)
                        && active.seconds <= secondsFree(of: $0, at: now)
                })
            else { continue }
            let helper = idle[position]
            grant(id.job, active.entries, to: helper, for: .spare, at: now)
            if !hasFreeSlot(helper) { idle.remove(at: position) }
        }
    }

    private static let leasesAtTheEnd = 10_000

    private func isStraggler(_ id: LeaseID, _ active: ActiveLease, at now: Instant) -> Bool {
        guard active.purpose == .work, table.costs.isMeasured(table.jobs[id.job].costClass),
            mayStart(id.job)
        else { return false }
        let lasted = now.seconds(since: active.granted)
        let usual =
            table.costs.estimate(table.jobs[id.job].costClass) * Double(active.entries.count)
        guard lasted > max(settings.stragglerFactor * usual, settings.stragglerSeconds) else {
            return false
        }
        // Near its end it is faster than a second try.
        let left = active.share > 0 ? lasted * (1 - active.share) / active.share : .infinity
        let isHelped = leases.ids(ofJob: id.job).contains {
            $0 != id && leases[$0]?.purpose == .spare
        }
        return left > usual && !isHelped
    }

    private func hasFreeSlot(_ worker: Int) -> Bool {
        leases.count(ofWorker: worker) < workers[worker].slots
    }
}
