import FathomProtocol

// A worker whose machine is not its own for good gets what it can finish before it must go.

extension Scheduler {
    /// Takes down how long a worker stays, as it said when it registered.
    mutating func noteEnd(of worker: Int, secondsLeft: Double?, isNew: Bool, at now: Instant) {
        longestStay = nil
        guard settings.sabotage != .ignoresEnds, let secondsLeft else {
            workers[worker].end = nil
            workers[worker].staySeconds = .infinity
            return
        }
        workers[worker].end = now + secondsLeft
        let known = isNew ? 0 : workers[worker].staySeconds
        workers[worker].staySeconds = known.isFinite ? max(known, secondsLeft) : secondsLeft
    }

    /// How long a job given to a worker now may compute, once what is queued there is done.
    func secondsFree(of worker: Int, at now: Instant) -> Double {
        guard let end = workers[worker].end else { return .infinity }
        let slots = workers[worker].slots
        let isBusy = leases.count(ofWorker: worker) >= slots
        let wait = isBusy ? workers[worker].outstandingSeconds / Double(slots) : 0
        return end.seconds(since: now) - wait
    }

    /// Whether a worker can finish so many entries of a job. What takes longer than anybody stays
    /// goes to those who have just come: the estimate may be wrong.
    mutating func endsInTime(
        _ job: Int, entries: Int = 1, on worker: Int, at now: Instant
    ) -> Bool {
        guard workers[worker].end != nil else { return true }
        let seconds = estimate(job) * Double(entries)
        guard seconds > secondsFree(of: worker, at: now) else { return true }
        guard isFresh(worker, at: now), seconds > workers[worker].staySeconds,
            leases.count(ofWorker: worker) < workers[worker].slots, seconds > longestOfLiving()
        else { return false }
        tellThatItOutlasts(job, seconds: seconds)
        return true
    }

    /// Whether any of the ready jobs could be finished; O(classes of cost).
    mutating func hasTimeForSome(_ worker: Int, at now: Instant) -> Bool {
        guard workers[worker].end != nil else { return true }
        let left = secondsFree(of: worker, at: now)
        guard left > 0 else { return false }
        return isFresh(worker, at: now) || !audits.isQueueEmpty
            || readyOfClass.indices.contains {
                readyOfClass[$0] > 0 && table.costs.estimate($0) <= left
            }
    }

    /// Whether a worker gives a lease back because its time was over, and not for lack of trying.
    func hasOutlived(_ lease: ActiveLease, at now: Instant) -> Bool {
        let worker = workers[lease.worker]
        guard worker.end != nil, worker.staySeconds > 0 else { return false }
        return now.seconds(since: lease.granted) >= Self.triedShare * worker.staySeconds
    }

    /// Whether a worker has just come.
    func isFresh(_ worker: Int, at now: Instant) -> Bool {
        guard let end = workers[worker].end else { return true }
        let left = end.seconds(since: now)
        return left > 0 && left >= Self.freshShare * workers[worker].staySeconds
    }

    private func estimate(_ job: Int) -> Double {
        table.costs.estimate(table.jobs[job].costClass)
    }

    private mutating func longestOfLiving() -> Double {
        if let longestStay { return longestStay }
        let longest = living.reduce(0) { max($0, workers[$1].staySeconds) }
        longestStay = longest
        return longest
    }

    private mutating func tellThatItOutlasts(_ job: Int, seconds: Double) {
        guard outlasting.insert(job).inserted else { return }
        let stay = Int(longestOfLiving())
        effects.append(
            .store(
                .event(
                    kind: "outlastsWorkers", subject: table.jobs[job].key.description,
                    detail: "it takes about \(Int(seconds)) s, and no worker stays for more than "
                        + "\(stay) s; ask for longer allocations, or measure more often, so that "
                        + "training is cut into shorter jobs")))
    }

    /// A worker with so much of its time left has just come.
    private static let freshShare = 0.9
    /// After so much of a worker's time its work was tried in earnest.
    private static let triedShare = 0.5
}
