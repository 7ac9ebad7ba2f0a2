import FathomCore
import Testing

@Suite("Learnable threshold and distance")
struct ThresholdTests {
    /// Tries every assignment of the values to two clusters.
    private func bestByEnumeration(_ values: [Double]) -> Double {
        func cost(_ part: [Double]) -> Double {
            let mean = part.reduce(0, +) / Double(part.count)
            return part.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
        }
        var best = Double.infinity
        for mask in 1..<(1 << values.count) - 1 {
            let parts = [0, 1].map { side in
                values.indices.filter { mask >> $0 & 1 == side }.map { values[$0] }
            }
            best = min(best, cost(parts[0]) + cost(parts[1]))
        }
        return best
    }

    @Test("no assignment to two clusters is better than the cut", arguments: UInt64(0)..<60)
    func cutIsBest(seed: UInt64) {
        var random = RandomStream(seed: seed)
        let values = (0..<8).map { _ in random.uniformDouble() * random.uniformDouble() * 3 }
        let split = TwoMeans(splitting: values)
        let ours = values.sorted().enumerated().reduce(0.0) { sum, item in
            let centre = item.offset < split.lowCount ? split.low : split.high
            return sum + (item.element - centre) * (item.element - centre)
        }
        #expect(abs(ours - bestByEnumeration(values)) < 1e-12, "seed \(seed)")
    }

    @Test("among equally good cuts the lowest wins, whatever rounding says")
    func lowestCutOnTies() {
        for scale in [1, 0.1, 0.7, 1e-3] {
            let split = TwoMeans(splitting: [2 * scale, 0, scale])
            #expect(split.lowCount == 1)
            #expect(abs(split.midpoint - 0.75 * scale) < 1e-12)
        }
    }

    @Test("equal values are degenerate: the threshold is the value, and nothing lies above it")
    func degenerate() throws {
        let flat = SALMatrix(epochs: [1, 2], layerCount: 3, values: [0, 0, 0, 0, 0, 0])
        let threshold = try #require(
            LearnableThreshold.threshold(.released, seedIndex: 0, clean: [flat]))
        #expect(threshold.isDegenerate && threshold.beta == 0)
        let count = LearnableCount.count(
            .layers, of: flat, above: threshold.beta, weightCounts: [])
        #expect(count == 0)
        #expect(UnlearnableDistance.Pair(learnable: 1, baseline: count).ratio == nil)
    }

    @Test("each rule reads the runs it says it reads")
    func rules() throws {
        // Midpoints by epoch: seed 0 has 1 and 3, seed 1 has 2 and 2, seed 2 has 5 and 6.
        let clean: [SALMatrix?] = [[1, 3], [2, 2], [5, 6.0]].map { midpoints in
            SALMatrix(
                epochs: [1, 2], layerCount: 2, values: midpoints.flatMap { [$0 - 1, $0 + 1] })
        }
        func beta(_ rule: ThresholdRule, _ seed: Int) -> Double? {
            LearnableThreshold.threshold(rule, seedIndex: seed, clean: clean)?.beta
        }
        #expect(beta(.released, 0) == 2)
        #expect(beta(.crossfit, 0) == 3.75)
        #expect(beta(.crossfit, 2) == 2)
        #expect(beta(.medianEpoch, 2) == 5.5)
        // Seed 0 over all is 0, 2, 2, 4; of the two equally good cuts the lowest counts.
        #expect(abs((beta(.pooled, 0) ?? 0) - (0 + 8.0 / 3) / 2) < 1e-12)
        #expect(
            LearnableThreshold.threshold(.crossfit, seedIndex: 0, clean: Array(clean.prefix(2)))
                == nil)
        #expect(LearnableThreshold.threshold(.crossfit, seedIndex: 0, clean: [nil] + clean) == nil)
    }

    private let uneven = SALMatrix(
        epochs: [2, 4], layerCount: 2, values: [1, 3, 4, 8], originLosses: [1, 1, 2, 2])

    private func count(_ rule: ThresholdRule, _ matrix: SALMatrix? = nil) -> Double? {
        LearnableThreshold.threshold(rule, seedIndex: 0, clean: [uneven]).flatMap {
            LearnableCount.count(.layers, of: matrix ?? uneven, above: $0, weightCounts: [])
        }
    }

    @Test("levels of the whole run, each epoch's own, and SAL relative to its loss")
    func otherRules() throws {
        func beta(_ rule: ThresholdRule) throws -> Double {
            try #require(LearnableThreshold.threshold(rule, seedIndex: 0, clean: [uneven])).beta
        }
        #expect(try beta(.cleanMean) == 4 && count(.cleanMean) == 0.5)
        #expect(try beta(.percentile) == 5 && count(.percentile) == 0.5)
        #expect(try beta(.perEpoch) == 4 && count(.perEpoch) == 1)
        // Shares are 1, 3 and 2, 4: midpoints 2 and 3.
        #expect(try beta(.relative) == 2.5 && count(.relative) == 1)
        let third = try #require(
            LearnableThreshold.threshold(
                .percentile, seedIndex: 0, clean: [uneven], percentileShare: 1.0 / 3))
        #expect(abs(third.beta - 3) < 1e-12)
    }

    @Test("a threshold that does not fit a run counts nothing rather than something")
    func unfitting() {
        let other = SALMatrix(epochs: [2, 6], layerCount: 2, values: [1, 3, 4, 8])
        #expect(count(.perEpoch, other) == nil && count(.released, other) == 0.5)
        #expect(count(.relative, other) == nil)
        let zero = SALMatrix(
            epochs: [2], layerCount: 2, values: [1, 3], originLosses: [0, 1])
        #expect(zero.relativeToOrigin == nil && zero.epochLosses == [0.5])
        #expect(LearnableThreshold.threshold(.relative, seedIndex: 0, clean: [zero]) == nil)
    }

    @Test("checkpoints are matched by their losses, the nearest first and each once")
    func matchedLoss() throws {
        func points(_ items: [(Double, Double)]) -> [MatchedLoss.Checkpoint] {
            items.map { .init(learnable: $0.0, lossNats: $0.1) }
        }
        let clean = points([(9, 2), (6, 1), (3, 0.5)])
        let poisoned = points([(4, 1.1), (2, 1), (1, 0.1)])
        let pairs = MatchedLoss.pairs(poisoned, clean)
        #expect(pairs.map(\.run) == [1] && pairs.map(\.baseline) == [1])
        let learnable = try #require(MatchedLoss.learnable(poisoned, clean))
        #expect(learnable.pair.ratio == 2.0 / 6 && learnable.count == 1)
        #expect(MatchedLoss.learnable(points([(1, 9)]), clean) == nil)
        #expect(MatchedLoss.learnable(clean, clean)?.pair.ratio == 1)
        #expect(MatchedLoss.pairs(points([(1, 0)]), points([(1, 0)])).isEmpty)
    }

    @Test("a value equal to the threshold is not learnable, and each run has its own epochs")
    func strictly() {
        let matrix = SALMatrix(epochs: [2, 4], layerCount: 2, values: [1, 2, 1, 1])
        let layers = LearnableCount.count(.layers, of: matrix, above: 1, weightCounts: [])
        let weights = LearnableCount.count(.parameters, of: matrix, above: 1, weightCounts: [5, 7])
        #expect(layers == 0.5)
        #expect(weights == 3.5)
    }

    @Test("over seeds the ratio of sums leads, its interval is repeatable and holds it")
    func overSeeds() throws {
        let pairs = [(1, 2), (3, 2), (2, 4)].map {
            UnlearnableDistance.Pair(learnable: Double($0.0), baseline: Double($0.1))
        }
        let summary = UnlearnableDistance.overSeeds(pairs, random: RandomStream(seed: 1))
        #expect(summary.ratioOfSums == 0.75)
        #expect(summary.meanOfRatios == (0.5 + 1.5 + 0.5) / 3)
        let interval = try #require(summary.interval)
        #expect(interval.low >= 0.5 && interval.low < 0.75)
        #expect(interval.high > 0.75 && interval.high <= 1.5)
        #expect(summary == UnlearnableDistance.overSeeds(pairs, random: RandomStream(seed: 1)))
        let single = UnlearnableDistance.overSeeds(
            Array(pairs.prefix(1)), random: RandomStream(seed: 1))
        #expect(single.interval == nil)
    }
}
