import FathomCore
import FathomCoordinator
import FathomProtocol
import FathomWorker
import Testing

@Suite("A simulated cluster")
struct SimulationTests {
    @Test(
        "finishes, gives up and blocks what it should, once, whatever is lost, late or killed",
        arguments: Seeds.cases)
    func promisesHold(seeds: Range<Int>) {
        for seed in seeds {
            let problems = Script(seed: seed).problems(seed: seed)
            #expect(problems == [], "\(Seeds.replay(seed))")
        }
    }

    @Test("comes to the same rows whatever happens")
    func rowsDoNotDependOnTheCourse() {
        let rows = (0..<5).map { seed in
            var script = Script(workers: 1 + seed, healAfter: Double(60 * seed))
            script.runs = 2
            var cluster = Cluster(script, seed: UInt64(seed))
            cluster.run(untilCompleteWithin: 3_600)
            return cluster.store.accepted
        }
        #expect(rows.allSatisfy { $0 == rows[0] })
    }
}

/// A simulation that finds nothing proves nothing, unless it finds what is planted.
@Suite("A simulated cluster finds")
struct PlantedFaultTests {
    private static let seedsMax = 1_000

    @Test("a fault planted in the scheduler", arguments: SchedulerSabotage.allCases)
    func inTheScheduler(fault: SchedulerSabotage) {
        let seed = Self.firstSeed { $0.scheduler = fault }
        #expect(seed != nil, "\(fault) stays unseen in \(Self.seedsMax) seeds")
    }

    @Test("a fault planted in the session", arguments: SessionSabotage.allCases)
    func inTheSession(fault: SessionSabotage) {
        let seed = Self.firstSeed { $0.session = fault }
        #expect(seed != nil, "\(fault) stays unseen in \(Self.seedsMax) seeds")
    }

    private static func firstSeed(_ plant: (inout Script) -> Void) -> Int? {
        (0..<seedsMax).first { seed in
            var script = Script(seed: seed)
            plant(&script)
            return !script.problems(seed: seed).isEmpty
        }
    }
}
