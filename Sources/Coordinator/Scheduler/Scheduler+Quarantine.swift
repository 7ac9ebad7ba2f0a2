import FathomProtocol

// Jobs are given up and put back.

extension Scheduler {
    mutating func quarantine(_ job: Int, reason: String) {
        guard table.jobs[job].state == .open else { return }
        leave(.quarantined, job)
        effects.append(.store(.jobQuarantined(table.jobs[job].key, reason: reason)))
        for lease in leases.ids(ofJob: job) { callOff(lease) }
        blockDependents(of: job)
    }

    private mutating func leave(_ state: StoredJob.State, _ job: Int) {
        table.jobs[job].state = state
        table.jobs[job].pending = EntryRanges()
        openJobs -= 1
        if table.jobs[job].isPaused { pausedJobs -= 1 }
        let kind = Self.position(of: table.jobs[job].kind)
        if state == .quarantined {
            counts[kind].jobsQuarantined += 1
        } else {
            counts[kind].jobsBlocked += 1
        }
    }

    private mutating func blockDependents(of job: Int) {
        var stack = [job]
        while let next = stack.popLast() {
            for dependent in table.dependents(of: next)
            where table.jobs[dependent].state == .open {
                leave(.blocked, dependent)
                effects.append(
                    .store(.jobBlocked(table.jobs[dependent].key, by: table.jobs[job].key)))
                if settings.sabotage != .blocksNeighboursOnly { stack.append(dependent) }
            }
        }
    }

    mutating func retry(_ key: JobKey) {
        guard let job = table.index(of: key), table.jobs[job].state == .quarantined else { return }
        counts[Self.position(of: table.jobs[job].kind)].jobsQuarantined -= 1
        reopen(job)
        var stack = [job]
        while let next = stack.popLast() {
            for dependent in table.dependents(of: next)
            where table.jobs[dependent].state == .blocked && !hasLostHope(dependent) {
                counts[Self.position(of: table.jobs[dependent].kind)].jobsBlocked -= 1
                reopen(dependent)
                stack.append(dependent)
            }
        }
    }

    private func hasLostHope(_ job: Int) -> Bool {
        table.dependencies(of: job).contains {
            table.jobs[$0].state == .quarantined || table.jobs[$0].state == .blocked
        }
    }

    private mutating func reopen(_ job: Int) {
        table.jobs[job].state = .open
        table.jobs[job].attemptsCharged = 0
        table.jobs[job].attemptsLost = 0
        avoided[job] = nil
        openJobs += 1
        if table.jobs[job].isPaused { pausedJobs += 1 }
        finishedIsTold = false
        effects.append(.store(.jobReopened(table.jobs[job].key)))
        if table.jobs[job].isReady { makeReady(job) }
    }

    mutating func cancel(_ key: JobKey) {
        guard let job = table.index(of: key) else { return }
        quarantine(job, reason: "cancelled")
    }
}
