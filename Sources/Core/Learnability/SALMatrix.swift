/// SAL of one run: one row per measured epoch, one column per measured layer.
public struct SALMatrix: Sendable, Hashable {
    /// The measured epochs, rising, counted from 1.
    public let epochs: [Int]
    public let layerCount: Int
    /// `epochs.count * layerCount` values, epoch after epoch.
    public let values: [Double]
    /// The loss at each checkpoint before its layer moves, in the same order, in nats; empty where
    /// it is not known.
    public let originLosses: [Double]

    /// - Parameters:
    ///   - epochs: The measured epochs, one per row.
    ///   - layerCount: How many layers were measured, at least one.
    ///   - values: Row after row; all finite.
    ///   - originLosses: As many, or none.
    public init(
        epochs: [Int], layerCount: Int, values: [Double], originLosses: [Double] = []
    ) {
        precondition(
            layerCount > 0 && values.count == epochs.count * layerCount,
            "\(values.count) values are not \(epochs.count) epochs of \(layerCount) layers")
        precondition(values.allSatisfy(\.isFinite), "a SAL matrix holds finite values only")
        self.epochs = epochs
        self.layerCount = layerCount
        precondition(
            originLosses.isEmpty || originLosses.count == values.count,
            "\(originLosses.count) losses for \(values.count) values")
        self.values = values
        self.originLosses = originLosses
    }

    /// The layers' values at the epoch with this index (from 0) among the measured ones.
    public func row(_ index: Int) -> ArraySlice<Double> {
        values[index * layerCount..<(index + 1) * layerCount]
    }

    /// The mean loss over the SAL images at each measured epoch, in nats; empty where not known.
    public var epochLosses: [Double] {
        guard !originLosses.isEmpty else { return [] }
        return epochs.indices.map { index in
            Statistics.mean(originLosses[index * layerCount..<(index + 1) * layerCount])
        }
    }

    /// SAL as a share of the loss it starts from; `nil` where a loss is not known or not above 0.
    public var relativeToOrigin: SALMatrix? {
        guard originLosses.count == values.count, originLosses.allSatisfy({ $0 > 0 }) else {
            return nil
        }
        let shares = zip(values, originLosses).map { $0 / $1 }
        guard shares.allSatisfy(\.isFinite) else { return nil }
        return SALMatrix(epochs: epochs, layerCount: layerCount, values: shares)
    }

    /// The matrix without its first `count` measured epochs.
    public func dropping(_ count: Int) -> SALMatrix {
        let first = max(0, min(count, epochs.count))
        return SALMatrix(
            epochs: Array(epochs.dropFirst(first)), layerCount: layerCount,
            values: Array(values.dropFirst(first * layerCount)),
            originLosses: Array(originLosses.dropFirst(first * layerCount)))
    }
}
