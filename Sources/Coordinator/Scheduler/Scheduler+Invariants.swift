import FathomProtocol

extension Scheduler {
    /// What contradicts itself in the state; empty unless the scheduler has a bug. O(jobs).
    public func checkInvariants() -> [String] {
        table.jobs.indices.flatMap(problems(of:)) + problemsOfLeases() + problemsOfCounts()
    }

    private func problems(of index: Int) -> [String] {
        let job = table.jobs[index]
        var found: [String] = []
        let waiting = table.dependencies(of: index).count { table.jobs[$0].state != .finished }
        if waiting != job.waitingFor {
            found.append("job \(index) waits for \(job.waitingFor), not \(waiting)")
        }
        let active = leases.ids(ofJob: index).compactMap { leases[$0] }
        if !job.isReady {
            let isAudit = job.state == .finished && active.allSatisfy { $0.purpose == .audit }
            if !active.isEmpty && !isAudit {
                found.append("job \(index) is \(job.state) and leased")
            }
            return found
        }
        if !job.isQueued && !job.pending.isEmpty && !job.isPaused {
            found.append("job \(index) is not queued")
        }
        var seen = job.pending
        for lease in active where lease.purpose == .spare {
            if job.pending.overlaps(lease.entries) { found.append("job \(index) leased twice") }
        }
        for lease in active where lease.purpose != .spare {
            if lease.purpose == .audit { found.append("job \(index) is audited and open") }
            if seen.overlaps(lease.entries) { found.append("job \(index) leased twice") }
            seen.insert(lease.entries)
        }
        for range in job.finished.ranges {
            if job.pending.overlaps(range) { found.append("job \(index) would repeat \(range)") }
            seen.insert(range)
        }
        for lease in active where lease.purpose == .spare { seen.insert(lease.entries) }
        if seen.count != job.entryCount { found.append("job \(index) has forgotten entries") }
        return found
    }

    private func problemsOfLeases() -> [String] {
        var found: [String] = []
        for (id, lease) in leases.all {
            let isDeparting = departing.contains { $0.worker == lease.worker }
            if !workers[lease.worker].isLiving && !isDeparting {
                found.append("\(id) is held by the lost")
            }
            if !leases.ids(ofJob: id.job).contains(id) { found.append("\(id) has no job") }
        }
        let held = workers.indices.reduce(0) { $0 + leases.count(ofWorker: $1) }
        if held != leases.count { found.append("\(held) leases held, \(leases.count) known") }
        return found.sorted()
    }

    private func problemsOfCounts() -> [String] {
        let open = table.jobs.count { $0.state == .open }
        let queued = table.jobs.count(where: \.isQueued)
        var found: [String] = []
        var byClass = readyOfClass.map { _ in 0 }
        for job in table.jobs where job.isQueued { byClass[job.costClass] += 1 }
        if byClass != readyOfClass { found.append("ready jobs are not counted rightly by class") }
        if open != openJobs { found.append("\(openJobs) jobs counted open, not \(open)") }
        if queued != ready.count { found.append("\(ready.count) jobs queued, not \(queued)") }
        let paused = table.jobs.count { $0.state == .open && $0.isPaused }
        if paused != pausedJobs { found.append("\(pausedJobs) jobs counted paused, not \(paused)") }
        if living.reduce(0, { $0 + workers[$1].slots }) != slotsLiving {
            found.append("the slots of the living are not counted rightly")
        }
        if Set(living) != Set(workers.indices.filter { workers[$0].isLiving }) {
            found.append("the living are not counted rightly")
        }
        return found
    }
}
