import FathomProtocol

// Ready work meets hungry workers.

extension Scheduler {
    /// All of a job's unfinished entries become free for leasing.
    mutating func makeReady(_ job: Int) {
        table.jobs[job].pending = table.jobs[job].finished.gaps(in: 0..<table.jobs[job].entryCount)
        enqueue(job)
    }

    mutating func enqueue(_ job: Int) {
        guard !table.jobs[job].isQueued, !table.jobs[job].pending.isEmpty, mayStart(job) else {
            return
        }
        table.jobs[job].isQueued = true
        let costClass = table.jobs[job].costClass
        // Of jobs that follow on others, one of each class whose cost nobody knows goes first: shares
        // and the time left hang on its cost. Those that begin a path need no help.
        let isPioneer =
            !table.dependencies(of: job).isEmpty && readyOfClass[costClass] == 0
            && !table.costs.isMeasured(costClass)
        readyOfClass[costClass] += 1
        ready.push(
            .init(pathSeconds: isPioneer ? .infinity : table.jobs[job].pathSeconds, job: job),
            line: line(of: job))
    }

    private mutating func dequeue(_ job: Int) {
        table.jobs[job].isQueued = false
        readyOfClass[table.jobs[job].costClass] -= 1
    }

    func mayStart(_ job: Int) -> Bool {
        !table.jobs[job].isPaused || settings.sabotage == .dispatchesPaused
    }

    /// Gives one lease at a time to one worker after the other, so that scarce work spreads.
    mutating func dispatch(at now: Instant) {
        hasMore = !departing.isEmpty
        guard !isDraining, reunion.isOver else { return }
        var servedLast = 0
        var given = 0
        while servedLast < max(1, hungry.count), !(ready.isEmpty && audits.isQueueEmpty),
            let worker = hungry.popFirst()
        {
            guard given < settings.leasesPerStepMax else {
                hungry.append(worker)
                hasMore = true
                return
            }
            switch serve(worker, at: now) {
            case .assigned:
                hungry.append(worker)
                servedLast = 0
                given += 1
            case .full: workers[worker].isHungry = false
            case .nothingSuitable:
                hungry.append(worker)
                servedLast += 1
            }
        }
    }

    private enum Service {
        case assigned, full, nothingSuitable
    }

    private mutating func serve(_ worker: Int, at now: Instant) -> Service {
        guard workers[worker].isLiving, hasTimeForSome(worker, at: now) else { return .full }
        var aside: [ReadyHeap.Item] = []
        let lines = workers[worker].lines
        defer { for item in aside { ready.push(item, line: line(of: item.job)) } }
        // Few jobs have failed anywhere, so a short look past them is enough.
        let isSimple = workers[worker].lacking.isEmpty && workers[worker].end == nil
        let lookMax = isSimple ? 32 : Self.lookPastUnfit
        var isPressed = false
        while aside.count < lookMax, let item = ready.pop(from: lines) {
            guard table.jobs[item.job].isReady, !table.jobs[item.job].pending.isEmpty,
                mayStart(item.job)
            else {
                dequeue(item.job)
                continue
            }
            if lacks(worker, dataOf: item.job) || shouldAvoid(worker, for: item.job) {
                aside.append(item)
                continue
            }
            guard endsInTime(item.job, on: worker, at: now) else {
                aside.append(item)
                isPressed = true
                continue
            }
            guard hasCredit(worker, for: item.job, at: now) else {
                aside.append(item)
                return .full
            }
            let chosen = nearest(item, for: worker, aside: &aside, at: now)
            dequeue(chosen.job)
            assign(chosen.job, to: worker, at: now)
            enqueue(chosen.job)
            return .assigned
        }
        if audit(on: worker, at: now) { return .assigned }
        // Its time only gets shorter: it is looked at again with its next heartbeat.
        return isPressed ? .full : .nothingSuitable
    }

    /// The job itself, or one nearly as urgent of whose files this worker lacks fewer; those looked
    /// at and not taken go `aside`.
    private mutating func nearest(
        _ item: ReadyHeap.Item, for worker: Int, aside: inout [ReadyHeap.Item], at now: Instant
    ) -> ReadyHeap.Item {
        guard living.count > 1 else { return item }
        var best = item
        var lacking = inputsLacking(worker, for: item.job)
        let lines = workers[worker].lines
        for _ in 0..<Self.nearnessLooks where lacking > 0 {
            guard let first = ready.first(of: lines), first.pathSeconds >= item.pathSeconds / 2,
                let other = ready.pop(from: lines)
            else { break }
            let job = table.jobs[other.job]
            let isPossible =
                job.isReady && !job.pending.isEmpty && mayStart(other.job)
                && !lacks(worker, dataOf: other.job)
                && !shouldAvoid(worker, for: other.job)
                && hasCredit(worker, for: other.job, at: now)
                && endsInTime(other.job, on: worker, at: now)
            let count = isPossible ? inputsLacking(worker, for: other.job) : .max
            if count < lacking {
                aside.append(best)
                (best, lacking) = (other, count)
            } else {
                aside.append(other)
            }
        }
        return best
    }

    private static let nearnessLooks = 16

    /// How many jobs are looked past for a worker that lacks a data set or has little time, so that
    /// no step takes long.
    private static let lookPastUnfit = 256

    /// Whether an attempt failed on this worker and there is another to try.
    private func shouldAvoid(_ worker: Int, for job: Int) -> Bool {
        guard let list = avoided[job], list.contains(worker) else { return false }
        return living.contains { !list.contains($0) }
    }

    private func hasCredit(_ worker: Int, for job: Int, at now: Instant) -> Bool {
        let held = leases.count(ofWorker: worker)
        if isOnProbation(worker) { return held < 1 }
        if held < workers[worker].slots { return true }
        let costClass = table.jobs[job].costClass
        guard held < settings.leasesPerWorkerMax, table.costs.isMeasured(costClass) else {
            return false
        }
        let size = shardSize(of: job, on: worker, at: now)
        let more = table.costs.estimate(costClass) * Double(size)
        let room = settings.prefetchSeconds * Double(workers[worker].slots)
        return workers[worker].outstandingSeconds + more <= room
    }

    private mutating func assign(_ job: Int, to worker: Int, at now: Instant) {
        let size = shardSize(of: job, on: worker, at: now)
        guard let entries = table.jobs[job].pending.takeFirst(atMost: size) else { return }
        if settings.sabotage == .leasesTwice { table.jobs[job].pending.insert(entries) }
        grant(job, entries, to: worker, for: .work, at: now)
    }

    mutating func grant(
        _ job: Int, _ entries: Range<Int>, to worker: Int, for purpose: ActiveLease.Purpose,
        at now: Instant
    ) {
        table.jobs[job].attemptsUsed += 1
        let id = LeaseID(job: job, attempt: table.jobs[job].attemptsUsed, term: settings.term)
        activate(id, entries: entries, worker: worker, purpose: purpose, at: now)
        noteInputs(of: job, on: worker)
        let lease = Lease(
            job: table.jobs[job].key, attempt: id.attempt, term: id.term, entries: entries)
        effects.append(.assign(workers[worker].id, lease))
    }

    /// How many entries the next lease on a job covers: what takes `shardSeconds`, and less when
    /// slots would go without or the worker ends before.
    private func shardSize(of job: Int, on worker: Int, at now: Instant) -> Int {
        guard table.jobs[job].entryCount > 1 else { return 1 }
        let each = max(table.costs.estimate(table.jobs[job].costClass), 1e-6)
        let inTime = max(1, Int(min(secondsFree(of: worker, at: now) / each, 1e6)))
        if let fixed = settings.shardEntries { return max(1, min(fixed, inTime)) }
        let bySeconds = min(inTime, max(1, Int(min(settings.shardSeconds / each, 1e6))))
        let slots = slotsLiving
        guard ready.count < slots else { return bySeconds }
        let share = (table.jobs[job].pending.count * (ready.count + 1) + slots - 1) / max(1, slots)
        return max(1, min(bySeconds, share))
    }
}
