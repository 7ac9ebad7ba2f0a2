import FathomCore

/// Damages files in many small ways, the same on every run.
enum Damage {
    /// Calls `body` with copies of `bytes` that are cut, extended or altered here and there.
    static func apply(
        to bytes: [UInt8], times: Int, seed: UInt64, body: ([UInt8]) -> Void
    ) {
        for round in 0..<times {
            var random = RandomStream(seed: seed).derived("damage", round)
            var damaged = bytes
            switch random.integer(below: 4) {
            case 0: damaged.removeLast(random.integer(below: damaged.count) + 1)
            case 1: damaged += (0...random.integer(below: 9)).map { _ in UInt8(7) }
            default: break
            }
            for _ in 0...random.integer(below: 4) where !damaged.isEmpty {
                // Mostly the front, where lengths, names and offsets are.
                let reach = random.integer(below: 3) > 0 ? min(160, damaged.count) : damaged.count
                damaged[random.integer(below: reach)] = Damage.byte(&random)
            }
            body(damaged)
        }
    }

    private static func byte(_ random: inout RandomStream) -> UInt8 {
        let telling = Array("0123456789,:[]{}()\"'-eE. ".utf8)
        return random.integer(below: 2) == 0
            ? telling[random.integer(below: telling.count)]
            : UInt8(truncatingIfNeeded: random.nextBits())
    }
}
