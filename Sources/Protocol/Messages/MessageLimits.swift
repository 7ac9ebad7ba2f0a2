/// Caps on everything that arrives from outside and could grow.
public enum MessageLimits {
    /// One frame on the wire or between an agent and its slots.
    public static let frameBytes = 64 << 20
    /// Messages in one frame.
    public static let messagesPerFrame = 8_192
    /// Leases in one list: an inventory, a heartbeat, an acknowledgement.
    public static let leasesPerList = 16_384
    /// Leases of results or assignments in one frame, and metric rows in one.
    public static let leasesPerFrame = 1 << 16
    public static let rowsPerFrame = 1 << 20
    /// Different words that the metric rows of one message name.
    public static let wordsPerTable = 1 << 16
    /// A name, a host, a flag.
    public static let wordBytes = 1_024
    /// An error text, a log tail, a reason.
    public static let textBytes = 64 << 10
    /// A job's specification.
    public static let specBytes = 1 << 20
    /// Rows of one kind in an outcome.
    public static let rowsPerOutcome = 1 << 20
    /// Passes or steps of one walk.
    public static let walkSteps = 1 << 20
    /// Files a job reads or makes.
    public static let artifactsPerJob = 1_024
    /// Entries of one job.
    public static let entriesPerJob = 1 << 24
    /// Slots of one worker.
    public static let slotsPerWorker = 4_096
    /// How long a worker can say that it stays: three years.
    public static let secondsLeft = 1e8
    /// Runners, kinds and tags of one worker.
    public static let runnersPerWorker = 64
    /// Attempts of one job, and terms of one store.
    public static let ordinal = 1 << 30
}
