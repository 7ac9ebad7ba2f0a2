/// One walk of a layer's weights, down or up the loss: what was seen after every pass or step.
public struct SALWalk: Hashable, Sendable, Codable {
    /// Mean loss in nats over the SAL images, unclamped.
    public var losses: [Double]
    /// Share of SAL images classified rightly, 0...1.
    public var accuracies: [Double]
    /// |V - W| / |W|.
    public var radii: [Double]
    /// The first pass or step, from 1, at which the ball was reached.
    public var reachedAt: Int?
    /// Whether NaN or infinity ended the walk.
    public var diverged: Bool

    public init(
        losses: [Double] = [], accuracies: [Double] = [], radii: [Double] = [],
        reachedAt: Int? = nil, diverged: Bool = false
    ) {
        self.losses = losses
        self.accuracies = accuracies
        self.radii = radii
        self.reachedAt = reachedAt
        self.diverged = diverged
    }
}

/// SAL of one layer at one checkpoint: the raw walks, and the verdict drawn from them
/// (Definition 1 of arXiv 2509.08058).
public struct SALMeasurement: Hashable, Sendable, Codable {
    /// The layer's name in the network, without `.weight`.
    public var layer: String
    /// How many weights moved.
    public var weightCount: Int
    /// Frobenius norm of the weights at the checkpoint.
    public var weightNorm: Double
    /// Mean loss over the SAL images at the checkpoint.
    public var originLoss: Double
    public var originAccuracy: Double
    public var down: SALWalk
    public var up: SALWalk
    public var sMax: Double
    public var sMin: Double
    public var sal: Double
    /// The larger of the drop and the rise of accuracy, 0...1.
    public var salAccuracy: Double
    /// `diverged`, `degenerate`, or nothing.
    public var flag: String?
    /// Work spent, in forward passes of the whole network over the SAL images.
    public var forwardEquivalents: Double

    public init(
        layer: String, weightCount: Int, weightNorm: Double, originLoss: Double,
        originAccuracy: Double, down: SALWalk, up: SALWalk, sMax: Double, sMin: Double, sal: Double,
        salAccuracy: Double, flag: String?, forwardEquivalents: Double
    ) {
        self.layer = layer
        self.weightCount = weightCount
        self.weightNorm = weightNorm
        self.originLoss = originLoss
        self.originAccuracy = originAccuracy
        self.down = down
        self.up = up
        self.sMax = sMax
        self.sMin = sMin
        self.sal = sal
        self.salAccuracy = salAccuracy
        self.flag = flag
        self.forwardEquivalents = forwardEquivalents
    }

    /// The verdict over two walks (Definition 1): the larger of how far the loss falls and how far
    /// it rises.
    ///
    /// - Parameters:
    ///   - originLoss: What the walks are compared with, in nats.
    ///   - originAccuracy: In the same way, 0...1.
    public init(
        layer: String, weightCount: Int, weightNorm: Double, originLoss: Double,
        originAccuracy: Double, down: SALWalk, up: SALWalk, flag: String?,
        forwardEquivalents: Double
    ) {
        let low = down.losses.reduce(originLoss, min)
        let high = up.losses.reduce(originLoss, max)
        let sMax = high - originLoss
        let sMin = originLoss - low
        let rise = down.accuracies.reduce(originAccuracy, max) - originAccuracy
        let drop = originAccuracy - up.accuracies.reduce(originAccuracy, min)
        self.init(
            layer: layer, weightCount: weightCount, weightNorm: weightNorm,
            originLoss: originLoss, originAccuracy: originAccuracy, down: down, up: up,
            sMax: sMax, sMin: sMin, sal: abs(sMax) > abs(sMin) ? sMax : sMin,
            salAccuracy: max(drop, rise), flag: flag, forwardEquivalents: forwardEquivalents)
    }
}
