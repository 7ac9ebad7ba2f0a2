/// What one row of SAL is about: a layer, or one filter of it.
public struct SALEntry: Hashable, Sendable {
    /// Index among the network's measured layers.
    public var layer: Int
    /// The output channel that moves, from 0; `nil`: the whole layer does.
    public var filter: Int?

    public init(layer: Int, filter: Int? = nil) {
        self.layer = layer
        self.filter = filter
    }
}

extension SALSettings {
    /// How many entries a checkpoint has.
    ///
    /// - Parameter filterCounts: The filters (output channels) of every measured layer, in order.
    public func entryCount(filterCounts: [Int]) -> Int {
        switch granularity {
        case .layer: filterCounts.count
        case .filter: filterCounts.reduce(0) { $0 + sampled(of: $1) }
        }
    }

    /// The entries of a checkpoint: layers in order, or the sampled filters of each, rising.
    ///
    /// - Parameter random: Draws the filters; equal streams give equal filters, so that a clean
    ///   and a poisoned run of one seed are compared on the same ones.
    public func entries(filterCounts: [Int], random: RandomStream) -> [SALEntry] {
        switch granularity {
        case .layer:
            return filterCounts.indices.map { SALEntry(layer: $0) }
        case .filter:
            return filterCounts.enumerated().flatMap { layer, count in
                var stream = random.derived("filters", layer)
                let chosen = stream.permutation(count).prefix(sampled(of: count)).sorted()
                return chosen.map { SALEntry(layer: layer, filter: $0) }
            }
        }
    }

    private func sampled(of count: Int) -> Int { min(filters ?? count, count) }
}
