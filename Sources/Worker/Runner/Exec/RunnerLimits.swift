/// What a runner may take. They are the worker's, and change no result.
public struct RunnerLimits: Codable, Hashable, Sendable {
    /// How long it may say nothing while it starts, or computes.
    public var silenceSeconds = 900.0
    /// How long a job may take in all.
    public var jobSeconds = 172_800.0
    /// Memory of all its processes together; `nil`: what there is.
    public var memoryBytes: Int?
    /// Everything in its folder together, and each file.
    public var diskBytes = 16 << 30
    /// Folders that it may write in beside its own; `/` for everywhere.
    public var writable: [String] = []
    /// Processes it may have at a time, itself included.
    public var processes = 256
    /// One line that it says.
    public var lineBytes = 8 << 20
    /// All that it says of one job.
    public var outputBytes = 256 << 20
    /// How long it may take to end once it is asked to.
    public var graceSeconds = 2.0

    public init() {}

    /// Whether nothing keeps it to its folders.
    public var writesAnywhere: Bool { writable.contains("/") }
}
