public import FathomCore
public import Foundation

/// The seeds of a run: `sweep` is the manifest's, the others the run's, varied apart if it says so.
public struct RunSeeds: Codable, Hashable, Sendable {
    public var sweep: UInt64
    public var data: UInt64
    public var poison: UInt64
    public var train: UInt64
    public var sal: UInt64

    public init(sweep: UInt64, data: UInt64, poison: UInt64, train: UInt64, sal: UInt64) {
        self.sweep = sweep
        self.data = data
        self.poison = poison
        self.train = train
        self.sal = sal
    }
}

/// Which images a job reads: the settings, the digest of the source, and the subset's seeds.
public struct DataSpec: Codable, Hashable, Sendable {
    public var settings: DataSettings
    public var digest: Digest
    public var sweepSeed: UInt64
    public var dataSeed: UInt64

    public init(settings: DataSettings, digest: Digest, sweepSeed: UInt64, dataSeed: UInt64) {
        self.settings = settings
        self.digest = digest
        self.sweepSeed = sweepSeed
        self.dataSeed = dataSeed
    }
}

/// Crafts a perturbation. Makes the artifact `poison`, or `state` where crafting goes on in another
/// job.
public struct PoisonSpec: Codable, Hashable, Sendable {
    public var data: DataSpec
    public var method: MethodSettings
    public var seed: UInt64
    /// The job whose poison this one is put on; `nil` puts it on clean images.
    public var base: JobKey?
    /// The training segment whose checkpoint the method reads.
    public var surrogate: JobKey?
    /// How many rounds of the crafting this job works; `nil`: all that are left.
    public var rounds: Int?
    /// The job whose state this one goes on from.
    public var previous: JobKey?

    public init(
        data: DataSpec, method: MethodSettings, seed: UInt64, base: JobKey? = nil,
        surrogate: JobKey? = nil, rounds: Int? = nil, previous: JobKey? = nil
    ) {
        self.data = data
        self.method = method
        self.seed = seed
        self.base = base
        self.surrogate = surrogate
        self.rounds = rounds
        self.previous = previous
    }
}

/// Trains one segment of a run: epochs `firstEpoch...lastEpoch`, counted from 1, going on from
/// the checkpoint of `previous`. Makes the artifact `checkpoint` and a metric row per epoch.
public struct TrainSpec: Codable, Hashable, Sendable {
    public var data: DataSpec
    /// The job that crafted the training images; `nil` trains on clean ones.
    public var poison: JobKey?
    public var task: String
    public var model: ModelSettings
    public var defense: DefenseSettings
    public var training: TrainingSettings
    public var seed: UInt64
    public var firstEpoch: Int
    public var lastEpoch: Int
    /// The segment before; `nil` when `firstEpoch` is 1.
    public var previous: JobKey?

    public init(
        data: DataSpec, poison: JobKey?, task: String, model: ModelSettings,
        defense: DefenseSettings, training: TrainingSettings, seed: UInt64, firstEpoch: Int,
        lastEpoch: Int, previous: JobKey?
    ) {
        self.data = data
        self.poison = poison
        self.task = task
        self.model = model
        self.defense = defense
        self.training = training
        self.seed = seed
        self.firstEpoch = firstEpoch
        self.lastEpoch = lastEpoch
        self.previous = previous
    }
}

/// Measures SAL at one checkpoint. Its entries are the measured layers, one row each; leases
/// cover ranges of them.
public struct SALSpec: Codable, Hashable, Sendable {
    public var data: DataSpec
    public var poison: JobKey?
    public var task: String
    public var model: ModelSettings
    /// The training segment whose checkpoint is measured.
    public var checkpoint: JobKey
    public var settings: SALSettings
    public var seed: UInt64
    /// The defense that has rewritten the images; `nil`: they are as they were.
    public var defense: DefenseSettings?
    /// The segment whose checkpoint says how losses that are measured together are weighed, where
    /// that was learned: the clean run's, so that clean and poisoned runs are weighed alike.
    public var weights: JobKey?
    /// Which training images the images are taken from, where a phase was of fewer than all.
    public var share: TrainingPhase.Share?

    public init(
        data: DataSpec, poison: JobKey?, task: String, model: ModelSettings, checkpoint: JobKey,
        settings: SALSettings, seed: UInt64, defense: DefenseSettings? = nil,
        weights: JobKey? = nil, share: TrainingPhase.Share? = nil
    ) {
        self.data = data
        self.share = share
        self.defense = defense
        self.poison = poison
        self.task = task
        self.model = model
        self.checkpoint = checkpoint
        self.settings = settings
        self.seed = seed
        self.weights = weights
    }
}

/// Samples the loss on a plane through a run's weights. Its entries are the plane's points, one row
/// each; leases cover ranges of them.
public struct LandscapeSpec: Codable, Hashable, Sendable {
    public var data: DataSpec
    public var poison: JobKey?
    public var task: String
    public var model: ModelSettings
    /// The training segments whose checkpoints make the plane, in order; it goes through the
    /// last one's.
    public var checkpoints: [JobKey]
    public var settings: LandscapeSettings
    public var seed: UInt64
    /// As in `SALSpec`.
    public var defense: DefenseSettings?
    /// As in `SALSpec`.
    public var weights: JobKey?
    /// As in `SALSpec`, of the phase that the last checkpoint ends.
    public var share: TrainingPhase.Share?

    public init(
        data: DataSpec, poison: JobKey?, task: String, model: ModelSettings,
        checkpoints: [JobKey], settings: LandscapeSettings, seed: UInt64,
        defense: DefenseSettings? = nil, weights: JobKey? = nil,
        share: TrainingPhase.Share? = nil
    ) {
        self.data = data
        self.share = share
        self.poison = poison
        self.task = task
        self.model = model
        self.checkpoints = checkpoints
        self.settings = settings
        self.seed = seed
        self.defense = defense
        self.weights = weights
    }
}

/// Does nothing, or misbehaves in a stated way: what benches and failure tests run.
public struct ProbeSpec: Codable, Hashable, Sendable {
    public enum Conduct: String, Codable, Hashable, Sendable, CaseIterable {
        case succeed, fail, crash, hang
    }
    public var number: Int
    public var conduct: Conduct

    public init(number: Int, conduct: Conduct = .succeed) {
        self.number = number
        self.conduct = conduct
    }
}

/// One unit of a sweep's work, with everything its result depends on.
public struct JobSpec: Hashable, Sendable {
    public enum Kind: String, Codable, Hashable, Sendable, CaseIterable {
        case poison, train, sal, landscape, probe
    }
    /// Indirect, because specifications differ much in size and are passed around in numbers.
    public indirect enum Body: Hashable, Sendable {
        case poison(PoisonSpec)
        case train(TrainSpec)
        case sal(SALSpec)
        case landscape(LandscapeSpec)
        case probe(ProbeSpec)
    }

    public var body: Body
    /// The version of the code for this kind, method and model; raised by hand when results change.
    public var revision: Int

    public init(_ body: Body, revision: Int) {
        self.body = body
        self.revision = revision
    }

    public var kind: Kind {
        switch body {
        case .poison: .poison
        case .train: .train
        case .sal: .sal
        case .landscape: .landscape
        case .probe: .probe
        }
    }

    /// The jobs whose results this one reads, each once, poison first.
    public var dependencies: [JobKey] {
        switch body {
        case .probe: []
        case .poison(let spec): [spec.base, spec.surrogate, spec.previous].compactMap { $0 }
        case .train(let spec): [spec.poison, spec.previous].compactMap { $0 }
        case .sal(let spec):
            [
                spec.poison, spec.checkpoint,
                spec.weights == spec.checkpoint ? nil : spec.weights,
            ].compactMap { $0 }
        case .landscape(let spec):
            [spec.poison].compactMap { $0 } + spec.checkpoints
                + [spec.weights].compactMap { $0 }.filter { !spec.checkpoints.contains($0) }
        }
    }

    /// The canonical encoding: JSON with sorted keys, no white space, absent values left out.
    public var canonical: Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        do {
            return try encoder.encode(self)
        } catch {
            preconditionFailure("a job's settings must be encodable: \(error)")
        }
    }

    public var key: JobKey { JobKey(Digest(of: canonical)) }
}

extension JobSpec: Codable {
    private enum CodingKeys: String, CodingKey { case kind, revision, settings }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        revision = try container.decode(Int.self, forKey: .revision)
        body =
            switch try container.decode(Kind.self, forKey: .kind) {
            case .poison: .poison(try container.decode(PoisonSpec.self, forKey: .settings))
            case .train: .train(try container.decode(TrainSpec.self, forKey: .settings))
            case .sal: .sal(try container.decode(SALSpec.self, forKey: .settings))
            case .landscape:
                .landscape(try container.decode(LandscapeSpec.self, forKey: .settings))
            case .probe: .probe(try container.decode(ProbeSpec.self, forKey: .settings))
            }
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(kind, forKey: .kind)
        try container.encode(revision, forKey: .revision)
        switch body {
        case .poison(let spec): try container.encode(spec, forKey: .settings)
        case .train(let spec): try container.encode(spec, forKey: .settings)
        case .sal(let spec): try container.encode(spec, forKey: .settings)
        case .landscape(let spec): try container.encode(spec, forKey: .settings)
        case .probe(let spec): try container.encode(spec, forKey: .settings)
        }
    }
}
