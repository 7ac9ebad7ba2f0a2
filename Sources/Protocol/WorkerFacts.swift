/// What a worker says of itself when it registers.
public struct WorkerFacts: Sendable, Hashable, Codable {
    public var host: String
    public var processID: Int
    public var slots: Int
    /// Product version and build, such as `0.1.0`.
    public var build: String
    /// Within one numeric class equal settings and seeds give equal bits: OpenBLAS version and
    /// kernel, our instruction-set path, math library.
    public var numericClass: String
    /// The programs it may start for jobs that ask for one.
    public var runners: [RunnerOffer]
    /// What else it has, such as `gpu` or `memory=80`.
    public var tags: [String]

    public init(
        host: String, processID: Int, slots: Int, build: String, numericClass: String,
        runners: [RunnerOffer] = [], tags: [String] = []
    ) {
        self.host = host
        self.processID = processID
        self.slots = slots
        self.build = build
        self.numericClass = numericClass
        self.runners = runners
        self.tags = tags
    }
}
