import Foundation

/// A stream of random numbers that is a value: equal streams give equal numbers, on every machine.
///
/// Streams are derived by name, so that what is drawn for one purpose never depends on how much
/// was drawn for another: `stream.derived("shuffle", epoch)` needs no history. The generator is
/// SplitMix64 (Steele, Lea and Flood, 2014); sampling is ours, because the standard library may
/// change its algorithms between releases.
public struct RandomStream: Sendable, Hashable, Codable {
    private var state: UInt64

    /// Starts the stream of `seed`.
    public init(seed: UInt64) {
        state = RandomStream.mixed(seed &+ RandomStream.increment)
    }

    /// Goes on from a state that was worked out elsewhere, for generators whose numbers are fixed
    /// by a published rule.
    init(state: UInt64) { self.state = state }

    /// The stream for one purpose, and one item of it; independent of what was drawn from `self`
    /// only as far as `self` was not drawn from before deriving, so derive from a fresh stream.
    public func derived(_ purpose: String, _ index: Int = 0) -> RandomStream {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325  // FNV-1a, 64 bits.
        for byte in purpose.utf8 {
            hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3
        }
        let tagged = RandomStream.mixed(hash) &+ UInt64(bitPattern: Int64(index))
        return RandomStream(seed: RandomStream.mixed(state ^ RandomStream.mixed(tagged)))
    }

    /// The next 64 bits.
    public mutating func nextBits() -> UInt64 {
        state &+= RandomStream.increment
        return RandomStream.mixed(state)
    }

    /// A number in `0..<1`, a multiple of 2⁻²⁴, exact as `Float`.
    public mutating func uniform() -> Float {
        Float(nextBits() >> 40) * 0x1p-24
    }

    /// A number in `low..<high`.
    public mutating func uniform(_ low: Float, _ high: Float) -> Float {
        low + (high - low) * uniform()
    }

    /// A number in `0..<1`, a multiple of 2⁻⁵³.
    public mutating func uniformDouble() -> Double {
        Double(nextBits() >> 11) * 0x1p-53
    }

    /// A standard normal number, by Box and Muller (1958); each call draws twice.
    public mutating func normal() -> Double {
        let radius = (-2 * log(1 - uniformDouble())).squareRoot()
        return radius * cos(2 * Double.pi * uniformDouble())
    }

    /// A whole number in `0..<bound`, without bias (Lemire, 2019).
    public mutating func integer(below bound: Int) -> Int {
        precondition(bound > 0, "nothing lies below \(bound)")
        let range = UInt64(bound)
        var product = nextBits().multipliedFullWidth(by: range)
        if product.low < range {
            let threshold = (0 &- range) % range
            while product.low < threshold {
                product = nextBits().multipliedFullWidth(by: range)
            }
        }
        return Int(product.high)
    }

    /// The numbers `0..<count` in random order (Fisher and Yates).
    public mutating func permutation(_ count: Int) -> [Int] {
        var order = Array(0..<count)
        var last = count - 1
        while last > 0 {
            order.swapAt(last, integer(below: last + 1))
            last -= 1
        }
        return order
    }

    private static let increment: UInt64 = 0x9E37_79B9_7F4A_7C15

    /// SplitMix64's finalizer.
    static func mixed(_ value: UInt64) -> UInt64 {
        var bits = value
        bits = (bits ^ (bits >> 30)) &* 0xBF58_476D_1CE4_E5B9
        bits = (bits ^ (bits >> 27)) &* 0x94D0_49BB_1331_11EB
        return bits ^ (bits >> 31)
    }
}
