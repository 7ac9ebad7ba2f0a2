import FathomCore
import Testing

/// Expected values come from SciPy 1.17.1 (`stats.t.ppf`, `special.betainc`, `stats.spearmanr`,
/// `stats.t.interval`); the tolerance is relative 1e-12, what two good algorithms differ by.
@Suite("Statistics over seeds")
struct StatisticsTests {
    private func close(_ ours: Double?, _ theirs: Double) -> Bool {
        ours.map { abs($0 - theirs) <= 1e-12 * abs(theirs) } ?? false
    }

    @Test(
        "Student's t quantiles agree with SciPy",
        arguments: [
            (0.975, 1.0, 12.706204736174694), (0.975, 2, 4.302652729749462),
            (0.975, 3, 3.1824463052837078), (0.975, 4, 2.7764451051977934),
            (0.975, 5, 2.5705818356363146), (0.975, 9, 2.262157162798205),
            (0.975, 29, 2.045229642132703), (0.975, 100, 1.9839715185235518),
            (0.975, 1000, 1.9623390808264083), (0.9, 1, 3.0776835371752544),
            (0.9, 4, 1.533206274058944), (0.995, 2, 9.924843200918287),
            (0.995, 29, 2.756385903670605), (0.6, 3, 0.2766706623326898),
            (0.6, 1000, 0.25341451583949876),
        ])
    func quantiles(probability: Double, degrees: Double, expected: Double) {
        let ours = StudentT.quantile(probability, degreesOfFreedom: degrees)
        #expect(close(ours, expected), "\(ours)")
        let mirrored = StudentT.quantile(1 - probability, degreesOfFreedom: degrees)
        #expect(abs(mirrored + expected) <= 1e-11 * expected)
    }

    @Test("the incomplete beta function agrees with SciPy")
    func incompleteBeta() {
        #expect(close(IncompleteBeta.regularized(0.3, 2.5, 0.5), 0.018927124071945658))
        #expect(close(IncompleteBeta.regularized(0.9, 0.5, 0.5), 0.7951672353008665))
        #expect(close(IncompleteBeta.regularized(0.75, 10, 3), 0.39067500829696655))
    }

    @Test("mean, deviation and interval agree with SciPy; one number has neither of the latter")
    func meanInterval() {
        let values = [0.61, 0.64, 0.70, 0.58]
        #expect(close(Statistics.mean(values), 0.6325))
        #expect(close(Statistics.standardDeviation(values), 0.051234753829797995))
        #expect(close(Statistics.meanInterval(values)?.low, 0.5509740734861195))
        #expect(close(Statistics.meanInterval(values)?.high, 0.7140259265138804))
        #expect(Statistics.standardDeviation([1]) == nil && Statistics.meanInterval([1]) == nil)
        #expect(Statistics.median([3, 1, 2]) == 2 && Statistics.median([4, 1, 2, 3]) == 2.5)
    }

    @Test("Spearman's rho shares ranks among ties and agrees with SciPy")
    func spearman() {
        let left = [1.0, 2, 2, 3, 5, 8, 8]
        let right = [2.0, 1, 4, 4, 3, 9, 7]
        #expect(RankCorrelation.ranks(left) == [1, 2.5, 2.5, 4, 5, 6.5, 6.5])
        #expect(close(RankCorrelation.spearman(left, right), 0.7798493336311721))
        #expect(RankCorrelation.spearman(left, left.map { -$0 }) == -1)
        #expect(RankCorrelation.spearman([1, 1], [1, 2]) == nil)
    }

    @Test("a bootstrap interval is near the normal one and depends on the stream only")
    func bootstrap() throws {
        var random = RandomStream(seed: 7)
        let values = (0..<200).map { _ in random.normal() }
        let stream = RandomStream(seed: 9)
        let interval = try #require(
            Bootstrap.interval(of: values, random: stream) { Statistics.mean($0) })
        let theirs = try #require(Statistics.meanInterval(values))
        #expect(abs(interval.low - theirs.low) < 0.02 && abs(interval.high - theirs.high) < 0.02)
        #expect(interval == Bootstrap.interval(of: values, random: stream) { Statistics.mean($0) })
    }
}
