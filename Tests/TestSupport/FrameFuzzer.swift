public import FathomCore
public import FathomProtocol

/// Frames nobody would send: random bytes, and real frames that were damaged.
public struct FrameFuzzer {
    private let real: [[UInt8]]
    private var random: RandomStream

    /// - Parameter real: Frames as they are sent, at least one.
    public init(real: [[UInt8]], seed: UInt64) {
        precondition(!real.isEmpty, "nothing to damage")
        self.real = real
        random = RandomStream(seed: seed)
    }

    /// The next frame.
    public mutating func next() -> [UInt8] {
        if random.integer(below: 5) == 0 { return noise(random.integer(below: 300)) }
        var bytes = real[random.integer(below: real.count)]
        // Half are damaged in one place only, so that many still decode.
        let damages = random.integer(below: 2) == 0 ? 1 : 2 + random.integer(below: 5)
        for _ in 0..<damages { damage(&bytes) }
        return bytes
    }

    private mutating func noise(_ count: Int) -> [UInt8] {
        (0..<count).map { _ in UInt8(truncatingIfNeeded: random.nextBits()) }
    }

    private mutating func damage(_ bytes: inout [UInt8]) {
        guard !bytes.isEmpty else { return }
        let place = random.integer(below: bytes.count)
        switch random.integer(below: 11) {
        case 0, 6, 7: bytes[place] = UInt8(truncatingIfNeeded: random.nextBits())
        case 1, 8, 9: bytes[place] ^= 1 << UInt8(random.integer(below: 8))
        case 2: bytes.removeSubrange(place...)
        case 3: bytes.insert(contentsOf: bytes[place...].prefix(200), at: place)
        case 4: bytes.insert(contentsOf: noise(1 + random.integer(below: 12)), at: place)
        case 5:
            // The front of one frame, the back of another.
            let other = real[random.integer(below: real.count)]
            bytes =
                Array(bytes[..<place]) + other.dropFirst(random.integer(below: other.count + 1))
        default: bytes.remove(at: place)
        }
    }
}

/// One frame of each kind of message, about jobs of given names.
public enum SampleFrames {
    public static func lease(_ job: JobKey, attempt: Int = 1) -> Lease {
        Lease(job: job, attempt: attempt, term: 1, entries: 0..<1)
    }

    private static var outcome: JobOutcome {
        let walk = SALWalk(
            losses: [1.5, 2], accuracies: [0.25], radii: [0.05], reachedAt: 2, diverged: true)
        let measurement = SALMeasurement(
            layer: "conv1", weightCount: 9, weightNorm: 1.25, originLoss: 2, originAccuracy: 0.5,
            down: SALWalk(), up: walk, sMax: 3, sMin: 1, sal: 2, salAccuracy: 0.1, flag: "x",
            forwardEquivalents: 12)
        return JobOutcome(
            metrics: [MetricRow(epoch: 1, task: "cls", split: "test", name: "loss", value: 0.1)],
            sal: [SALRow(layerIndex: 0, measurement: measurement)],
            poison: PoisonReport(numbers: ["epsilon": 0.03], words: ["variant": "sign"]),
            artifacts: [
                ArtifactReference(name: "checkpoint", digest: Digest(of: [1, 2]), bytes: 1 << 20)
            ], seconds: 1.5)
    }

    /// What a worker says, one message a frame and all in one.
    public static func fromWorker(_ worker: WorkerID, job: JobKey) -> [[UInt8]] {
        let facts = WorkerFacts(
            host: "node", processID: 7, slots: 2, build: "0.1.0", numericClass: "class")
        let lease = lease(job)
        let messages: [WorkerMessage] = [
            .hello(Hello(facts: facts, held: [lease], unacknowledged: [lease])),
            .heartbeat([LeaseProgress(lease: lease, share: 0.5)]), .result(lease, outcome),
            .failure(AttemptFailure(lease: lease, reason: .error, error: "no", logTail: "tail")),
            .failure(
                AttemptFailure(
                    lease: lease, reason: .inputLost(Digest(of: [3])), error: "", logTail: "")),
            .handBack([lease]), .goodbye,
        ]
        return (messages.map { [$0] } + [messages]).map {
            MessageCodec.encode(WorkerFrame(worker: worker, messages: $0))
        }
    }

    /// What a coordinator says that sends no worker home.
    public static func fromCoordinator(job: JobKey) -> [[UInt8]] {
        let lease = lease(job)
        let spec = JobSpec(.probe(ProbeSpec(number: 3)), revision: 1)
        let file = ArtifactReference(name: "poison", digest: Digest(of: [3]), bytes: 3)
        let messages: [CoordinatorMessage] = [
            .welcome(
                Welcome(
                    term: 3, leaseMilliseconds: 15_000, heartbeatMilliseconds: 2_000,
                    artifactPort: 5_556)),
            .registerAgain,
            .assign(
                Assignment(
                    lease: lease, spec: JobSpecCodec.encode(spec),
                    inputs: [InputArtifact(job: job, artifact: file)])),
            .assign(
                Assignment(
                    lease: Self.lease(job, attempt: 2), spec: JobSpecCodec.encode(spec), inputs: [])
            ),
            .acknowledge([lease]), .cancel([lease]), .alive(term: 3),
        ]
        return (messages.map { [$0] } + [messages]).map { MessageCodec.encode($0) }
    }

    public static func questions(about digest: Digest, content: [UInt8]) -> [[UInt8]] {
        [
            .fetch(digest, offset: 0, bytes: 100), .offer(digest, total: content.count),
            .piece(
                ArtifactPiece(
                    digest: digest, offset: 0, total: content.count, content: content)),
            .doubt(digest),
        ].map { ArtifactCodec.encode($0) }
    }

    public static func answers(about digest: Digest, content: [UInt8]) -> [[UInt8]] {
        [
            .piece(
                ArtifactPiece(
                    digest: digest, offset: 0, total: content.count, content: content)),
            .gone(digest), .want(digest, offset: 0, credit: 100), .have(digest),
            .refused(digest, .busy), .refused(digest, .damaged),
        ].map { ArtifactCodec.encode($0) }
    }
}
