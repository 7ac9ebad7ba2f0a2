import FathomCore
import FathomCoordinator
import FathomProtocol
import Testing

@Suite("A simulated cluster")
struct SimulationTests {
    @Test("finishes every job once, whatever is lost, late, doubled or killed", arguments: 0..<300)
    func everyEntryIsAcceptedOnce(seed: Int) {
        let jobs = Samples.sweep(runs: 3)
        var cluster = Cluster(
            workers: 4, jobs: jobs, failing: [], healAfter: 240, seed: UInt64(seed))
        cluster.run(untilCompleteWithin: 3_600)
        #expect(cluster.problems.isEmpty, "replay with seed \(seed)")
        #expect(cluster.isComplete, "replay with seed \(seed)")
        #expect(
            cluster.store.jobs.allSatisfy { $0.state == .finished }, "replay with seed \(seed)")
    }

    @Test("gives up what always fails, blocks what needs it, finishes the rest", arguments: 0..<60)
    func failuresStayWhereTheyAre(seed: Int) {
        let jobs = Samples.sweep(runs: 3)
        let failing = Samples.key("train 1 1")
        var cluster = Cluster(
            workers: 3, jobs: jobs, failing: [failing], healAfter: 120, seed: UInt64(seed))
        cluster.run(untilCompleteWithin: 3_600)
        #expect(cluster.problems.isEmpty, "replay with seed \(seed)")
        let blocked = Set(["sal 1 1", "train 1 2", "sal 1 2"].map(Samples.key))
        for job in cluster.store.jobs {
            let expected: StoredJob.State =
                job.key == failing ? .quarantined : blocked.contains(job.key) ? .blocked : .finished
            #expect(job.state == expected, "replay with seed \(seed)")
        }
    }

    @Test("comes to the same rows whatever happens")
    func rowsDoNotDependOnTheCourse() {
        let rows = (0..<5).map { seed in
            var cluster = Cluster(
                workers: 1 + seed, jobs: Samples.sweep(runs: 2), failing: [],
                healAfter: Double(60 * seed), seed: UInt64(seed))
            cluster.run(untilCompleteWithin: 3_600)
            return cluster.store.accepted
        }
        #expect(rows.allSatisfy { $0 == rows[0] })
    }
}
