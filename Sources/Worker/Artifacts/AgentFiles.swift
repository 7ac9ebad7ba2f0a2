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
        case start(InputGate.Start)
        /// The result's files are with the coordinator.
        case tell(WorkerMessage)
        /// The result is worth nothing, as a file of it is lost: hand the lease back.
        case giveBack(Lease, reason: String)
        /// The file will not come.
        case fail(InputGate.Start, error: String)
    }

    private let access: ArtifactAccess
    private let client: ArtifactClient
    private var gate: InputGate
    private var results = ResultGate()
    /// Files that a lease reads or has made, which must not leave the cache.
    private var pins: [Lease: [Digest]] = [:]
    private var references: [Digest: ArtifactReference] = [:]
    /// How often a lease could not read its files.
    private var readFailures: [Lease: Int] = [:]
    /// Files the coordinator did not have: how often it said so, and when to ask again.
    private var absent: [Digest: (count: Int, due: Instant)] = [:]

    private static let readFailuresMax = 3
    private static let absencesMax = 10

    init(access: ArtifactAccess, client: ArtifactClient, slots: Int) {
        self.access = access
        self.client = client
        gate = InputGate(slots: slots)
    }

    // MARK: Before a job

    /// Begins to fetch what an assignment will read, before a slot is free for it.
    func prefetch(_ assignment: Assignment) {
        for input in assignment.inputs where !isHere(input.artifact) {
            client.handle(.fetch(input.artifact, isDoubted: false))
        }
    }

    func start(_ assignment: Assignment, in slot: Int) -> [Order] {
        pin(assignment.inputs.map(\.artifact), for: assignment.lease)
        var missing: Set<Digest> = []
        for input in assignment.inputs where !isHere(input.artifact) {
            missing.insert(input.artifact.digest)
            references[input.artifact.digest] = input.artifact
            client.handle(.fetch(input.artifact, isDoubted: false))
        }
        return gate.add(assignment, to: slot, missing: missing).map { .start($0) }
    }

    private func isHere(_ reference: ArtifactReference) -> Bool {
        switch access {
        case .shared(let folder): folder.holds(reference)
        case .cached(let cache): cache.holds(reference)
        }
    }

    /// A slot could not read a file: it is fetched again, and the assignment given again.
    ///
    /// - Returns: False when it was tried often enough, or the file is none the assignment names.
    func readFailed(_ lease: Lease, of digest: Digest, in slot: Int) -> Bool {
        readFailures[lease, default: 0] += 1
        guard readFailures[lease, default: 0] <= Self.readFailuresMax,
            let assignment = gate.ended(lease, in: slot),
            let input = assignment.inputs.first(where: { $0.artifact.digest == digest })
        else { return false }
        references[digest] = input.artifact
        // Nothing starts: it waits for the file.
        _ = gate.add(assignment, to: slot, missing: [digest])
        client.handle(.fetch(input.artifact, isDoubted: true))
        return true
    }

    // MARK: After a job

    /// A slot has answered a lease.
    func ended(_ lease: Lease, in slot: Int, outcome: JobOutcome?) {
        _ = gate.ended(lease, in: slot)
        unpin(lease)
        readFailures[lease] = nil
        if let outcome { keep(outcome.artifacts, of: lease) }
    }

    /// Keeps what a result names until it is acknowledged.
    func keep(_ artifacts: [ArtifactReference], of lease: Lease) {
        guard let cache = access.cache, !artifacts.isEmpty else { return }
        for artifact in artifacts {
            if cache.adopt(artifact) { cache.note(artifact.digest, bytes: artifact.bytes) }
        }
        pin(artifacts, for: lease)
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
            results.forget(brought: pins[lease] ?? [])
            unpin(lease)
        }
    }

    // MARK: Slots and connections

    /// Whether a slot's process has begun anything.
    func hasStarted(_ slot: Int) -> Bool { gate.hasStarted(slot) }

    func clear(_ slot: Int) {
        for assignment in gate.clear(slot) { unpin(assignment.lease) }
    }

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
                orders += gate.arrived(digest).map { .start($0) }
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
        guard gate.missing.contains(digest) else {
            absent[digest] = nil
            return []
        }
        let count = (absent[digest]?.count ?? 0) + 1
        absent[digest] = (count, now + 1)
        guard count >= Self.absencesMax else { return [] }
        absent[digest] = nil
        let name = references[digest]?.name ?? "a file"
        return gate.giveUp(waitingFor: digest).map { start in
            unpin(start.assignment.lease)
            return .fail(
                start,
                error: "the coordinator does not have the input \(name) (\(digest.short)) and "
                    + "does not make it again")
        }
    }

    private func askAgain(at now: Instant) {
        guard !absent.isEmpty else { return }
        let missing = gate.missing
        for (digest, item) in absent.sorted(by: { $0.key < $1.key }) where now >= item.due {
            guard missing.contains(digest), let reference = references[digest] else {
                absent[digest] = nil
                continue
            }
            absent[digest] = (item.count, now + 60)
            client.handle(.fetch(reference, isDoubted: false))
        }
        if references.count > 65_536 {
            references = references.filter { missing.contains($0.key) }
        }
    }

    private func pin(_ artifacts: [ArtifactReference], for lease: Lease) {
        guard let cache = access.cache, !artifacts.isEmpty else { return }
        unpin(lease)
        let digests = artifacts.map(\.digest)
        pins[lease] = digests
        cache.pin(digests)
    }

    private func unpin(_ lease: Lease) {
        guard let digests = pins.removeValue(forKey: lease) else { return }
        access.cache?.unpin(digests)
    }
}
