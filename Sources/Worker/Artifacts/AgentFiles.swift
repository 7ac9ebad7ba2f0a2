import FathomCore
import FathomMessaging
import FathomProtocol

/// What an agent does about files: what slots read is here before they start, what they have made
/// is with the coordinator before it hears of the result.
///
/// Used by the agent's thread alone.
final class AgentFiles {
    /// One thing the agent must do.
    enum Order {
        /// All files that the job reads are here.
        case ready(Lease)
        /// The result's files are with the coordinator.
        case tell(WorkerMessage)
        /// The result is worth nothing, as a file of it is lost: hand the lease back.
        case giveBack(Lease, reason: String)
        /// A file that the job reads will not come.
        case fail(Lease, error: String)
    }

    private let access: ArtifactAccess
    private let client: ArtifactClient
    private var gate = InputGate()
    private var results = ResultGate()
    /// Files that jobs read or have made, which must not leave the cache.
    private var read: [Lease: [Digest]] = [:]
    private var made: [Lease: [Digest]] = [:]
    /// Files the coordinator did not have: how often it said so, and when to ask again.
    private var absent: [Digest: (count: Int, due: Instant)] = [:]

    /// Once a second. A coordinator that waits for room on its disk makes nothing again meanwhile.
    private static let absencesMax = 60

    init(access: ArtifactAccess, client: ArtifactClient) {
        self.access = access
        self.client = client
    }

    // MARK: Before a job

    /// Fetches what a job reads, and keeps it here until the job is let go.
    ///
    /// - Returns: Whether all of it is here already; otherwise an order says when it is.
    func prepare(_ assignment: Assignment) -> Bool {
        let inputs = assignment.inputs.map(\.artifact)
        pin(inputs.map(\.digest), for: assignment.lease, in: &read)
        let missing = inputs.filter { !isHere($0) }
        let isReady = gate.add(assignment, missing: Set(missing.map(\.digest)))
        for artifact in missing { client.handle(.fetch(artifact, isDoubted: false)) }
        return isReady
    }

    private func isHere(_ reference: ArtifactReference) -> Bool {
        switch access {
        case .shared(let folder): folder.holds(reference)
        case .cached(let cache): cache.holds(reference)
        }
    }

    /// A slot could not read a file: it is fetched again, and an order says when it is here.
    ///
    /// - Returns: False when it was tried often enough, or the file is none the job may read.
    func readFailed(_ lease: Lease, of digest: Digest) -> Bool {
        guard let artifact = gate.readFailed(lease, of: digest) else { return false }
        client.handle(.fetch(artifact, isDoubted: true))
        return true
    }

    /// The job is over, or not wanted any more.
    func letGo(_ lease: Lease) {
        gate.remove(lease)
        unpin(lease, in: &read)
    }

    // MARK: After a job

    /// Keeps what a result names until it is acknowledged.
    func keep(_ artifacts: [ArtifactReference], of lease: Lease) {
        guard let cache = access.cache, !artifacts.isEmpty else { return }
        for artifact in artifacts {
            if cache.adopt(artifact) { cache.note(artifact.digest, bytes: artifact.bytes) }
        }
        pin(artifacts.map(\.digest), for: lease, in: &made)
        cache.makeRoom(for: 0)
    }

    /// Whether a message may be sent now; otherwise it follows when its files are brought.
    func maySend(_ message: WorkerMessage) -> Bool {
        guard access.cache != nil else { return true }
        let missing = results.hold(message)
        for artifact in missing { client.handle(.bring(artifact)) }
        return missing.isEmpty
    }

    func acknowledged(_ leases: [Lease]) {
        results.forget(leases)
        for lease in leases {
            results.forget(brought: made[lease] ?? [])
            unpin(lease, in: &made)
        }
    }

    // MARK: Connections

    func reconnected() { results.reconnected() }

    func use(endpoint: String) { client.use(endpoint: endpoint) }

    var tally: ArtifactTransfers.Tally { client.tally }

    func close() { client.close() }

    // MARK: What has come of it

    func takeOrders(at now: Instant) -> [Order] {
        let reports = client.takeReports()
        guard !reports.isEmpty || !absent.isEmpty else { return [] }
        var orders: [Order] = []
        for report in reports {
            switch report {
            case .ready(let digest):
                absent[digest] = nil
                orders += gate.arrived(digest).map { .ready($0) }
            case .gone(let digest): orders += missed(digest, at: now)
            case .brought(let digest):
                orders += results.brought(digest).map { .tell($0) }
            case .lost(let digest, let reason):
                orders += results.lost(digest).map { .giveBack($0, reason: reason) }
            case .ask: break
            }
        }
        askAgain(at: now)
        return orders
    }

    /// The coordinator makes the file again and calls off the lease that needs it; where that does
    /// not happen the job fails.
    private func missed(_ digest: Digest, at now: Instant) -> [Order] {
        guard let reference = gate.reference(to: digest) else {
            absent[digest] = nil
            return []
        }
        let count = (absent[digest]?.count ?? 0) + 1
        absent[digest] = (count, now + 1)
        guard count >= Self.absencesMax else { return [] }
        absent[digest] = nil
        let error =
            "the coordinator does not have the input \(reference.name) (\(digest.short)) and does "
            + "not make it again"
        return gate.waiters(for: digest).map { .fail($0, error: error) }
    }

    private func askAgain(at now: Instant) {
        for (digest, item) in absent.sorted(by: { $0.key < $1.key }) where now >= item.due {
            guard let reference = gate.reference(to: digest) else {
                absent[digest] = nil
                continue
            }
            absent[digest] = (item.count, now + 60)
            client.handle(.fetch(reference, isDoubted: false))
        }
    }

    private func pin(
        _ digests: [Digest], for lease: Lease, in pins: inout [Lease: [Digest]]
    ) {
        guard let cache = access.cache, !digests.isEmpty else { return }
        unpin(lease, in: &pins)
        pins[lease] = digests
        cache.pin(digests)
    }

    private func unpin(_ lease: Lease, in pins: inout [Lease: [Digest]]) {
        guard let digests = pins.removeValue(forKey: lease) else { return }
        access.cache?.unpin(digests)
    }
}
