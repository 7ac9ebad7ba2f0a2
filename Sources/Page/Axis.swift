import Foundation

/// An axis of a plot: what it says, how far it reaches, and where its ticks are.
public struct Axis: Sendable, Hashable {
    public enum Kind: Sendable, Hashable { case linear, log }

    /// What is measured, with its unit.
    public let label: String
    public let kind: Kind
    public let low: Double
    public let high: Double
    public let ticks: [Double]

    /// An axis that shows all finite `values`.
    ///
    /// - Parameters:
    ///   - values: On a logarithmic axis only positive ones count.
    ///   - padding: How much of the range is added at each end, so that marks are not cut.
    public init(
        _ label: String, covering values: some Sequence<Double>, kind: Kind = .linear,
        padding: Double = 0.04, tickCount: Int = 5
    ) {
        self.label = label
        self.kind = kind
        var range: (low: Double, high: Double)?
        for value in values where value.isFinite && (kind == .linear || value > 0) {
            let place = kind == .log ? log10(value) : value
            range = (min(range?.low ?? place, place), max(range?.high ?? place, place))
        }
        var (low, high) = range ?? (0, 1)
        if high - low <= abs(high) * 1e-9 {
            let half = kind == .log ? 0.5 : max(abs(high) * 0.1, 0.5)
            (low, high) = (low - half, high + half)
        }
        let space = (high - low) * padding
        self.low = low - space
        self.high = high + space
        ticks =
            kind == .log
            ? Axis.decades(self.low, self.high) : Axis.round(self.low, self.high, tickCount)
    }

    /// An axis with stated ends, which are values and not exponents.
    public init(
        _ label: String, from low: Double, to high: Double, kind: Kind = .linear,
        tickCount: Int = 5
    ) {
        self.init(
            label, covering: [low, high], kind: kind, padding: 0, tickCount: tickCount)
    }

    /// Where `value` lies: 0 at the low end, 1 at the high one, kept within both.
    public func fraction(_ value: Double) -> Double {
        guard value.isFinite else { return value == .infinity ? 1 : 0 }
        guard kind == .linear || value > 0 else { return 0 }
        let place = kind == .log ? log10(value) : value
        return min(1, max(0, (place - low) / (high - low)))
    }

    /// The value at a fraction of the axis.
    public func value(_ fraction: Double) -> Double {
        let place = low + fraction * (high - low)
        return kind == .log ? pow(10, place) : place
    }

    /// How a tick is written.
    public func text(_ tick: Double) -> String {
        if kind == .log { return Axis.power(tick) }
        let step = ticks.count > 1 ? ticks[1] - ticks[0] : max(abs(tick), 1)
        let digits = max(0, Int((-log10(step) - 1e-9).rounded(.up)))
        return digits > 5 ? Numeral.short(tick) : Numeral.fixed(tick, digits)
    }

    private static func power(_ tick: Double) -> String {
        tick >= 0.001 && tick < 10_000 ? Numeral.short(tick) : String(format: "%.0e", tick)
    }

    /// Multiples of 1, 2 or 5 times a power of ten, about as many as asked for.
    private static func round(_ low: Double, _ high: Double, _ count: Int) -> [Double] {
        let rough = (high - low) / Double(max(count, 1))
        let power = pow(10, floor(log10(rough)))
        let step = [1, 2, 5, 10].first { $0 * power >= rough * 0.999 }.map { $0 * power } ?? rough
        var ticks: [Double] = []
        var index = (low / step).rounded(.up)
        while index * step <= high + step * 1e-9, ticks.count < 50 {
            // Zero is written without a sign.
            ticks.append(index == 0 ? 0 : index * step)
            index += 1
        }
        return ticks
    }

    /// Powers of ten, thinned where there are many and with 2 and 5 where there are few.
    private static func decades(_ low: Double, _ high: Double) -> [Double] {
        let span = high - low
        let factors = span < 1.2 ? [1.0, 2, 5] : span < 2.2 ? [1.0, 3] : [1.0]
        let stride = max(1, Int((span / 6).rounded(.up)))
        var ticks: [Double] = []
        for exponent in Int(low.rounded(.down))...Int(high.rounded(.up))
        where exponent % stride == 0 {
            for factor in factors {
                let tick = factor * pow(10, Double(exponent))
                if (low...high).contains(log10(tick)) { ticks.append(tick) }
            }
        }
        return ticks
    }
}
