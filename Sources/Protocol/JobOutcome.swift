public import FathomCore

/// One number measured after an epoch. A value that is not a number is a flag, not a value.
public struct MetricRow: Hashable, Sendable, Codable {
    public var epoch: Int
    public var task: String
    /// `train` (running, training mode) or `test` (evaluated on clean test images).
    public var split: String
    /// Such as `loss` (nats) or `accuracy` (0...1).
    public var name: String
    public var value: Double?
    public var flag: String?

    public init(
        epoch: Int, task: String, split: String, name: String, value: Double?, flag: String? = nil
    ) {
        self.epoch = epoch
        self.task = task
        self.split = split
        self.name = name
        self.value = value
        self.flag = flag
    }
}

/// What a perturbation turned out to be: budgets, probes, cost, in stated units.
public struct PoisonReport: Hashable, Sendable, Codable {
    public var numbers: [String: Double]
    public var words: [String: String]

    public init(numbers: [String: Double] = [:], words: [String: String] = [:]) {
        self.numbers = numbers
        self.words = words
    }
}

/// A file a job made, named by its content.
public struct ArtifactReference: Hashable, Sendable, Codable {
    /// The role, `poison` or `checkpoint`.
    public var name: String
    public var digest: Digest
    public var bytes: Int

    public init(name: String, digest: Digest, bytes: Int) {
        self.name = name
        self.digest = digest
        self.bytes = bytes
    }
}

/// One entry of a SAL job: a measured layer, or a filter of one.
public struct SALRow: Hashable, Sendable, Codable {
    /// Place among the job's entries, from 0; what leases cover ranges of.
    public var entry: Int
    /// Index among the network's measured layers.
    public var layerIndex: Int
    /// The output channel that moved, from 0; `nil`: the whole layer did.
    public var filter: Int?
    public var measurement: SALMeasurement

    public init(entry: Int, layerIndex: Int, filter: Int?, measurement: SALMeasurement) {
        self.entry = entry
        self.layerIndex = layerIndex
        self.filter = filter
        self.measurement = measurement
    }

    /// A whole layer's, whose index is its entry.
    public init(layerIndex: Int, measurement: SALMeasurement) {
        self.init(entry: layerIndex, layerIndex: layerIndex, filter: nil, measurement: measurement)
    }
}

/// What a job, or the entries of it that a lease covered, came to. Equal jobs give equal outcomes,
/// `seconds` apart.
public struct JobOutcome: Hashable, Sendable, Codable {
    public var metrics: [MetricRow]
    public var sal: [SALRow]
    /// The points of a landscape that the lease covered.
    public var landscape: [LandscapePoint]
    /// What the landscape's plane is: the same with each of its points.
    public var plane: PlaneReport?
    public var poison: PoisonReport?
    public var artifacts: [ArtifactReference]
    /// Computing time of the slot; not part of what is compared.
    public var seconds: Double
    /// How far another outcome of the job may lie from this one, relative to the larger number:
    /// said by runners that are not deterministic. `nil`: not at all.
    public var tolerance: Double?

    public init(
        metrics: [MetricRow] = [], sal: [SALRow] = [], poison: PoisonReport? = nil,
        artifacts: [ArtifactReference] = [], landscape: [LandscapePoint] = [],
        plane: PlaneReport? = nil, seconds: Double = 0
    ) {
        self.metrics = metrics
        self.sal = sal
        self.landscape = landscape
        self.plane = plane
        self.poison = poison
        self.artifacts = artifacts
        self.seconds = seconds
    }
}

extension JobOutcome {
    /// Which of the job's entries there are rows of, rising; none for kinds without entries.
    public var entries: [Int] { (sal.map(\.entry) + landscape.map(\.entry)).sorted() }

    /// The rows of some entries, with all that is the job's as a whole.
    public func part(of entries: Range<Int>) -> JobOutcome {
        var part = self
        part.sal = sal.filter { entries.contains($0.entry) }
        part.landscape = landscape.filter { entries.contains($0.entry) }
        return part
    }
}

extension JobSpec.Kind {
    /// Whether its jobs have a row an entry, so that a lease may cover some of them.
    public var hasEntries: Bool { self == .sal || self == .landscape }
}
