import FathomCoordinator
import FathomProtocol
import Testing

/// Workers that lack a data set.
@Suite("A worker without a data set")
struct DataLackingTests {
    private func events(_ bench: SchedulerBench) -> [String] {
        bench.allChanges.compactMap { change in
            if case .event(let kind, let subject, let detail) = change,
                kind.hasPrefix("data")
            {
                "\(kind) \(subject) \(detail)"
            } else {
                nil
            }
        }
    }

    private func ends(_ bench: SchedulerBench) -> [FailureReason] {
        bench.allChanges.compactMap { change in
            if case .attemptFailed(_, _, let reason, _, _) = change { reason } else { nil }
        }
    }

    @Test("gets no job that needs it from then on, and others go on")
    func avoided() throws {
        var bench = SchedulerBench(jobs: [
            .job("a", dataSet: "svhn 1"), .job("b", dataSet: "svhn 1"),
            .job("c", dataSet: "mnist 2"), .job("d"),
        ])
        bench.register("poor", slots: 1)
        let first = try #require(bench.takeAssigned("poor").first)
        #expect(first.job == .named("a"))
        bench.fail(first, on: "poor", reason: .dataLacking)
        #expect(ends(bench) == [.handedBack])
        #expect(
            events(bench) == [
                "dataLacking poor svhn 1: no",
                "dataNowhere svhn 1 no worker has it; its jobs wait for one that does",
            ])
        for name in ["c", "d"] {
            let lease = try #require(bench.takeAssigned("poor").first)
            #expect(lease.job == .named(name))
            bench.finish(.named(name), on: "poor", lease: lease)
        }
        #expect(bench.takeAssigned("poor").isEmpty && !bench.scheduler.isComplete)
        bench.register("rich", slots: 2)
        let leases = bench.takeAssigned("rich")
        #expect(Set(leases.map(\.job)) == [.named("a"), .named("b")])
        for lease in leases { bench.finish(lease.job, on: "rich", lease: lease) }
        #expect(bench.scheduler.isComplete)
    }

    @Test("says so once, is charged nothing, and is never put on probation for it")
    func harmless() throws {
        let jobs = (0..<30).map { SchedulerJob.job("\($0)", dataSet: "svhn 1") }
        var bench = SchedulerBench(jobs: jobs)
        bench.register("rich", slots: 1)
        bench.register("poor", slots: 4)
        for lease in bench.takeAssigned("poor") {
            bench.fail(lease, on: "poor", reason: .dataLacking)
        }
        #expect(events(bench) == ["dataLacking poor svhn 1: no"])
        #expect(bench.takeAssigned("poor").isEmpty)
        #expect(Set(ends(bench)) == [.handedBack])
        // Several at once, as soon as it is known how short they are.
        var leases = bench.takeAssigned("rich")
        while !leases.isEmpty {
            for lease in leases { bench.finish(lease.job, on: "rich", lease: lease) }
            leases = bench.takeAssigned("rich")
        }
        #expect(bench.scheduler.isComplete)
        #expect(
            !bench.allChanges.contains { change in
                if case .event("probation", _, _) = change { true } else { false }
            })
    }

    @Test("is charged like any error for a job that needs none, which ends in quarantine")
    func noDataSet() throws {
        var bench = SchedulerBench(jobs: [.job("a"), .job("b", after: ["a"])])
        bench.register("odd", slots: 1)
        var attempts = 0
        while let lease = bench.takeAssigned("odd").first {
            attempts += 1
            // Without a guard this would go on for ever.
            try #require(attempts <= 3)
            bench.fail(lease, on: "odd", reason: .dataLacking)
        }
        #expect(attempts == 3 && ends(bench) == [.error, .error, .error])
        #expect(events(bench).isEmpty && bench.scheduler.isComplete)
        #expect(
            bench.allChanges.contains { change in
                if case .jobQuarantined = change { true } else { false }
            })
    }

    @Test("that says so again for each hello is asked again, once each")
    func saysHelloAgain() throws {
        var bench = SchedulerBench(jobs: [.job("a", dataSet: "svhn 1")])
        for _ in 0..<4 {
            bench.register("poor", slots: 1)
            let leases = bench.takeAssigned("poor")
            #expect(leases.count <= 1)
            for lease in leases { bench.fail(lease, on: "poor", reason: .dataLacking) }
            #expect(bench.takeAssigned("poor").isEmpty)
        }
        #expect(Set(ends(bench)) == [.handedBack] && !bench.scheduler.isComplete)
    }

    @Test("audits nothing that needs it")
    func audits() throws {
        var bench = SchedulerBench(jobs: [.job("a", dataSet: "svhn 1")], auditShare: 1)
        bench.register("poor", slots: 1)
        let lease = try #require(bench.takeAssigned("poor").first)
        bench.fail(lease, on: "poor", reason: .dataLacking)
        bench.register("rich", slots: 1)
        bench.register("richer", slots: 1)
        bench.finish(.named("a"), on: "rich", lease: bench.takeAssigned("rich").first)
        #expect(bench.takeAssigned("poor").isEmpty && bench.takeAssigned("rich").isEmpty)
        #expect(bench.takeAssigned("richer").map(\.job) == [.named("a")])
    }
}
