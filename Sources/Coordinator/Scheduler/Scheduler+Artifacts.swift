public import FathomProtocol

// Files that jobs have made: who has them, who still needs them, and what becomes of one that is
// lost.

extension Scheduler {
    /// Whether a job that is not finished reads what this one has made, or an audit may.
    public func isNeeded(_ key: JobKey) -> Bool {
        guard let job = table.index(of: key) else { return false }
        return !audits.isEmpty
            || table.dependents(of: job).contains { table.jobs[$0].state != .finished }
    }

    /// Whether a job is finished.
    public func isFinished(_ key: JobKey) -> Bool {
        table.index(of: key).map { table.jobs[$0].state == .finished } ?? false
    }

    /// Computes a finished job once more because its file is lost. Its rows stay, because the same
    /// job makes the same again; open jobs that read it wait for it.
    mutating func makeAgain(_ key: JobKey) {
        guard let job = table.index(of: key), table.jobs[job].state == .finished else { return }
        for lease in leases.ids(ofJob: job) { callOff(lease) }
        audits.close(job)
        effects.append(.store(.jobReopened(key)))
        effects.append(
            .store(
                .event(
                    kind: "artifactLost", subject: key.description,
                    detail: "its file is gone or damaged and is made again")))
        counts[Self.position(of: table.jobs[job].kind)].entriesFinished -=
            table.jobs[job].entryCount
        table.jobs[job].finished = EntryRanges()
        holders.forget(job)
        undoFinish(of: job)
        if table.jobs[job].isReady { makeReady(job) }
    }

    // MARK: Placement

    /// A worker made, or was given, what a job has made.
    mutating func noteHolder(_ worker: Int, of job: Int) {
        if !table.dependents(of: job).isEmpty { holders.add(worker, to: job) }
    }

    mutating func noteInputs(of job: Int, on worker: Int) {
        for input in table.dependencies(of: job) { holders.add(worker, to: input) }
    }

    /// How many of the files that a job reads are with others and not with this worker, as far as
    /// is known.
    func inputsLacking(_ worker: Int, for job: Int) -> Int {
        table.dependencies(of: job).count { holders.has(worker, $0) == false }
    }
}

/// Which workers have what a job has made. Caches forget, so it is a guess; nothing but the way of
/// files hangs on it.
struct HolderBook: Sendable {
    private var workers: [Int: [Int]] = [:]

    private static let holdersMax = 8

    mutating func add(_ worker: Int, to job: Int) {
        var list = workers[job] ?? []
        guard !list.contains(worker) else { return }
        if list.count >= Self.holdersMax { list.removeFirst() }
        list.append(worker)
        workers[job] = list
    }

    mutating func forget(_ job: Int) { workers[job] = nil }

    /// `nil`: nothing is known.
    func has(_ worker: Int, _ job: Int) -> Bool? { workers[job]?.contains(worker) }
}
