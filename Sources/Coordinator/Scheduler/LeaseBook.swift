import FathomProtocol

/// The active leases, by worker and by job.
///
/// Each worker has a table of its own: one for all would, when it grows, take a third of a second
/// in a single step at a million leases.
struct LeaseBook: Sendable {
    private var ofWorker: [[LeaseID: ActiveLease]] = []
    private var holders: [[Holder]]

    private struct Holder: Sendable {
        var attempt: Int
        var term: Int
        var worker: Int
    }

    private(set) var count = 0

    init(jobCount: Int) {
        holders = Array(repeating: [], count: jobCount)
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
        holders[job].map { LeaseID(job: job, attempt: $0.attempt, term: $0.term) }
    }

    mutating func insert(_ id: LeaseID, _ lease: ActiveLease) {
        while ofWorker.count <= lease.worker { ofWorker.append([:]) }
        ofWorker[lease.worker][id] = lease
        holders[id.job].append(
            Holder(attempt: id.attempt, term: id.term, worker: lease.worker))
        count += 1
    }

    mutating func remove(_ id: LeaseID) -> ActiveLease? {
        guard let worker = worker(of: id) else { return nil }
        holders[id.job].removeAll { $0.attempt == id.attempt && $0.term == id.term }
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
        holders[id.job].first { $0.attempt == id.attempt && $0.term == id.term }?.worker
    }
}
