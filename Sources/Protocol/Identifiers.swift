public import FathomCore

/// Names a job by everything its result depends on: the digest of its canonical encoding.
public struct JobKey: Hashable, Sendable, Codable, Comparable, CustomStringConvertible {
    public let digest: Digest

    public init(_ digest: Digest) { self.digest = digest }

    public init(from decoder: any Decoder) throws { digest = try Digest(from: decoder) }
    public func encode(to encoder: any Encoder) throws { try digest.encode(to: encoder) }
    public static func < (left: JobKey, right: JobKey) -> Bool { left.digest < right.digest }
    public var description: String { digest.hex }
}

/// Names one point of a sweep's grid, seeds apart: the digest of its settings.
public struct CellKey: Hashable, Sendable, Codable, Comparable, CustomStringConvertible {
    public let digest: Digest

    public init(_ digest: Digest) { self.digest = digest }

    public init(from decoder: any Decoder) throws { digest = try Digest(from: decoder) }
    public func encode(to encoder: any Encoder) throws { try digest.encode(to: encoder) }
    public static func < (left: CellKey, right: CellKey) -> Bool { left.digest < right.digest }
    public var description: String { digest.hex }
}

/// Names one start of a worker agent: drawn by the agent, 16 random bytes in hexadecimal.
public struct WorkerID: Hashable, Sendable, Codable, Comparable, CustomStringConvertible {
    public let text: String
    public init(_ text: String) { self.text = text }
    public static func < (left: WorkerID, right: WorkerID) -> Bool { left.text < right.text }
    public var description: String { text }
}

/// A worker's time-limited claim on entries of a job.
///
/// `term` rises with every start of the coordinator, `attempt` with every lease on the job,
/// counted from 1 over all terms.
public struct Lease: Hashable, Sendable, Codable {
    public var job: JobKey
    public var attempt: Int
    public var term: Int
    /// Which entries (layers of a SAL job, points of a landscape) the claim covers; `0..<1` for other kinds.
    public var entries: Range<Int>

    public init(job: JobKey, attempt: Int, term: Int, entries: Range<Int>) {
        self.job = job
        self.attempt = attempt
        self.term = term
        self.entries = entries
    }
}
