/// How alike the SAL vectors of two tasks are, over all pairs of seeds.
///
/// SAL is never negative, which makes any two vectors look alike by their cosine; the centred
/// correlations, the ceiling (one task beside itself under other seeds) and the null (layers
/// shuffled) say what a cosine is worth.
public struct TaskAgreement: Hashable, Sendable {
    /// A number over the pairs, with its bootstrap interval over seeds.
    public struct Measure: Hashable, Sendable {
        public let mean: Double
        public let interval: Interval?
    }

    /// How many pairs of seeds went in.
    public let pairCount: Int
    public let layerCount: Int
    /// `nil` where a vector has no length.
    public let cosine: Measure?
    /// `nil` where a vector is constant.
    public let pearson: Measure?
    public let spearman: Measure?
    /// Nineteen in twenty of the mean correlations under shuffled layers lie below.
    public let pearsonOfChance: Double?

    private static let shuffles = 200

    /// Compares every seed's vector of one task with every seed's of another.
    ///
    /// - Parameters:
    ///   - first: A vector a seed, layers in the same order throughout.
    ///   - second: The other task's; `nil`: the same task's, each seed beside the others.
    ///   - random: For the bootstrap and the shuffles.
    public init(_ first: [[Double]], _ second: [[Double]]?, random: RandomStream) {
        let other = second ?? first
        let isSelf = second == nil
        let pairs = first.indices.flatMap { left in
            other.indices.filter { !isSelf || $0 > left }.map { (left, $0) }
        }
        pairCount = pairs.count
        layerCount = first.first?.count ?? 0
        func measure(_ name: String, _ compare: ([Double], [Double]) -> Double?) -> Measure? {
            let values = pairs.map { compare(first[$0.0], other[$0.1]) }
            let known = values.compactMap { $0 }
            guard !known.isEmpty, known.count == values.count else { return nil }
            return Measure(
                mean: Statistics.mean(known),
                interval: TaskAgreement.interval(
                    pairs, known, seeds: (first.count, isSelf ? nil : other.count),
                    random: random.derived(name)))
        }
        cosine = measure("cosine", TaskAgreement.cosine)
        pearson = measure("pearson", RankCorrelation.pearson)
        spearman = measure("spearman", RankCorrelation.spearman)
        pearsonOfChance = TaskAgreement.null(
            pairs, first, other, random: random.derived("shuffles"))
    }

    /// `nil` where either is shorter than 10⁻¹².
    public static func cosine(_ left: [Double], _ right: [Double]) -> Double? {
        precondition(left.count == right.count, "\(left.count) numbers beside \(right.count)")
        func length(_ values: [Double]) -> Double {
            values.reduce(0) { $0 + $1 * $1 }.squareRoot()
        }
        let lengths = (length(left), length(right))
        guard lengths.0 >= 1e-12, lengths.1 >= 1e-12 else { return nil }
        let product = zip(left, right).reduce(0) { $0 + $1.0 * $1.1 }
        return product / (lengths.0 * lengths.1)
    }

    /// Seeds are drawn anew, on both sides, and every pair with them: pairs are not independent.
    private static func interval(
        _ pairs: [(Int, Int)], _ values: [Double], seeds: (first: Int, second: Int?),
        random: RandomStream
    ) -> Interval? {
        var random = random
        var means: [Double] = []
        for _ in 0..<Bootstrap.resamples {
            let first = draws(seeds.first, &random)
            let second = seeds.second.map { draws($0, &random) } ?? first
            var sum = 0.0
            var weight = 0.0
            for (pair, value) in zip(pairs, values) {
                let count = Double(first[pair.0] * second[pair.1])
                sum += count * value
                weight += count
            }
            if weight > 0 { means.append(sum / weight) }
        }
        guard seeds.first > 1 || (seeds.second ?? 1) > 1, means.count > Bootstrap.resamples / 2
        else { return nil }
        means.sort()
        return Interval(
            low: Statistics.quantile(0.025, ofSorted: means),
            high: Statistics.quantile(0.975, ofSorted: means))
    }

    /// How often each of `count` seeds is drawn.
    private static func draws(_ count: Int, _ random: inout RandomStream) -> [Int] {
        var times = [Int](repeating: 0, count: count)
        for _ in 0..<count { times[random.integer(below: count)] += 1 }
        return times
    }

    private static func null(
        _ pairs: [(Int, Int)], _ first: [[Double]], _ second: [[Double]], random: RandomStream
    ) -> Double? {
        guard let count = first.first?.count, count > 1, !pairs.isEmpty else { return nil }
        var random = random
        var means: [Double] = []
        for _ in 0..<shuffles {
            // The same shuffle for all pairs: it is layers that change places, not noise.
            let order = random.permutation(count)
            let values = pairs.compactMap { left, right in
                RankCorrelation.pearson(first[left], order.map { second[right][$0] })
            }
            if !values.isEmpty { means.append(Statistics.mean(values)) }
        }
        guard !means.isEmpty else { return nil }
        means.sort()
        return Statistics.quantile(0.95, ofSorted: means)
    }
}
