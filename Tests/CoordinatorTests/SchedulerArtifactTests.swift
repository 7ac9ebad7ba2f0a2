import FathomCore
import FathomCoordinator
import FathomProtocol
import Testing

@Suite("The scheduler and the files of jobs")
struct SchedulerArtifactTests {
    private func isLostEvent(_ change: StoreChange) -> Bool {
        if case .event("artifactLost", _, _) = change { true } else { false }
    }

    @Test("has a lost file made again, as an event of its own, and those who read it wait")
    func madeAgain() throws {
        var bench = SchedulerBench(jobs: [.job("a"), .job("b", after: ["a"])])
        bench.register("w", slots: 1)
        bench.finish(.named("a"), on: "w")
        let reading = try #require(bench.takeAssigned("w").last)
        #expect(reading.job == .named("b"))
        #expect(bench.scheduler.isNeeded(.named("a")))
        bench.tell(.artifactLost(.named("a")))
        #expect(bench.effects.contains(.send(WorkerID("w"), .cancel([reading]))))
        #expect(bench.allChanges.contains(.jobReopened(.named("a"))))
        #expect(bench.allChanges.contains(where: isLostEvent))
        let again = try #require(bench.takeAssigned("w").last)
        #expect(again.job == .named("a"))
        bench.finish(.named("a"), on: "w", lease: again)
        let last = try #require(bench.takeAssigned("w").last)
        #expect(last.job == .named("b"))
        bench.finish(.named("b"), on: "w", lease: last)
        #expect(bench.scheduler.isComplete)
        // Nobody failed.
        let failures = bench.allChanges.filter {
            if case .attemptFailed = $0 { true } else { false }
        }
        #expect(failures.isEmpty)
    }

    @Test("makes again what a lost file is made of first, where that is gone too")
    func makers() {
        let reads = ["c": ["a", "b"], "b": ["a"], "a": []]
        func again(finished: Set<String>, here: Set<String>) -> [JobKey] {
            let names = Dictionary(uniqueKeysWithValues: reads.keys.map { (JobKey.named($0), $0) })
            return LostArtifacts.makersAgain(
                of: .named("c"),
                dependencies: { (names[$0].flatMap { reads[$0] } ?? []).map(JobKey.named) },
                isFinished: { names[$0].map(finished.contains) ?? false },
                isHere: { names[$0].map(here.contains) ?? false })
        }
        let all: Set<String> = ["a", "b", "c"]
        #expect(again(finished: all, here: []) == ["a", "b", "c"].map(JobKey.named))
        #expect(again(finished: all, here: ["a"]) == ["b", "c"].map(JobKey.named))
        #expect(again(finished: all, here: ["a", "b"]) == [.named("c")])
        // What is open runs anyway.
        #expect(again(finished: ["a", "c"], here: []) == ["a", "c"].map(JobKey.named))
        #expect(again(finished: ["a", "b"], here: []).isEmpty)
    }

    @Test("makes nothing again of a job that is open, or that it does not know")
    func nothingToMake() {
        var bench = SchedulerBench(jobs: [.job("a")])
        bench.tell(.artifactLost(.named("a")))
        bench.tell(.artifactLost(.named("z")))
        #expect(bench.allChanges.isEmpty)
        #expect(!bench.scheduler.isNeeded(.named("a")))
    }

    @Test("charges nobody for an input that a worker could not read")
    func inputLost() throws {
        var bench = SchedulerBench(jobs: [.job("a"), .job("b", after: ["a"])])
        bench.register("w", slots: 1)
        bench.finish(.named("a"), on: "w")
        for _ in 0..<4 {
            let lease = try #require(bench.takeAssigned("w").last)
            let failure = AttemptFailure(
                lease: lease, reason: .inputLost(Digest(of: [1])), error: "gone", logTail: "")
            bench.tell(.message(WorkerID("w"), .failure(failure)))
        }
        let reasons = bench.allChanges.compactMap { change in
            if case .attemptFailed(_, _, let reason, _, _) = change { reason } else { nil }
        }
        #expect(reasons == Array(repeating: .handedBack, count: 4))
    }

    @Test("prefers the worker that has what a job reads, among jobs nearly as urgent")
    func placement() {
        let jobs: [SchedulerJob] = [
            .job("a"), .job("b"), .job("gate"), .job("of a", after: ["a", "gate"]),
            .job("of b", after: ["b", "gate"]),
        ]
        // Whoever is served first must not simply get the first job.
        for isFirst in [true, false] {
            var bench = SchedulerBench(jobs: jobs)
            let (one, other) = isFirst ? ("v", "w") : ("w", "v")
            bench.register("v", slots: 1)
            let a = bench.takeAssigned("v")
            bench.register("w", slots: 1)
            let b = bench.takeAssigned("w")
            #expect(a.map(\.job) == [.named("a")] && b.map(\.job) == [.named("b")])
            for (worker, lease) in [("v", a[0]), ("w", b[0])].sorted(by: { l, _ in l.0 == one }) {
                bench.finish(lease.job, on: worker, lease: lease)
            }
            let gate = bench.takeAssigned(one)
            #expect(gate.map(\.job) == [.named("gate")])
            #expect(bench.takeAssigned(other).isEmpty)
            bench.finish(.named("gate"), on: one, lease: gate[0])
            #expect(bench.takeAssigned("v").map(\.job) == [.named("of a")])
            #expect(bench.takeAssigned("w").map(\.job) == [.named("of b")])
        }
    }
}

@Suite("Which files stay")
struct ArtifactKeepingTests {
    private func file(_ name: String, bytes: Int = 10) -> ArtifactReference {
        ArtifactReference(name: name, digest: Digest(of: Array(name.utf8)), bytes: bytes)
    }

    private func holding(
        _ name: String, _ rank: ArtifactKeeping.Rank, isNeeded: Bool = false
    ) -> ArtifactKeeping.Holding {
        .init(artifacts: [file(name)], isNeeded: isNeeded, rank: rank)
    }

    private var run: [ArtifactKeeping.Holding] {
        [
            holding("poison", .poison), holding("rounds", .crafting),
            holding("first", .checkpoint(epoch: 2)), holding("second", .checkpoint(epoch: 4)),
            holding("third", .checkpoint(epoch: 6), isNeeded: true),
            holding("last", .lastCheckpoint(epoch: 8)),
        ]
    }

    private func gone(_ keep: CheckpointKeeping, bytesMax: Int? = nil) -> Set<Digest> {
        Set(ArtifactKeeping(keep: keep, bytesMax: bytesMax).removable(run))
    }

    private func digests(_ names: String...) -> Set<Digest> { Set(names.map { file($0).digest }) }

    @Test("goes by the manifest's word, and never touches what is needed")
    func words() {
        #expect(gone(.measured).isEmpty)
        #expect(gone(.last) == digests("rounds", "first", "second"))
        #expect(gone(.none) == digests("rounds", "first", "second", "last"))
    }

    @Test("goes by the bound too, the cheapest first")
    func bound() {
        #expect(gone(.measured, bytesMax: 60).isEmpty)
        #expect(gone(.measured, bytesMax: 40) == digests("rounds", "first"))
        #expect(gone(.measured, bytesMax: 20) == digests("rounds", "first", "second", "last"))
        #expect(
            gone(.measured, bytesMax: 0)
                == digests("rounds", "first", "second", "last", "poison"))
    }

    @Test("keeps a file that another job has made too and needs")
    func sharedFiles() {
        let twice = [
            holding("same", .checkpoint(epoch: 1)),
            holding("same", .checkpoint(epoch: 1), isNeeded: true),
        ]
        #expect(ArtifactKeeping(keep: .none, bytesMax: 0).removable(twice).isEmpty)
    }
}
