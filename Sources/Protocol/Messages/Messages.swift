public import FathomCore

/// The versions of the wire format this build speaks.
public enum ProtocolVersion {
    public static let current = 2
    public static let supported = 2...2
}

/// What a worker says. Every message is legal at any time and may arrive twice, late or never.
public enum WorkerMessage: Sendable, Hashable {
    /// Registers, or registers again after the coordinator was lost.
    case hello(Hello)
    case heartbeat([LeaseProgress])
    case result(Lease, JobOutcome)
    case failure(AttemptFailure)
    /// Leases given up unfinished, as by a draining worker. Charged to nobody.
    case handBack([Lease])
    case goodbye
}

/// What a coordinator says.
public enum CoordinatorMessage: Sendable, Hashable {
    case welcome(Welcome)
    /// The worker may not work here, and trying again will not help.
    case refused(reason: String)
    /// The coordinator does not know this worker: say hello.
    case registerAgain
    case assign(Assignment)
    /// These results and failures are durable; the worker may forget them.
    case acknowledge([Lease])
    /// These leases are no longer wanted.
    case cancel([Lease])
    /// Finish or hand back what is held, then go.
    case drain
    /// Answers a heartbeat.
    case alive(term: Int)
}

/// How a worker registers: who it is, and what it still holds from before.
public struct Hello: Sendable, Hashable {
    public var protocolVersions: ClosedRange<Int>
    public var facts: WorkerFacts
    /// Leases it is working on or has queued.
    public var held: [Lease]
    /// Leases whose result or failure it has sent, or will send, without an acknowledgement yet.
    public var unacknowledged: [Lease]
    /// How long work given to it now may take, at most; `nil`: as long as it likes.
    public var secondsLeft: Double?

    public init(
        protocolVersions: ClosedRange<Int> = ProtocolVersion.supported, facts: WorkerFacts,
        held: [Lease], unacknowledged: [Lease], secondsLeft: Double? = nil
    ) {
        self.protocolVersions = protocolVersions
        self.facts = facts
        self.held = held
        self.unacknowledged = unacknowledged
        self.secondsLeft = secondsLeft
    }
}

/// A lease that a worker holds, and the share of it that is done, 0...1.
public struct LeaseProgress: Sendable, Hashable {
    public var lease: Lease
    public var share: Double

    public init(lease: Lease, share: Double) {
        self.lease = lease
        self.share = share
    }
}

/// An attempt that ended without an outcome.
public struct AttemptFailure: Sendable, Hashable {
    /// What a worker can blame. All but lost inputs are charged to the job.
    public enum Reason: Sendable, Hashable {
        /// The job's own error.
        case error
        /// The slot died under the job.
        case slotDeath
        /// A file the job reads is missing or does not have its digest.
        case inputLost(Digest)
        /// The worker does not have the job's data set, or has other files under its name.
        case dataLacking
    }
    public var lease: Lease
    public var reason: Reason
    public var error: String
    /// The last lines the slot wrote.
    public var logTail: String

    /// Whether neither the job nor the worker is to blame.
    public var isOfInput: Bool {
        if case .inputLost = reason { true } else { false }
    }

    public init(lease: Lease, reason: Reason, error: String, logTail: String) {
        self.lease = lease
        self.reason = reason
        self.error = error
        self.logTail = logTail
    }
}

/// The answer to a hello that is accepted.
public struct Welcome: Sendable, Hashable {
    public var term: Int
    public var leaseMilliseconds: Int
    public var heartbeatMilliseconds: Int
    /// The port, on the same host, where files are fetched and brought; 0: nowhere.
    public var artifactPort: Int

    public init(
        term: Int, leaseMilliseconds: Int, heartbeatMilliseconds: Int, artifactPort: Int = 0
    ) {
        self.term = term
        self.leaseMilliseconds = leaseMilliseconds
        self.heartbeatMilliseconds = heartbeatMilliseconds
        self.artifactPort = artifactPort
    }
}

/// A file that a job reads, by the job that made it.
public struct InputArtifact: Sendable, Hashable {
    public var job: JobKey
    public var artifact: ArtifactReference

    public init(job: JobKey, artifact: ArtifactReference) {
        self.job = job
        self.artifact = artifact
    }
}

/// Work for a slot. The specification is what `JobSpecCodec` makes of it, which only slots read.
public struct Assignment: Sendable, Hashable {
    public var lease: Lease
    public var spec: [UInt8]
    public var inputs: [InputArtifact]

    public init(lease: Lease, spec: [UInt8], inputs: [InputArtifact]) {
        self.lease = lease
        self.spec = spec
        self.inputs = inputs
    }
}

/// Messages of one worker that travel in one frame.
public struct WorkerFrame: Sendable, Hashable {
    public var worker: WorkerID
    public var messages: [WorkerMessage]

    public init(worker: WorkerID, messages: [WorkerMessage]) {
        self.worker = worker
        self.messages = messages
    }
}
