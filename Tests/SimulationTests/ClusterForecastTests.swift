import FathomCoordinator
import FathomProtocol
import Testing

@Suite("A forecast for a cluster")
struct ClusterForecastTests {
    private func independent(_ count: Int, seconds: Double) -> [ForecastJob] {
        (0..<count).map {
            ForecastJob(
                Samples.job("job \($0)", .train, []), secondsPerEntry: seconds, artifactBytes: 0)
        }
    }

    private func chain(_ count: Int, seconds: Double) -> [ForecastJob] {
        (0..<count).map { index in
            let before = index == 0 ? [] : [Samples.key("link \(index - 1)")]
            return ForecastJob(
                Samples.job("link \(index)", .train, before), secondsPerEntry: seconds,
                artifactBytes: 1_000)
        }
    }

    private func figures(
        _ jobs: [ForecastJob], nodes: Int, cores: Int
    ) -> ClusterForecast.Figures {
        var forecast = ClusterForecast(jobs, on: ForecastCluster(nodes: nodes, cores: cores))
        return forecast.run()
    }

    @Test(
        "takes as long as the work does on so many cores, and hardly longer",
        arguments: [(1, 1), (1, 4), (4, 2), (10, 10)])
    func independentJobs(nodes: Int, cores: Int) {
        let found = figures(independent(400, seconds: 60), nodes: nodes, cores: cores)
        let ideal = Double((400 + nodes * cores - 1) / (nodes * cores)) * 60
        #expect(found.isComplete)
        #expect(found.makespanSeconds >= ideal)
        // Stragglers at the end, and the way there and back.
        #expect(found.makespanSeconds <= ideal * 1.02 + 62)
        #expect(found.workSeconds == 24_000)
        #expect(found.utilisation <= 1)
    }

    @Test("of a chain is as long as the chain, however many nodes there are")
    func chainOfJobs() {
        let found = figures(chain(50, seconds: 10), nodes: 20, cores: 8)
        #expect(found.chainSeconds == 500)
        #expect((500...510).contains(found.makespanSeconds))
        #expect(found.utilisation < 0.01)
    }

    @Test("moves what a job makes once to the coordinator, and once to each node that reads it")
    func moves() {
        let maker = ForecastJob(
            Samples.job("maker", .poison, []), secondsPerEntry: 1, artifactBytes: 1_000)
        let readers = (0..<40).map {
            ForecastJob(
                Samples.job("reader \($0)", .train, [Samples.key("maker")]), secondsPerEntry: 30,
                artifactBytes: 0)
        }
        let found = figures([maker] + readers, nodes: 4, cores: 2)
        // The node that made it has it.
        #expect(found.bytesMoved == 4 * 1_000)
    }

    @Test("is the same twice")
    func repeats() {
        let jobs = Samples.sweep(runs: 20).map {
            ForecastJob($0, secondsPerEntry: $0.kind == .sal ? 3 : 20, artifactBytes: 10)
        }
        var first = figures(jobs, nodes: 5, cores: 3)
        var second = figures(jobs, nodes: 5, cores: 3)
        first.stepSecondsMax = 0
        second.stepSecondsMax = 0
        #expect(first == second)
        #expect(first.isComplete)
    }

    @Test("shows a coordinator that has no time left")
    func saturates() {
        var forecast = ClusterForecast(
            independent(5_000, seconds: 0.1),
            on: ForecastCluster(nodes: 100, cores: 10, secondsPerMessage: 2e-3))
        let found = forecast.run()
        #expect(found.isComplete)
        #expect(found.coordinatorLoad > 0.9)
        #expect(found.utilisation < 0.2)
    }
}
