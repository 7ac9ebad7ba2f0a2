import FathomCore
import FathomProtocol
import Testing

@Suite("Messages")
struct MessageCodecTests {
    private static let lease = Lease(
        job: JobKey(Digest(of: Array("job".utf8))), attempt: 2, term: 3, entries: 4..<9)
    private static let facts = WorkerFacts(
        host: "node", processID: 7, slots: 2, build: "0.1.0", numericClass: "class",
        runners: [
            RunnerOffer(
                name: "torch", revision: 3, device: "cuda", kinds: [.sal], tolerance: 0.001)
        ], tags: ["gpu", "memory=80"])

    private static var outcome: JobOutcome {
        let walk = SALWalk(
            losses: [1.5, .nan], accuracies: [0.25], radii: [0.05], reachedAt: 2, diverged: true)
        let measurement = SALMeasurement(
            layer: "conv1", weightCount: 9, weightNorm: 1.25, originLoss: 2, originAccuracy: 0.5,
            down: SALWalk(), up: walk, sMax: 3, sMin: 1, sal: 2, salAccuracy: 0.1, flag: "diverged",
            forwardEquivalents: 12)
        return JobOutcome(
            metrics: [
                MetricRow(epoch: 1, task: "cls", split: "test", name: "loss", value: 0.1),
                MetricRow(
                    epoch: 2, task: "cls", split: "test", name: "loss", value: nil, flag: "nan"),
            ], sal: [SALRow(layerIndex: 4, measurement: measurement)],
            poison: PoisonReport(numbers: ["epsilon": 0.03], words: ["variant": "sign"]),
            artifacts: [
                ArtifactReference(
                    name: "checkpoint", digest: Digest(of: Array("file".utf8)), bytes: 1 << 40)
            ],
            landscape: [
                LandscapePoint(entry: 3, x: -0.5, y: 0, loss: 1.25, accuracy: 0.5),
                LandscapePoint(entry: 4, x: 1, y: 2, loss: nil, accuracy: nil, flag: "diverged"),
            ],
            plane: PlaneReport(
                plane: .trajectory, epoch: 4, loss: 1, accuracy: nil, lengthX: 1, lengthY: 2,
                explainedX: 0.5, explainedY: 0.25,
                steps: [.init(epoch: 2, x: 1, y: -1, distance: 0.5)]), seconds: 1.5)
    }

    private static var workerMessages: [WorkerMessage] {
        [
            .hello(Hello(facts: facts, held: [lease], unacknowledged: [])),
            .hello(Hello(facts: facts, held: [], unacknowledged: [], secondsLeft: 90.5)),
            .heartbeat([LeaseProgress(lease: lease, share: 0.5)]), .result(lease, outcome),
            .failure(
                AttemptFailure(lease: lease, reason: .slotDeath, error: "é", logTail: "tail")),
            .failure(
                AttemptFailure(lease: lease, reason: .dataLacking, error: "mnist", logTail: "")),
            .handBack([lease]), .goodbye,
        ]
    }

    private static var coordinatorMessages: [CoordinatorMessage] {
        let input = InputArtifact(
            job: lease.job,
            artifact: ArtifactReference(name: "poison", digest: lease.job.digest, bytes: 3))
        return [
            .welcome(Welcome(term: 3, leaseMilliseconds: 15_000, heartbeatMilliseconds: 2_000)),
            .refused(reason: "no"), .registerAgain,
            .assign(Assignment(lease: lease, spec: Array("{}".utf8), inputs: [input])),
            .acknowledge([lease]), .cancel([lease]), .drain, .alive(term: 3),
        ]
    }

    @Test("what a worker says comes back as it was said")
    func workerRoundTrip() throws {
        // NaN is not equal to itself, so the texts are compared.
        let frame = WorkerFrame(worker: WorkerID("w"), messages: Self.workerMessages)
        let back = try MessageCodec.decodeWorkerFrame(MessageCodec.encode(frame))
        #expect(String(describing: back) == String(describing: frame))
    }

    @Test("what the coordinator says comes back as it was said")
    func coordinatorRoundTrip() throws {
        let bytes = MessageCodec.encode(Self.coordinatorMessages)
        #expect(try MessageCodec.decodeCoordinatorMessages(bytes) == Self.coordinatorMessages)
    }

    @Test("many results and assignments come back as they were, and take little room")
    func batches() throws {
        let leases = (0..<5_000).map { number in
            Lease(
                job: JobKey(Digest(of: Array("job \(number)".utf8))), attempt: 1 + number % 3,
                term: 7, entries: 0..<1 + number % 2)
        }
        let results = leases.enumerated().map { number, lease -> WorkerMessage in
            var outcome = JobOutcome(seconds: Double(number))
            let rows = number % 4 == 3 ? 0 : 1
            for row in 0..<rows {
                outcome.metrics.append(
                    MetricRow(
                        epoch: row + 1, task: "probe", split: "test", name: "number",
                        value: number % 5 == 0 ? nil : Double(number),
                        flag: number % 5 == 0 ? "none" : nil))
            }
            if number % 1_000 == 1 { outcome.poison = PoisonReport(numbers: ["n": 1]) }
            return .result(lease, outcome)
        }
        let messages = [.goodbye] + results + [.handBack(leases)]
        let bytes = MessageCodec.encode(WorkerFrame(worker: WorkerID("w"), messages: messages))
        #expect(try MessageCodec.decodeWorkerFrame(bytes).messages == messages)
        #expect(bytes.count < 5_000 * (2 * 40 + 30))
        let file = InputArtifact(
            job: Self.lease.job,
            artifact: ArtifactReference(name: "poison", digest: Self.lease.job.digest, bytes: 3))
        let work = leases.enumerated().map { number, lease in
            CoordinatorMessage.assign(
                Assignment(
                    lease: lease, spec: [UInt8](repeating: UInt8(number / 2_000), count: 400),
                    inputs: number % 2 == 0 ? [file] : []))
        }
        let frame = MessageCodec.encode(work)
        #expect(try MessageCodec.decodeCoordinatorMessages(frame) == work)
        // A specification that many have is there once.
        #expect(frame.count < 5_000 * 45)
    }

    @Test("a job's specification comes back, probes in a few bytes")
    func specifications() throws {
        let probe = JobSpec(.probe(ProbeSpec(number: 99_999, conduct: .hang)), revision: 3)
        #expect(JobSpecCodec.encode(probe).count < 16)
        #expect(try JobSpecCodec.decode(JobSpecCodec.encode(probe)) == probe)
        let poison = PoisonSpec(
            data: DataSpec(
                settings: DataSettings(set: "s", train: 1, test: 1),
                digest: Self.lease.job.digest, sweepSeed: 1, dataSeed: 2),
            method: MethodSettings(name: "lsp"), seed: 3)
        let spec = JobSpec(.poison(poison), revision: 2)
        #expect(try JobSpecCodec.decode(JobSpecCodec.encode(spec)) == spec)
        #expect(throws: MessageError.self) { try JobSpecCodec.decode([]) }
        #expect(throws: MessageError.self) { try JobSpecCodec.decode([1, 2, 3]) }
    }

    @Test("any bytes are decoded or refused")
    func fuzz() {
        var random = RandomStream(seed: 1)
        let frame = WorkerFrame(worker: WorkerID("w"), messages: Self.workerMessages)
        let seeds = [MessageCodec.encode(frame), MessageCodec.encode(Self.coordinatorMessages)]
        var refused = 0
        for round in 0..<20_000 {
            var bytes = seeds[round % 2]
            if round % 5 == 0 {
                bytes = (0..<random.integer(below: 200)).map { _ in
                    UInt8(truncatingIfNeeded: random.nextBits())
                }
            }
            for _ in 0..<random.integer(below: 6) where !bytes.isEmpty {
                let place = random.integer(below: bytes.count)
                switch random.integer(below: 3) {
                case 0: bytes[place] = UInt8(truncatingIfNeeded: random.nextBits())
                case 1: bytes.removeSubrange(place...)
                default: bytes.insert(contentsOf: bytes[place...], at: place)
                }
            }
            do {
                _ = try MessageCodec.decodeWorkerFrame(bytes)
            } catch {
                refused += 1
            }
            do {
                _ = try MessageCodec.decodeCoordinatorMessages(bytes)
            } catch {
                refused += 1
            }
        }
        #expect(refused > 10_000)
    }

    @Test(
        "a worker that says that it stays for no possible time is refused",
        arguments: [-1, 2e8, .nan, .infinity])
    func impossibleStay(seconds: Double) {
        let hello = Hello(facts: Self.facts, held: [], unacknowledged: [], secondsLeft: seconds)
        let bytes = MessageCodec.encode(
            WorkerFrame(worker: WorkerID("w"), messages: [.hello(hello)]))
        #expect(throws: MessageError.self) { try MessageCodec.decodeWorkerFrame(bytes) }
    }

    @Test("a newer version is refused by its number")
    func versions() {
        #expect(throws: MessageError.version(found: 9)) {
            try MessageCodec.decodeWorkerFrame([8, 9, 18, 1, 119])
        }
    }
}
