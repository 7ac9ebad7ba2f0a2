import FathomCoordinator
import FathomCore
import FathomProtocol
import Testing

/// Jobs that ask for a runner, and the workers that have one or not.
@Suite("Placement by runner")
struct RunnerPlacementTests {
    private static let torch = RunnerReference(name: "torch", revision: 2, device: "cuda")
    private static let offer = RunnerOffer(name: "torch", revision: 2, device: "cuda")

    private func job(_ name: String, kind: JobSpec.Kind = .train) -> SchedulerJob {
        var job = SchedulerJob.job(name, kind: kind)
        job.runner = Self.torch
        return job
    }

    private func events(_ bench: SchedulerBench) -> [String] {
        bench.allChanges.compactMap { change in
            guard case .event(let kind, let subject, let detail) = change,
                kind.hasPrefix("runner")
            else { return nil }
            return "\(kind) \(subject) \(detail)"
        }
    }

    @Test("a job goes to a worker that has its runner, and nowhere else")
    func fitting() throws {
        var bench = SchedulerBench(jobs: [job("a"), .job("b"), job("c")])
        bench.register("cpu", slots: 4)
        #expect(bench.takeAssigned("cpu").map(\.job) == [.named("b")])
        bench.register("gpu", slots: 4, runners: [Self.offer])
        #expect(Set(bench.takeAssigned("gpu").map(\.job)) == [.named("a"), .named("c")])
        #expect(
            events(bench) == [
                "runnerLacking cpu train torch revision 2 on cuda: it has no runner torch",
                "runnerFits gpu train torch revision 2 on cuda: it has it",
            ])
    }

    @Test("a worker finds its job behind any number that it cannot do")
    func behindMany() throws {
        // The others are more urgent: something waits for each of them.
        let many = (0..<1_000).flatMap { number in
            [job("t\(number)"), .job("after \(number)", after: ["t\(number)"])]
        }
        var bench = SchedulerBench(jobs: many + [.job("mine")], checks: false)
        bench.register("cpu", slots: 1)
        #expect(bench.takeAssigned("cpu").map(\.job) == [.named("mine")])
    }

    @Test(
        "another version, another device or another kind is not what was asked for",
        arguments: [
            RunnerOffer(name: "torch", revision: 1, device: "cuda"),
            RunnerOffer(name: "torch", revision: 2, device: "cpu"),
            RunnerOffer(name: "torch", revision: 2, device: "cuda", kinds: [.sal]),
            RunnerOffer(name: "jax", revision: 2, device: "cuda"),
        ])
    func misfits(offer: RunnerOffer) throws {
        var bench = SchedulerBench(jobs: [job("a")])
        bench.register("w", slots: 1, runners: [offer])
        #expect(bench.takeAssigned("w").isEmpty)
        #expect(events(bench).first?.hasPrefix("runnerLacking w train torch") ?? false)
    }

    @Test("tags that the manifest asks for are asked of workers")
    func tags() throws {
        var bench = SchedulerBench(
            jobs: [job("a")], runnerNeeds: [Self.torch: ["gpu", "memory>=16"]])
        bench.register("small", slots: 1, runners: [Self.offer], tags: ["gpu", "memory=8"])
        #expect(bench.takeAssigned("small").isEmpty)
        bench.register("large", slots: 1, runners: [Self.offer], tags: ["gpu", "memory=80"])
        #expect(bench.takeAssigned("large").map(\.job) == [.named("a")])
        #expect(events(bench).first?.hasSuffix("it lacks the tag memory>=16") ?? false)
    }

    @Test("a worker for runners only takes nothing else, and may be of another numeric class")
    func runnersOnly() throws {
        var bench = SchedulerBench(jobs: [job("a"), .job("b")])
        bench.register(
            "gpu", slots: 4, numericClass: "other", runners: [Self.offer], tags: ["runners-only"])
        #expect(bench.takeAssigned("gpu").map(\.job) == [.named("a")])
        bench.register("cpu", slots: 4, numericClass: "n")
        #expect(bench.takeAssigned("cpu").map(\.job) == [.named("b")])
        bench.register("odd", slots: 4, numericClass: "other", runners: [Self.offer])
        #expect(bench.refusals.count == 1)
    }

    @Test("an audit goes to another worker that has the runner, not to one that has it not")
    func audits() throws {
        var bench = SchedulerBench(jobs: [job("a")], auditShare: 1)
        bench.register("gpu", slots: 1, runners: [Self.offer])
        bench.register("cpu", slots: 1)
        bench.register("gpu2", slots: 1, runners: [Self.offer])
        bench.finish(.named("a"), on: "gpu", lease: bench.takeAssigned("gpu").first)
        #expect(bench.takeAssigned("cpu").isEmpty && bench.takeAssigned("gpu").isEmpty)
        #expect(bench.takeAssigned("gpu2").map(\.job) == [.named("a")])
    }

    @Test("the only worker that has the runner audits its own work, whoever else is there")
    func onlyOne() throws {
        var bench = SchedulerBench(jobs: [job("a")], auditShare: 1)
        bench.register("cpu", slots: 1)
        bench.register("gpu", slots: 1, runners: [Self.offer])
        bench.finish(.named("a"), on: "gpu", lease: bench.takeAssigned("gpu").first)
        #expect(bench.takeAssigned("cpu").isEmpty)
        #expect(bench.takeAssigned("gpu").map(\.job) == [.named("a")])
    }

    @Test(
        "tags are words or least numbers",
        arguments: [
            ("gpu", true), ("memory>=16", true), ("memory>=", false), ("a b", false),
            (">=3", false), ("memory>=many", false),
        ])
    func needs(text: String, isNeed: Bool) {
        #expect(WorkerTags.isNeed(text) == isNeed)
    }
}
