public import FathomCore

/// How a ranked row compares with the one ranked just above it.
public struct NeighbourComparison: Sendable, Hashable {
    /// Over the seeds both have, of what the table is sorted by: learnable counts for UD, whose
    /// baseline both share, and the task's metric for metric and damage.
    public var difference: PairedDifference
    /// Adjusted by Holm's method over all neighbours of the table; `nil` where seeds do not
    /// differ.
    public var pValue: Double?
    /// Whether the two can be told apart at 5 %.
    public var isDistinguishable: Bool
}

extension Leaderboard.Group {
    /// The level at which neighbours are told apart.
    public static let neighbourLevel = 0.05

    /// For each row its comparison with the row ranked above; `nil` for the first, for rows
    /// without a rank, and where fewer than two seeds are shared.
    ///
    /// Two neighbours that cannot be told apart may stand in either order, and so may a whole run
    /// of them.
    public var neighbours: [NeighbourComparison?] {
        let differences = rows.indices.map { index -> PairedDifference? in
            guard index > 0, rank(index) != nil, rank(index - 1) != nil else { return nil }
            return difference(rows[index], rows[index - 1])
        }
        let tested = rows.indices.filter { differences[$0] != nil }
        let adjusted = HolmCorrection.adjusted(tested.map { differences[$0]?.pValue ?? 1 })
        var found = [NeighbourComparison?](repeating: nil, count: rows.count)
        for (place, index) in tested.enumerated() {
            guard let difference = differences[index] else { continue }
            let pValue = difference.pValue == nil ? nil : adjusted[place]
            found[index] = NeighbourComparison(
                difference: difference, pValue: pValue,
                isDistinguishable: pValue.map { $0 <= Self.neighbourLevel } ?? false)
        }
        return found
    }

    private func difference(_ row: LeaderboardRow, _ above: LeaderboardRow) -> PairedDifference? {
        func value(_ seed: LeaderboardRow.SeedValues) -> Double? {
            order == .ud ? seed.learnable : seed.metric
        }
        var others: [Int: Double] = [:]
        for seed in above.seedValues { others[seed.seed] = value(seed) }
        let pairs = row.seedValues.compactMap { seed -> (Double, Double)? in
            guard let own = value(seed), let other = others[seed.seed] else { return nil }
            return (own, other)
        }
        return PairedDifference(pairs.map(\.0), pairs.map(\.1))
    }
}
