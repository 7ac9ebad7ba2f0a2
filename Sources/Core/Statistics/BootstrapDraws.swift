/// The resamples of a bootstrap, drawn once and used for many statistics of the same items.
///
/// Equal resamples are kept once, with how often they came: of five seeds there are 126 at most.
public struct BootstrapDraws: Sendable {
    public let itemCount: Int
    /// How often each item is in a resample, resample after resample.
    private let counts: [Double]
    /// How often each resample was drawn.
    private let times: [Int]

    /// Draws what `Bootstrap.interval` would draw from the same stream.
    public init(itemCount: Int, random: RandomStream) {
        self.itemCount = itemCount
        var random = random
        var places: [[UInt16]: Int] = [:]
        var kinds: [[UInt16]] = []
        var times: [Int] = []
        for _ in 0..<(itemCount > 1 ? Bootstrap.resamples : 0) {
            var draw = [UInt16](repeating: 0, count: itemCount)
            for _ in 0..<itemCount { draw[random.integer(below: itemCount)] += 1 }
            if let place = places[draw] {
                times[place] += 1
            } else {
                places[draw] = kinds.count
                kinds.append(draw)
                times.append(1)
            }
        }
        self.times = times
        counts = kinds.flatMap { $0.map(Double.init) }
    }

    /// The 95 % interval of the ratio of two sums over items.
    ///
    /// - Returns: `nil` below two items, or when more than half of the resamples have a sum of
    ///   denominators that is not above 0.
    public func intervalOfRatio(_ numerators: [Double], _ denominators: [Double]) -> Interval? {
        precondition(
            numerators.count == itemCount && denominators.count == itemCount,
            "\(numerators.count) and \(denominators.count) numbers for \(itemCount) items")
        var ratios: [(ratio: Double, times: Int)] = []
        ratios.reserveCapacity(times.count)
        for draw in times.indices {
            var above = 0.0
            var below = 0.0
            for item in 0..<itemCount {
                let count = counts[draw * itemCount + item]
                above += count * numerators[item]
                below += count * denominators[item]
            }
            if below > 0, above.isFinite { ratios.append((above / below, times[draw])) }
        }
        ratios.sort { $0.ratio < $1.ratio }
        let values = ratios.flatMap { repeatElement($0.ratio, count: $0.times) }
        guard values.count * 2 > Bootstrap.resamples else { return nil }
        return Interval(
            low: Statistics.quantile(0.025, ofSorted: values),
            high: Statistics.quantile(0.975, ofSorted: values))
    }
}
