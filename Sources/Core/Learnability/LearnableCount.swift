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
}
