/// SAL of one run: one row per measured epoch, one column per measured layer.
public struct SALMatrix: Sendable, Hashable {
    /// The measured epochs, rising, counted from 1.
    public let epochs: [Int]
    public let layerCount: Int
    /// `epochs.count * layerCount` values, epoch after epoch.
    public let values: [Double]

    /// - Parameters:
    ///   - epochs: The measured epochs, one per row.
    ///   - layerCount: How many layers were measured, at least one.
    ///   - values: Row after row; all finite.
    public init(epochs: [Int], layerCount: Int, values: [Double]) {
        precondition(
            layerCount > 0 && values.count == epochs.count * layerCount,
            "\(values.count) values are not \(epochs.count) epochs of \(layerCount) layers")
        precondition(values.allSatisfy(\.isFinite), "a SAL matrix holds finite values only")
        self.epochs = epochs
        self.layerCount = layerCount
        self.values = values
    }

    /// The layers' values at the epoch with this index (from 0) among the measured ones.
    public func row(_ index: Int) -> ArraySlice<Double> {
        values[index * layerCount..<(index + 1) * layerCount]
    }
}
