/// What a network can be asked to say about an image (`docs/science/tasks.md`).
public enum TaskKind: String, Codable, Hashable, Sendable, CaseIterable {
    /// The object's class.
    case cls
    /// Each pixel's semantic class.
    case sem
    /// An embedding in which pixels of one surface lie together.
    case seg2d
    /// Distance from the eye.
    case depth
    /// Surface normals.
    case normal
    /// Strength of texture edges.
    case edge
    /// Strength of keypoints.
    case kp2d
    /// The image itself, through a bottleneck.
    case ae
    /// The scene under a lamp at the camera.
    case reshade
    /// Principal curvatures.
    case curv
}

/// Which images a task's targets are worked out from.
public enum TargetSource: String, Codable, Hashable, Sendable, CaseIterable {
    /// The clean scene, as published sets ship their targets.
    case clean
    /// What is released, perturbed as it is: a thief who derives targets has nothing else.
    case released
}

extension TaskKind {
    /// Whether a target needs more than the image's own pixels and class.
    public var needsMaps: Bool {
        switch self {
        case .cls, .edge, .kp2d, .ae: false
        case .sem, .seg2d, .depth, .normal, .reshade, .curv: true
        }
    }

    /// Whether a target can be worked out from pixels alone, and thus from perturbed ones.
    public var isDerivedFromPixels: Bool { [.edge, .kp2d, .seg2d, .ae].contains(self) }

    /// Whether the target is a response that is cut at a constant of the data set.
    var isClipped: Bool { self == .edge || self == .kp2d }

    /// The task's head on a network for these images.
    public func head(channels: Int, classes: Int, pixelClasses: Int = 8) -> HeadSettings {
        let kind: HeadSettings.Kind =
            switch self {
            case .cls: .classifier(classes: classes)
            case .sem: .dense(channels: pixelClasses)
            case .seg2d: .dense(channels: TaskKind.embeddingChannels)
            case .depth, .edge, .kp2d, .reshade: .dense(channels: 1)
            case .normal: .dense(channels: 3)
            case .curv: .dense(channels: 2)
            // It must not see features of the full size, or copying would do.
            case .ae: .dense(kind: .ae, channels: channels)
            }
        return HeadSettings(task: rawValue, kind: kind)
    }

    /// Numbers a pixel is embedded in by `seg2d`.
    static let embeddingChannels = 8

    /// What the task is judged by in tables and in damage.
    public var mainMetric: MetricDescription {
        switch self {
        case .cls: MetricDescription("accuracy", isHigherBetter: true)
        case .sem: MetricDescription("mIoU", isHigherBetter: true)
        case .seg2d: MetricDescription("pairAccuracy", isHigherBetter: true)
        case .depth: MetricDescription("abs", isHigherBetter: false)
        case .normal: MetricDescription("meanAngle", isHigherBetter: false)
        // Their targets are nearly constant, which an error would reward.
        case .edge, .kp2d: MetricDescription("pearson", isHigherBetter: true)
        case .ae, .reshade: MetricDescription("l1", isHigherBetter: false)
        case .curv: MetricDescription("l2", isHigherBetter: false)
        }
    }

    /// How much the task counts in a sum with AdaShare's fixed weights (Sun et al., 2020); tasks
    /// that it does not have count 1.
    var fixedWeight: Double {
        switch self {
        case .normal: 3
        case .depth: 2
        case .edge, .kp2d: 7
        case .cls, .sem, .seg2d, .ae, .reshade, .curv: 1
        }
    }

    /// The version of the task's target, loss and metric; raised by hand when results change.
    public var revision: Int { 1 }
}

/// A metric's name, and which way is up.
public struct MetricDescription: Hashable, Sendable {
    public let name: String
    public let isHigherBetter: Bool

    init(_ name: String, isHigherBetter: Bool) {
        self.name = name
        self.isHigherBetter = isHigherBetter
    }
}

/// One number that a prediction came to. `nil` where nothing could be counted.
public struct TaskMetric: Hashable, Sendable {
    public let name: String
    public let value: Double?

    init(_ name: String, _ value: Double?) {
        self.name = name
        self.value = value
    }
}
