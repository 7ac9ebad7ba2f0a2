import FathomProtocol

// Attempts end: with an outcome, with a failure, or with their worker.

extension Scheduler {
    /// The scheduler's name for a lease, unless it speaks of a job or entries we do not have.
    func identify(_ lease: Lease) -> (LeaseID, job: Int)? {
        guard let job = table.index(of: lease.job), lease.entries.lowerBound >= 0,
            lease.entries.upperBound <= table.jobs[job].entryCount, !lease.entries.isEmpty
        else { return nil }
        return (LeaseID(job: job, attempt: lease.attempt, term: lease.term), job)
    }

    mutating func accept(
        _ outcome: JobOutcome, of lease: Lease, from id: WorkerID, at now: Instant
    ) {
        if let worker = livingWorker(id) {
            workers[worker].lastHeard = now
        } else {
            effects.append(.send(id, .registerAgain))
        }
        guard let (leaseID, job) = identify(lease) else {
            let detail = "entries \(lease.entries) of job \(lease.job)"
            effects.append(
                .store(.event(kind: "unknownLease", subject: id.text, detail: detail)))
            acknowledged.append(lease)
            return
        }
        if let problem = Self.problem(in: outcome, of: lease, kind: table.jobs[job].kind) {
            let failure = AttemptFailure(lease: lease, reason: .error, error: problem, logTail: "")
            fail(failure, from: id, at: now)
            return
        }
        if let worker = workerIndices[id] { endProbation(of: worker) }
        let active = deactivate(leaseID)
        if active?.purpose == .audit { auditFinished(job) }
        let isTold = settings.sabotage == .acknowledgesBeforeStoring
        if isTold { effects.append(.send(id, .acknowledge([lease]))) }
        table.learn(
            costClass: table.jobs[job].costClass, seconds: outcome.seconds,
            entries: lease.entries.count)
        switch table.jobs[job].state {
        case .open: take(outcome, of: lease, job: job, from: id)
        case .finished where settings.sabotage == .acceptsTwice:
            effects.append(.store(.accepted(lease, worker: id, outcome: outcome)))
        case .finished: effects.append(.compare(lease, worker: id, outcome: outcome))
        case .quarantined, .blocked:
            let detail = "attempt \(lease.attempt) came after the job was given up"
            effects.append(
                .store(.event(kind: "lateResult", subject: lease.job.description, detail: detail)))
        }
        if active != nil { requeueRest(of: job) }
        if !isTold { acknowledged.append(lease) }
    }

    /// What is wrong with an outcome that does not hold what its lease asked for.
    private static func problem(
        in outcome: JobOutcome, of lease: Lease, kind: JobSpec.Kind
    ) -> String? {
        if kind != .sal, !outcome.sal.isEmpty {
            return "a \(kind.rawValue) job answered with SAL rows"
        }
        if kind != .landscape, !outcome.landscape.isEmpty || outcome.plane != nil {
            return "a \(kind.rawValue) job answered with points of a landscape"
        }
        if kind == .landscape, outcome.plane == nil {
            return "the outcome does not say what the landscape's plane is"
        }
        guard !kind.hasEntries || outcome.entries == Array(lease.entries) else {
            let found = outcome.entries.map(String.init).joined(separator: " ")
            return "the outcome has entries \(found); the lease asked for \(lease.entries)"
        }
        return nil
    }

    /// Stores what is new of an outcome and has the rest compared.
    private mutating func take(
        _ outcome: JobOutcome, of lease: Lease, job: Int, from id: WorkerID
    ) {
        if !table.jobs[job].finished.overlaps(lease.entries) {
            effects.append(.store(.accepted(lease, worker: id, outcome: outcome)))
            note(lease.entries, of: job)
            cancelRedundant(of: job)
            return closeIfComplete(job, computedBy: id)
        }
        let known = table.jobs[job].finished.intersection(lease.entries)
        let fresh = table.jobs[job].finished.gaps(in: lease.entries)
        for range in known.ranges {
            var covered = lease
            covered.entries = range
            let part = outcome.part(of: range)
            effects.append(.compare(covered, worker: id, outcome: part))
        }
        for range in fresh.ranges {
            let part = outcome.part(of: range)
            var covered = lease
            covered.entries = range
            effects.append(.store(.accepted(covered, worker: id, outcome: part)))
            note(range, of: job)
        }
        cancelRedundant(of: job)
        closeIfComplete(job, computedBy: id)
    }

    /// The entries are finished.
    private mutating func note(_ entries: Range<Int>, of job: Int) {
        table.jobs[job].finished.insert(entries)
        table.jobs[job].pending.subtract(entries)
        counts[Self.position(of: table.jobs[job].kind)].entriesFinished += entries.count
    }

    private mutating func closeIfComplete(_ job: Int, computedBy id: WorkerID) {
        let enough = settings.sabotage == .finishesEarly ? 1 : table.jobs[job].entryCount
        if table.jobs[job].finished.count >= enough {
            finish(job)
            if let worker = workerIndices[id] { noteHolder(worker, of: job) }
            considerAudit(of: job, computedBy: workerIndices[id])
        }
    }

    /// Calls off leases whose entries are all finished by others.
    private mutating func cancelRedundant(of job: Int) {
        for id in leases.ids(ofJob: job) {
            guard let active = leases[id], table.jobs[job].finished.contains(active.entries) else {
                continue
            }
            callOff(id)
        }
    }

    private mutating func finish(_ job: Int) {
        table.jobs[job].state = .finished
        table.jobs[job].finished = EntryRanges()
        table.jobs[job].pending = EntryRanges()
        avoided[job] = nil
        openJobs -= 1
        if table.jobs[job].isPaused { pausedJobs -= 1 }
        counts[Self.position(of: table.jobs[job].kind)].jobsFinished += 1
        effects.append(.store(.jobFinished(table.jobs[job].key)))
        for dependent in table.dependents(of: job) {
            let isAll = settings.sabotage == .releasesEarly
            table.jobs[dependent].waitingFor -= isAll ? table.jobs[dependent].waitingFor : 1
            if table.jobs[dependent].isReady { makeReady(dependent) }
        }
    }

    mutating func fail(_ failure: AttemptFailure, from id: WorkerID, at now: Instant) {
        guard let worker = livingWorker(id) else {
            // After a restart we do not know the lease yet. The worker says hello and then again
            // what failed, and is not acknowledged before.
            effects.append(.send(id, .registerAgain))
            return
        }
        workers[worker].lastHeard = now
        if let (leaseID, job) = identify(failure.lease), leases[leaseID]?.worker == worker {
            if isOfData(failure, job) {
                noteLacking(worker, dataOf: job, error: failure.error)
            } else if !failure.isOfInput {
                noteFailure(of: worker)
                avoided[job, default: []].append(worker)
            }
            let reason = reason(of: failure, ofJob: job, on: worker)
            end(leaseID, reason: reason, error: failure.error, logTail: failure.logTail)
        }
        acknowledged.append(failure.lease)
    }

    /// Ends an active lease without an outcome, charges whom it concerns, and queues what it
    /// covered again.
    mutating func end(
        _ id: LeaseID, reason: FailureReason, error: String, logTail: String = ""
    ) {
        guard let active = leases[id] else { return }
        deactivate(id)
        if active.purpose == .audit { auditEnded(id.job, reason: reason) }
        let worker = workers[active.worker].id
        let lease = Lease(
            job: table.jobs[id.job].key, attempt: id.attempt, term: id.term,
            entries: active.entries)
        effects.append(
            .store(
                .attemptFailed(
                    lease, worker: worker, reason: reason, error: error, logTail: logTail)))
        switch reason {
        case .workerLost where settings.sabotage == .chargesBystanders:
            table.jobs[id.job].attemptsCharged += 1
        case .error, .slotDeath: table.jobs[id.job].attemptsCharged += 1
        case .workerLost, .coordinatorLost: table.jobs[id.job].attemptsLost += 1
        case .handedBack, .probation: break
        }
        if settings.sabotage == .triesForever {
            requeueRest(of: id.job)
        } else if table.jobs[id.job].attemptsCharged >= settings.attemptsChargedMax {
            let count = table.jobs[id.job].attemptsCharged
            quarantine(id.job, reason: "\(count) attempts failed; the last: \(error)")
        } else if table.jobs[id.job].attemptsLost >= settings.attemptsLostMax {
            let count = table.jobs[id.job].attemptsLost
            quarantine(id.job, reason: "\(count) attempts were lost with their workers")
        } else if settings.sabotage != .forgetsToRequeue {
            requeueRest(of: id.job)
        }
    }

    /// Makes pending what is neither finished nor covered by an active lease.
    mutating func requeueRest(of job: Int) {
        guard table.jobs[job].isReady else { return }
        var free = table.jobs[job].finished.gaps(in: 0..<table.jobs[job].entryCount)
        for id in leases.ids(ofJob: job) {
            if let active = leases[id] { free.subtract(active.entries) }
        }
        table.jobs[job].pending = free
        enqueue(job)
    }

    /// Ends a lease that nobody needs any more.
    mutating func callOff(_ id: LeaseID) {
        guard let active = leases[id] else { return }
        deactivate(id)
        if active.purpose == .audit { audits.close(id.job) }
        let lease = Lease(
            job: table.jobs[id.job].key, attempt: id.attempt, term: id.term,
            entries: active.entries)
        effects.append(.send(workers[active.worker].id, .cancel([lease])))
    }

    mutating func activate(
        _ id: LeaseID, entries: Range<Int>, worker: Int, purpose: ActiveLease.Purpose = .work,
        at now: Instant
    ) {
        let each = table.costs.estimate(table.jobs[id.job].costClass)
        let seconds = each * Double(entries.count)
        leases.insert(
            id,
            ActiveLease(
                entries: entries, worker: worker, purpose: purpose, granted: now, renewed: now,
                seconds: seconds))
        workers[worker].outstandingSeconds += seconds
    }

    /// Forgets an active lease and answers what it was; `nil` when it was not active.
    @discardableResult
    mutating func deactivate(_ id: LeaseID) -> ActiveLease? {
        guard let active = leases.remove(id) else { return nil }
        workers[active.worker].outstandingSeconds =
            leases.isEmpty(ofWorker: active.worker)
            ? 0 : max(0, workers[active.worker].outstandingSeconds - active.seconds)
        makeHungry(active.worker)
        return active
    }
}
