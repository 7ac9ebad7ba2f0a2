/// What is counted when a layer is learnable.
public enum CountKind: String, Codable, Hashable, Sendable, CaseIterable {
    /// Every layer counts one.
    case layers
    /// Every layer counts as many as it has weights.
    case parameters
}

/// The learnable count LC; equations (8) and (9) in `docs/science/sal-ud.md`.
public enum LearnableCount {
    /// How much of a run is learnable: the sum over epochs of what lies strictly above `beta`,
    /// divided by the run's own number of measured epochs.
    ///
    /// - Parameter weightCounts: The layers' numbers of weights, read for `.parameters` only.
    public static func count(
        _ kind: CountKind, of matrix: SALMatrix, above beta: Double, weightCounts: [Int]
    ) -> Double {
        precondition(
            kind == .layers || weightCounts.count == matrix.layerCount,
            "\(weightCounts.count) weight counts for \(matrix.layerCount) layers")
        guard !matrix.epochs.isEmpty else { return 0 }
        var total = 0
        for (position, value) in matrix.values.enumerated() where value > beta {
            total += kind == .layers ? 1 : weightCounts[position % matrix.layerCount]
        }
        return Double(total) / Double(matrix.epochs.count)
    }

    /// The same by a rule's threshold, which may be another one in every epoch, or of SAL relative
    /// to its origin's loss.
    ///
    /// - Returns: `nil` where the threshold does not fit the run: an epoch the clean run does not
    ///   have, or a loss that is not known.
    public static func count(
        _ kind: CountKind, of matrix: SALMatrix, above threshold: LearnableThreshold,
        weightCounts: [Int]
    ) -> Double? {
        byEpoch(kind, of: matrix, above: threshold, weightCounts: weightCounts).map { counts in
            counts.isEmpty ? 0 : counts.reduce(0, +) / Double(counts.count)
        }
    }

    /// What is learnable at each measured epoch; `nil` as for `count`.
    public static func byEpoch(
        _ kind: CountKind, of matrix: SALMatrix, above threshold: LearnableThreshold,
        weightCounts: [Int]
    ) -> [Double]? {
        precondition(
            kind == .layers || weightCounts.count == matrix.layerCount,
            "\(weightCounts.count) weight counts for \(matrix.layerCount) layers")
        guard let judged = threshold.isRelative ? matrix.relativeToOrigin : matrix else {
            return nil
        }
        var counts: [Double] = []
        for (index, epoch) in judged.epochs.enumerated() {
            guard let beta = threshold.beta(atEpoch: epoch) else { return nil }
            var total = 0
            for (layer, value) in judged.row(index).enumerated() where value > beta {
                total += kind == .layers ? 1 : weightCounts[layer]
            }
            counts.append(Double(total))
        }
        return counts
    }
}
