import FathomProtocol

// What a user holds back, lets go on, or throws away.

extension Scheduler {
    mutating func pause(_ key: JobKey) {
        guard let job = table.index(of: key), table.jobs[job].state != .finished,
            !table.jobs[job].isPaused
        else { return }
        table.jobs[job].isPaused = true
        if table.jobs[job].state == .open { pausedJobs += 1 }
        effects.append(.store(.jobPaused(key)))
    }

    mutating func resume(_ key: JobKey) {
        guard let job = table.index(of: key), table.jobs[job].isPaused else { return }
        table.jobs[job].isPaused = false
        effects.append(.store(.jobResumed(key)))
        guard table.jobs[job].state == .open else { return }
        pausedJobs -= 1
        if table.jobs[job].isReady { enqueue(job) }
    }

    /// Throws away what a job has made. Jobs that read it keep what they have, because the same
    /// job makes the same again; those still open wait for it.
    mutating func forget(_ key: JobKey) {
        guard let job = table.index(of: key), hasResults(job) else { return }
        for lease in leases.ids(ofJob: job) { callOff(lease) }
        audits.close(job)
        effects.append(.store(.jobForgotten(key)))
        guard settings.sabotage != .takesForgotten else { return }
        let kind = Self.position(of: table.jobs[job].kind)
        let wasFinished = table.jobs[job].state == .finished
        counts[kind].entriesFinished -=
            wasFinished ? table.jobs[job].entryCount : table.jobs[job].finished.count
        table.jobs[job].finished = EntryRanges()
        table.jobs[job].isAudited = false
        if wasFinished { undoFinish(of: job) }
        if table.jobs[job].isReady { makeReady(job) }
    }

    private func hasResults(_ job: Int) -> Bool {
        switch table.jobs[job].state {
        case .finished: true
        case .open: !table.jobs[job].finished.isEmpty
        case .quarantined, .blocked: false
        }
    }

    mutating func undoFinish(of job: Int) {
        table.jobs[job].state = .open
        openJobs += 1
        if table.jobs[job].isPaused { pausedJobs += 1 }
        finishedIsTold = false
        counts[Self.position(of: table.jobs[job].kind)].jobsFinished -= 1
        for dependent in table.dependents(of: job) {
            table.jobs[dependent].waitingFor += 1
            guard table.jobs[dependent].state == .open else { continue }
            if settings.sabotage != .keepsReaders {
                for lease in leases.ids(ofJob: dependent) { callOff(lease) }
            }
            table.jobs[dependent].pending = EntryRanges()
        }
    }
}
