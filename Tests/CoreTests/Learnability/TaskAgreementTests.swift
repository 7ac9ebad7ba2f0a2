import FathomCore
import Testing

@Suite("agreement between tasks")
struct TaskAgreementTests {
    private let random = RandomStream(seed: 8)

    @Test("equal vectors agree entirely, reversed ones not at all")
    func extremes() throws {
        let rising = [[1.0, 2, 3, 4, 5], [2, 4, 6, 8, 10]]
        let same = TaskAgreement(rising, rising, random: random)
        #expect(same.pairCount == 4 && same.layerCount == 5)
        #expect(try #require(same.cosine).mean > 1 - 1e-12)
        #expect(try #require(same.spearman).mean == 1)
        let against = TaskAgreement(rising, rising.map { $0.reversed() }, random: random)
        #expect(abs(try #require(against.pearson).mean + 1) < 1e-12)
        // SAL is never negative, so that even opposite vectors have a large cosine.
        #expect(abs(try #require(against.cosine).mean - 35.0 / 55) < 1e-12)
        let interval = try #require(against.pearson?.interval)
        #expect(interval.low <= -0.999 && interval.high <= -0.999)
    }

    @Test("a task beside itself leaves each seed's own pair out")
    func ceiling() {
        var stream = random
        let vectors = (0..<4).map { _ in (0..<20).map { _ in Double(stream.uniform()) } }
        let own = TaskAgreement(vectors, nil, random: random)
        #expect(own.pairCount == 6)
        let pearson = vectors.indices.flatMap { left in
            vectors.indices.filter { $0 > left }.compactMap {
                RankCorrelation.pearson(vectors[left], vectors[$0])
            }
        }
        #expect(own.pearson?.mean == Statistics.mean(pearson))
        #expect(TaskAgreement([vectors[0]], nil, random: random).pearson == nil)
    }

    @Test("shuffled layers tell chance: noise lies below, agreement above")
    func nullLevel() throws {
        var stream = random
        let base = (0..<20).map { _ in Double(stream.uniform()) }
        func noisy() -> [Double] { base.map { $0 + 0.2 * Double(stream.uniform()) } }
        let alike = TaskAgreement([noisy(), noisy()], [noisy(), noisy()], random: random)
        let level = try #require(alike.pearsonOfChance)
        #expect(try #require(alike.pearson).mean > 0.8 && level < 0.6 && level > 0)
    }

    @Test("vectors without length or spread have no agreement")
    func undefined() {
        let zero = TaskAgreement([[0, 0, 0]], [[1, 2, 3]], random: random)
        #expect(zero.cosine == nil && zero.pearson == nil && zero.pairCount == 1)
        let constant = TaskAgreement([[1, 1, 1]], [[1, 2, 3]], random: random)
        #expect(constant.cosine != nil && constant.spearman == nil)
    }
}
