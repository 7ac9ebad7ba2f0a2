import FathomCore
import FathomProtocol

/// Knows which jobs wait for which files, in the order in which they came.
///
/// They wait beside the slots and not in them: the file that one waits for may have to be made by
/// another on the same slot.
struct InputGate {
    private struct Reader {
        var assignment: Assignment
        var missing: Set<Digest> = []
        /// How often a slot could not read a file that seemed to be here.
        var failures = 0
    }

    private var readers: [Lease: Reader] = [:]
    private var waiting: [Digest: [Lease]] = [:]

    /// The file as somebody who waits for it names it.
    func reference(to digest: Digest) -> ArtifactReference? {
        waiting[digest]?.first.flatMap { reference(to: digest, for: $0) }
    }

    /// Whether the job may start at once.
    mutating func add(_ assignment: Assignment, missing: Set<Digest>) -> Bool {
        readers[assignment.lease] = Reader(assignment: assignment)
        for digest in missing { wait(assignment.lease, for: digest) }
        return missing.isEmpty
    }

    private mutating func wait(_ lease: Lease, for digest: Digest) {
        readers[lease]?.missing.insert(digest)
        waiting[digest, default: []].append(lease)
    }

    /// A file is here; answers the jobs that lack nothing more.
    mutating func arrived(_ digest: Digest) -> [Lease] {
        (waiting.removeValue(forKey: digest) ?? []).filter { lease in
            readers[lease]?.missing.remove(digest)
            return readers[lease]?.missing.isEmpty == true
        }
    }

    /// A slot could not read a file: the job waits for it again.
    ///
    /// - Returns: The file; `nil` when that was tried often enough, or the job names no such file.
    mutating func readFailed(_ lease: Lease, of digest: Digest) -> ArtifactReference? {
        readers[lease]?.failures += 1
        guard let reader = readers[lease], reader.failures <= Self.failuresMax,
            let reference = reference(to: digest, for: lease)
        else { return nil }
        if !reader.missing.contains(digest) { wait(lease, for: digest) }
        return reference
    }

    private static let failuresMax = 3

    private func reference(to digest: Digest, for lease: Lease) -> ArtifactReference? {
        readers[lease]?.assignment.inputs.first { $0.artifact.digest == digest }?.artifact
    }

    /// The jobs that wait for a file that will not come.
    func waiters(for digest: Digest) -> [Lease] { waiting[digest] ?? [] }

    /// The job is over, or not wanted any more.
    mutating func remove(_ lease: Lease) {
        guard let reader = readers.removeValue(forKey: lease) else { return }
        for digest in reader.missing {
            waiting[digest]?.removeAll { $0 == lease }
            if waiting[digest]?.isEmpty == true { waiting[digest] = nil }
        }
    }
}

/// Holds back results whose files the coordinator does not have yet.
struct ResultGate {
    private var waiting: [Lease: (message: WorkerMessage, missing: Set<Digest>)] = [:]
    /// What the coordinator has said that it has, on this connection.
    private var brought: Set<Digest> = []

    private static let broughtMax = 65_536

    /// What has to be brought before a message may be sent; nothing: it may go now.
    mutating func hold(_ message: WorkerMessage) -> [ArtifactReference] {
        guard case .result(let lease, let outcome) = message else { return [] }
        let missing = outcome.artifacts.filter { !brought.contains($0.digest) }
        waiting[lease] = missing.isEmpty ? nil : (message, Set(missing.map(\.digest)))
        return missing
    }

    /// The coordinator has a file; answers the results that may go now.
    mutating func brought(_ digest: Digest) -> [WorkerMessage] {
        if brought.count >= Self.broughtMax { brought = [] }
        brought.insert(digest)
        var released: [WorkerMessage] = []
        for lease in leases(missing: digest) {
            waiting[lease]?.missing.remove(digest)
            guard let item = waiting[lease], item.missing.isEmpty else { continue }
            waiting[lease] = nil
            released.append(item.message)
        }
        return released
    }

    /// A file can never be brought; answers the leases whose results are worth nothing by it.
    mutating func lost(_ digest: Digest) -> [Lease] {
        let leases = leases(missing: digest)
        for lease in leases { waiting[lease] = nil }
        return leases
    }

    mutating func forget(_ leases: [Lease]) {
        for lease in leases { waiting[lease] = nil }
    }

    /// What was brought for results that are acknowledged may be gone when it is made again.
    mutating func forget(brought digests: [Digest]) { brought.subtract(digests) }

    /// Another coordinator may have other files.
    mutating func reconnected() { brought = [] }

    private func leases(missing digest: Digest) -> [Lease] {
        waiting.filter { $0.value.missing.contains(digest) }.map(\.key)
            .sorted { ($0.job, $0.attempt, $0.term) < ($1.job, $1.attempt, $1.term) }
    }
}
