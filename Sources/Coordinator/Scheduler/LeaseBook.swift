import FathomProtocol

/// The active leases, by worker and by job.
///
/// Each worker has a table of its own: one for all would, when it grows, take a third of a second
/// in a single step at a million leases.
struct LeaseBook: Sendable {
    private var ofWorker: [[LeaseID: ActiveLease]] = []
    /// Who holds the oldest lease of each job, and who further ones, which few jobs have.
    private var firsts: [Holder]
    private var more: [Int: [Holder]] = [:]

    private struct Holder: Sendable {
        var attempt: Int32 = 0
        var term: Int32 = 0
        /// Negative: nobody.
        var worker: Int32 = -1

        func has(_ id: LeaseID) -> Bool {
            worker >= 0 && attempt == id.attempt && term == id.term
        }
    }

    private(set) var count = 0

    init(jobCount: Int) {
        firsts = Array(repeating: Holder(), count: jobCount)
    }

    subscript(id: LeaseID) -> ActiveLease? {
        guard let worker = worker(of: id) else { return nil }
        return ofWorker[worker][id]
    }

    func isEmpty(ofWorker worker: Int) -> Bool { count(ofWorker: worker) == 0 }

    func count(ofWorker worker: Int) -> Int {
        worker < ofWorker.count ? ofWorker[worker].count : 0
    }

    /// A worker's leases in a fixed order.
    func ids(ofWorker worker: Int) -> [LeaseID] {
        worker < ofWorker.count ? ofWorker[worker].keys.sorted() : []
    }

    /// A worker's leases that are like this, in a fixed order.
    func ids(ofWorker worker: Int, where isWanted: (ActiveLease) -> Bool) -> [LeaseID] {
        guard worker < ofWorker.count else { return [] }
        return ofWorker[worker].filter { isWanted($0.value) }.keys.sorted()
    }

    /// A job's leases in the order they were granted.
    func ids(ofJob job: Int) -> [LeaseID] {
        guard isHeld(job) else { return [] }
        return ([firsts[job]] + (more[job] ?? [])).map {
            LeaseID(job: job, attempt: Int($0.attempt), term: Int($0.term))
        }
    }

    /// Whether the job has a lease.
    func isHeld(_ job: Int) -> Bool { firsts[job].worker >= 0 }

    mutating func insert(_ id: LeaseID, _ lease: ActiveLease) {
        while ofWorker.count <= lease.worker { ofWorker.append([:]) }
        ofWorker[lease.worker][id] = lease
        let holder = Holder(
            attempt: Int32(id.attempt), term: Int32(id.term), worker: Int32(lease.worker))
        if isHeld(id.job) {
            more[id.job, default: []].append(holder)
        } else {
            firsts[id.job] = holder
        }
        count += 1
    }

    mutating func remove(_ id: LeaseID) -> ActiveLease? {
        guard let worker = worker(of: id) else { return nil }
        if firsts[id.job].has(id) {
            firsts[id.job] = Holder()
            if !more.isEmpty, var others = more[id.job] {
                firsts[id.job] = others.removeFirst()
                more[id.job] = others.isEmpty ? nil : others
            }
        } else {
            more[id.job]?.removeAll { $0.has(id) }
            if more[id.job]?.isEmpty == true { more[id.job] = nil }
        }
        count -= 1
        return ofWorker[worker].removeValue(forKey: id)
    }

    /// Notes that the worker named the lease, and how far it is.
    mutating func renew(_ id: LeaseID, share: Double? = nil, at now: Instant) {
        guard let worker = worker(of: id) else { return }
        ofWorker[worker][id]?.renewed = now
        if let share { ofWorker[worker][id]?.share = share }
    }

    mutating func renewAll(at now: Instant) {
        for worker in ofWorker.indices {
            for id in ofWorker[worker].keys { ofWorker[worker][id]?.renewed = now }
        }
    }

    /// All leases, for checks.
    var all: [(id: LeaseID, lease: ActiveLease)] {
        ofWorker.flatMap { $0.map { (id: $0.key, lease: $0.value) } }
    }

    private func worker(of id: LeaseID) -> Int? {
        if firsts[id.job].has(id) { return Int(firsts[id.job].worker) }
        guard !more.isEmpty else { return nil }
        return more[id.job]?.first { $0.has(id) }.map { Int($0.worker) }
    }
}
