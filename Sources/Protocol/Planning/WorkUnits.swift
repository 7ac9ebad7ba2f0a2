import FathomCore

extension JobSpec {
    /// The images it is about; `nil` for what reads none.
    public var data: DataSpec? {
        switch body {
        case .poison(let spec): spec.data
        case .train(let spec): spec.data
        case .sal(let spec): spec.data
        case .landscape(let spec): spec.data
        case .probe: nil
        }
    }

    /// How much one entry of the job computes, in forward passes of its network over one image:
    /// what measured costs of one sweep are carried over to another with.
    ///
    /// A training step counts three passes an image. A walk of SAL computes the part of the network
    /// above its layer, half of it on average: for the solver `reference` each pass a gradient and
    /// an evaluation for both walks, for `normalized` each step a gradient and one evaluation more.
    ///
    /// - Parameter trainImages: How many training images its run has, which a spec leaves open
    ///   where it takes all of a set.
    public func forwardPassesPerEntry(trainImages: Int) -> Double {
        switch body {
        case .probe: return 1
        case .poison: return Double(trainImages)
        case .train(let spec):
            let epochs = Double(spec.lastEpoch - spec.firstEpoch + 1)
            return 3 * Double(trainImages) * epochs
        case .landscape(let spec): return Double(spec.settings.images)
        case .sal(let spec):
            let images = Double(spec.settings.images)
            switch spec.settings.solver {
            case .reference:
                // As many as the steps of a pass see, which may go round the images several times.
                let walked = spec.settings.stepsPerPass.map { Double($0 * spec.settings.batch) }
                return Double(spec.settings.passes) * (1.75 * (walked ?? images) + images)
            case .normalized: return images * (5 * Double(spec.settings.steps) + 2) / 2
            }
        }
    }
}

/// What jobs cost on one core: measured where a store knows, worked out where none does.
public struct CostModel: Sendable {
    /// Seconds a forward pass of one image, by cost class, as measured.
    public var secondsPerPass: [String: Double]
    /// Multiply-adds a second of one core that are assumed where nothing was measured.
    public static let assumedMultiplyAdds = 5e9

    public init(secondsPerPass: [String: Double] = [:]) { self.secondsPerPass = secondsPerPass }

    /// Seconds an entry; `nil` where nothing was measured and there is no arithmetic to go by, as
    /// for crafting.
    ///
    /// - Parameters:
    ///   - forwardPasses: How much an entry computes.
    ///   - multiplyAdds: Of one forward pass of the job's network on one image.
    public func secondsPerEntry(
        costClass: String, forwardPasses: Double, multiplyAdds: Int?
    ) -> Double? {
        if let measured = secondsPerPass[costClass] { return measured * forwardPasses }
        guard let multiplyAdds else { return nil }
        return Double(multiplyAdds) * forwardPasses / Self.assumedMultiplyAdds
    }
}
