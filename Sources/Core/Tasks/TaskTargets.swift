/// What tasks should say about some images: targets, masks, and how they are scaled.
public struct TaskTargets: Sendable {
    /// The images that targets derived from pixels are worked out from.
    let images: ImageSet
    /// The classes that classification is taught.
    let labels: [Int32]
    private let maps: SceneMaps?
    private let losses: [TaskKind: TaskLoss]
    /// Where responses were cut.
    public let clips: ClipConstants
    private var made: [TaskKind: Objective.Target] = [:]

    /// - Parameters:
    ///   - kinds: The tasks whose targets will be asked for.
    ///   - images: Clean or released, as the targets are to be worked out from.
    ///   - labels: The classes, image after image.
    ///   - maps: Of the same scenes, which answer what they know; `nil`: pixels and classes alone
    ///     do.
    ///   - clips: Of the data set.
    ///   - losses: Of tasks that are learned by another than the usual one.
    public init(
        of kinds: [TaskKind], images: ImageSet, labels: [Int32], maps: SceneMaps?,
        clips: ClipConstants, losses: [TaskKind: TaskLoss] = [:]
    ) {
        precondition(
            labels.count == images.count && maps.map { $0.count == images.count } ?? true,
            "\(images.count) images, \(labels.count) labels and their maps do not belong together")
        self.images = images
        self.labels = labels
        self.maps = maps
        self.clips = clips
        self.losses = losses
        for kind in kinds { made[kind] = target(making: kind) }
    }

    /// A task's target at every image.
    public func target(of kind: TaskKind) -> Objective.Target {
        guard let target = made[kind] else {
            preconditionFailure("no targets of task \(kind.rawValue) were made")
        }
        return target
    }

    private func target(making kind: TaskKind) -> Objective.Target {
        switch kind {
        case .cls: classes(losses[kind] ?? .usual)
        case .sem:
            .pixelClasses(
                known(kind).semantic,
                weights: losses[kind] == .prior ? known(kind).semanticWeights : nil)
        case .seg2d: .segments(maps?.segments ?? PixelSegments.numbered(images))
        case .depth: .planes(depth(known(kind)))
        case .normal: .planes(normals(known(kind)))
        case .edge:
            .planes(
                maps?.edges.map { PlaneTarget(values: $0, loss: .absolute) }
                    ?? clipped(ImageFilters.edges(images), at: clips.edge))
        case .kp2d:
            .planes(
                maps?.keypoints.map { PlaneTarget(values: $0, loss: .absolute) }
                    ?? clipped(ImageFilters.keypoints(images), at: clips.keypoint))
        case .ae: .planes(PlaneTarget(values: images.pixels.map(Self.signed), loss: .absolute))
        case .reshade:
            .planes(
                PlaneTarget(
                    values: known(kind).reshading, mask: known(kind).valid, loss: .absolute))
        case .curv: .planes(curvatures(known(kind)))
        }
    }

    /// Classes, or how likely each is. Where a method has changed a label, the label it released is
    /// all there is to be learned of the image.
    private func classes(_ loss: TaskLoss) -> Objective.Target {
        guard loss != .usual else { return .classes(labels) }
        guard var shares = known(.cls).classShares else {
            preconditionFailure("the set does not tell how likely classes are")
        }
        let count = shares.count / max(1, labels.count)
        for (image, label) in labels.enumerated() where label != images.labels[image] {
            for index in 0..<count {
                shares[image * count + index] = index == Int(label) ? 1 : 0
            }
        }
        return .shares(
            ShareTarget(
                values: shares, labels: labels, loss: loss == .soft ? .crossEntropy : .square))
    }

    private func known(_ kind: TaskKind) -> SceneMaps {
        guard let maps else { preconditionFailure("task \(kind.rawValue) needs maps") }
        return maps
    }

    private static func signed(_ level: UInt8) -> Float { Float(level) * (2 / 255) - 1 }

    private func depth(_ maps: SceneMaps) -> PlaneTarget {
        PlaneTarget(
            values: maps.depth.map { DepthScale.scaled(metres: $0) },
            mask: maps.depthValid ?? maps.valid,
            loss: .absolute)
    }

    private func normals(_ maps: SceneMaps) -> PlaneTarget {
        PlaneTarget(
            values: maps.normals, mask: maps.normalValid ?? maps.valid,
            loss: losses[.normal] == .absolute ? .direction : .cosine,
            flipTurnsFirstChannel: true)
    }

    /// In units of the sharpest bend that the set tells.
    private func curvatures(_ maps: SceneMaps) -> PlaneTarget {
        let radius = maps.smallestRadius
        return PlaneTarget(
            values: maps.curvatures.map { $0 * radius }, mask: maps.valid, loss: .square)
    }

    /// From 0...constant to -1...1.
    private func clipped(_ values: [Float], at constant: Double) -> PlaneTarget {
        let limit = Float(constant)
        return PlaneTarget(
            values: values.map { min(max($0, 0), limit) / limit * 2 - 1 }, loss: .absolute)
    }
}

/// Depth as networks are taught it: logarithmic, so that a step counts the same near and far.
public enum DepthScale {
    private static let range = ExactMath.logarithm(65_536)

    /// `ln(1 + u) / ln 65536` with `u` in 1/512 m, Taskonomy's unit; in 0...1.
    public static func scaled(metres: Float) -> Float {
        Float(ExactMath.logarithm(1 + 512 * Double(max(metres, 0))) / range)
    }

    /// The other way round.
    public static func metres(scaled: Double) -> Double {
        (power(scaled * range) - 1) / 512
    }

    /// e to a power of either sign.
    private static func power(_ exponent: Double) -> Double {
        let bounded = min(max(exponent, -600), 600)
        let falling = ExactMath.exponential(-abs(bounded))
        return bounded < 0 ? falling : 1 / falling
    }
}

/// Where responses of filters are cut: the 99th percentile over a data set's first thousand
/// training images, rounded to two digits.
public struct ClipConstants: Hashable, Sendable {
    public let edge: Double
    public let keypoint: Double

    /// How many images the percentiles are taken over.
    public static let imagesMax = 1_000

    public init(edge: Double, keypoint: Double) {
        precondition(edge > 0 && keypoint > 0, "nothing is left of values cut at 0")
        self.edge = edge
        self.keypoint = keypoint
    }

    /// - Parameters:
    ///   - kinds: Only their constants are worked out; others are 1.
    ///   - images: The first clean training images of the set, `imagesMax` of them or all.
    public init(for kinds: [TaskKind], of images: ImageSet) {
        self.init(
            edge: kinds.contains(.edge) ? ClipConstants.constant(ImageFilters.edges(images)) : 1,
            keypoint: kinds.contains(.kp2d)
                ? ClipConstants.constant(ImageFilters.keypoints(images)) : 1)
    }

    private static func constant(_ values: [Float]) -> Double {
        let sorted = values.sorted()
        let percentile = Double(sorted[min(sorted.count - 1, sorted.count * 99 / 100)])
        guard percentile > 0 else { return 1 }
        // Two digits, worked out without logarithms.
        var scale = 1.0
        while percentile * scale < 10 { scale *= 10 }
        while percentile * scale >= 100 { scale /= 10 }
        return (percentile * scale).rounded() / scale
    }
}
