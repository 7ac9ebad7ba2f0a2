/// Whether a threshold between two clusters has two clusters to lie between.
///
/// The best cut explains much of any numbers' spread: three quarters of a uniform distribution's,
/// and more of few numbers'. So an epoch counts as two-clustered only where its cut explains more
/// than nineteen in twenty uniform samples of as many layers.
public enum Bimodality {
    private static let samples = 400

    /// The share of the spread that a cut of `count` uniform numbers explains in at most nineteen
    /// of twenty cases; 1 below three numbers, which any cut explains.
    public static func explainedShareOfChance(count: Int) -> Double {
        guard count > 2 else { return 1 }
        var random = RandomStream(seed: 2_509_080_58).derived("bimodality", count)
        let shares = (0..<samples).map { _ in
            TwoMeans(splitting: (0..<count).map { _ in random.uniformDouble() }).explainedShare
        }
        return Statistics.quantile(0.95, ofSorted: shares.sorted())
    }

    /// How many of a run's epochs have two clusters of layers.
    ///
    /// - Parameter level: `explainedShareOfChance` of the run's number of layers.
    public static func epochCount(of matrix: SALMatrix, above level: Double) -> Int {
        matrix.epochs.indices.count {
            TwoMeans(splitting: matrix.row($0)).explainedShare > level
        }
    }
}
