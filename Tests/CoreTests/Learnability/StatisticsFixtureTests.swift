import FathomCore
import Foundation
import Testing

/// `Tests/Fixtures/statistics/statistics.json`, made by `make_statistics.py` beside it with SciPy
/// and statsmodels. Exact statistics differ by rounding only (relative 1e-11: sums of a dozen
/// numbers whose spread may be a billionth of their size); bootstraps by their own noise.
private struct StatisticsFixture: Decodable {
    struct Sample: Decodable {
        var name: String
        var values: [Double]
        var mean, deviation, low, high, level, upperBound, bound, pBelow: Double
    }
    struct Pair: Decodable {
        var name: String
        var left, right: [Double]
        var pearson, spearman, kendall, difference, low, high, p: Double
    }
    struct Cumulative: Decodable { var t, degreesOfFreedom, p: Double }
    struct Correction: Decodable { var values, adjusted: [Double] }
    struct Bootstrapped: Decodable {
        var name: String
        var numerators, denominators: [Double]
        var low, high, lowTolerance, highTolerance: Double
    }
    var relativeTolerance: Double
    var samples: [Sample]
    var pairs: [Pair]
    var cumulative: [Cumulative]
    var corrections: [Correction]
    var bootstraps: [Bootstrapped]
}

@Suite("Statistics against SciPy")
struct StatisticsFixtureTests {
    private let fixture: StatisticsFixture

    init() throws {
        let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent("Fixtures/statistics/statistics.json")
        fixture = try JSONDecoder().decode(
            StatisticsFixture.self, from: try Data(contentsOf: path))
    }

    private func close(_ ours: Double?, _ theirs: Double, scale: Double = 0) -> Bool {
        guard let ours else { return false }
        return abs(ours - theirs) <= fixture.relativeTolerance * max(abs(theirs), scale)
    }

    @Test("mean, deviation, Student's intervals and one-sided tests agree")
    func samples() throws {
        #expect(fixture.samples.count == 6)
        for sample in fixture.samples {
            let values = sample.values
            // Deviations of numbers near 10⁹ carry the rounding of those.
            let scale = sample.name == "large" ? sample.mean * 1e-5 : 0
            #expect(close(Statistics.mean(values), sample.mean), "\(sample.name)")
            #expect(
                close(Statistics.standardDeviation(values), sample.deviation, scale: scale),
                "\(sample.name)")
            let interval = try #require(Statistics.meanInterval(values))
            #expect(close(interval.low, sample.low, scale: scale), "\(sample.name)")
            #expect(close(interval.high, sample.high, scale: scale), "\(sample.name)")
            #expect(
                close(
                    Statistics.meanUpperBound(values, level: sample.level), sample.upperBound,
                    scale: scale), "\(sample.name)")
            let tail = try #require(Statistics.pValue(ofMean: values, below: sample.bound))
            let tolerance = sample.name == "large" ? 1e-6 : 1e-11
            #expect(abs(tail - sample.pBelow) <= tolerance, "\(sample.name) \(tail)")
        }
    }

    @Test("correlations and paired differences agree, ties included")
    func pairs() throws {
        for pair in fixture.pairs {
            let (left, right) = (pair.left, pair.right)
            #expect(
                close(RankCorrelation.pearson(left, right), pair.pearson, scale: 1), "\(pair.name)")
            #expect(
                close(RankCorrelation.spearman(left, right), pair.spearman, scale: 1),
                "\(pair.name)")
            #expect(
                close(RankCorrelation.kendall(left, right), pair.kendall, scale: 1), "\(pair.name)")
            let difference = try #require(PairedDifference(left, right))
            #expect(close(difference.mean, pair.difference, scale: 1), "\(pair.name)")
            #expect(close(difference.interval.low, pair.low, scale: 1), "\(pair.name)")
            #expect(close(difference.interval.high, pair.high, scale: 1), "\(pair.name)")
            #expect(close(difference.pValue, pair.p, scale: 1), "\(pair.name)")
        }
    }

    @Test("Student's distribution and Holm's correction agree")
    func distributions() {
        for item in fixture.cumulative {
            let ours = StudentT.cumulative(item.t, degreesOfFreedom: item.degreesOfFreedom)
            #expect(close(ours, item.p), "\(item.t) \(item.degreesOfFreedom) \(ours)")
        }
        for item in fixture.corrections {
            for (ours, theirs) in zip(HolmCorrection.adjusted(item.values), item.adjusted) {
                #expect(close(ours, theirs), "\(item.values)")
            }
        }
    }

    @Test("bootstrap intervals of a ratio agree within their noise")
    func bootstraps() throws {
        for item in fixture.bootstraps {
            let draws = BootstrapDraws(
                itemCount: item.numerators.count, random: RandomStream(seed: 5))
            let ours = try #require(draws.intervalOfRatio(item.numerators, item.denominators))
            #expect(abs(ours.low - item.low) <= item.lowTolerance, "\(item.name) \(ours)")
            #expect(abs(ours.high - item.high) <= item.highTolerance, "\(item.name) \(ours)")
        }
    }
}

@Suite("Statistics' edges")
struct StatisticsEdgeTests {
    @Test("draws kept once give the interval that drawing each time gives")
    func drawsAreBootstrap() throws {
        var random = RandomStream(seed: 3)
        for count in 2...9 {
            let above = (0..<count).map { _ in random.uniformDouble() }
            let below = (0..<count).map { _ in random.uniformDouble() }
            let stream = RandomStream(seed: UInt64(count))
            let ours = try #require(
                BootstrapDraws(itemCount: count, random: stream).intervalOfRatio(above, below))
            let plain = try #require(
                Bootstrap.interval(of: Array(zip(above, below)), random: stream) { pairs in
                    pairs.reduce(0) { $0 + $1.0 } / pairs.reduce(0) { $0 + $1.1 }
                })
            #expect(abs(ours.low - plain.low) < 1e-12 && abs(ours.high - plain.high) < 1e-12)
        }
        let single = BootstrapDraws(itemCount: 1, random: RandomStream(seed: 1))
        #expect(single.intervalOfRatio([1], [1]) == nil)
        let empty = BootstrapDraws(itemCount: 3, random: RandomStream(seed: 1))
        #expect(empty.intervalOfRatio([1, 1, 1], [0, 0, 0]) == nil)
    }

    @Test("what does not vary has no p-value, and one seed no difference")
    func constant() throws {
        let same = try #require(PairedDifference([1, 2, 3], [0, 1, 2]))
        #expect(same.mean == 1 && same.pValue == nil && same.interval == Interval(low: 1, high: 1))
        #expect(PairedDifference([1], [2]) == nil)
        #expect(Statistics.pValue(ofMean: [0.1, 0.1], below: 0.2) == nil)
        #expect(RankCorrelation.kendall([1, 1, 1], [1, 2, 3]) == nil)
        #expect(HolmCorrection.adjusted([]).isEmpty)
    }

    @Test("levels by Holm's method reject exactly what adjusted values reject")
    func levels() {
        let values = [0.011, 0.04, 0.03, 0.005]
        let levels = HolmCorrection.levels(values, level: 0.05)
        #expect(levels == [0.05 / 3, 0.05, 0.025, 0.0125])
        #expect(HolmCorrection.adjusted(values).map { $0 <= 0.05 } == [true, false, false, true])
    }

    @Test("a task counts as not unlearnable only where all of Holm's steps before it do")
    func claims() {
        let claims = UnlearnabilityClaims.claims([
            ("depth", [0.02, 0.03, 0.01, 0.02]), ("cls", [0.7, 0.72, 0.69, 0.71]),
            ("sem", [0.05, 0.3, 0.1, 0.2]), ("edge", [0.1, 0.1, 0.1, 0.1]),
        ])
        #expect(claims.map(\.isNotUnlearnable) == [true, false, false, false])
        #expect((claims[0].upperBound ?? 1) < UnlearnabilityClaims.damageBound)
        // Equal seeds cannot be tested, which is no claim; they count among the tests, though.
        #expect(claims[3].pValue == nil && claims[3].upperBound == nil)
    }

    @Test("two clusters are told from one")
    func bimodality() {
        let level = Bimodality.explainedShareOfChance(count: 20)
        #expect(level > 0.75 && level < 0.95)
        let two = SALMatrix(
            epochs: [1, 2], layerCount: 20,
            values: (0..<40).map { Double($0 % 2) + Double($0) / 100 })
        #expect(Bimodality.epochCount(of: two, above: level) == 2)
        let flat = SALMatrix(
            epochs: [1], layerCount: 20, values: (0..<20).map { Double($0) })
        #expect(Bimodality.epochCount(of: flat, above: level) == 0)
    }
}
