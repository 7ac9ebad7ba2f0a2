/// One task's head on a backbone.
public struct HeadSettings: Codable, Hashable, Sendable {
    /// How a head turns the backbone's taps into a prediction an image pixel.
    public enum DenseKind: String, Codable, Hashable, Sendable, CaseIterable {
        /// From the last tap up to the full size, each earlier tap joining in by a lateral.
        case fpn
        /// The same without laterals: only the last tap is seen.
        case ae
        /// A 1x1 convolution of the last tap, enlarged bilinearly: a linear readout.
        case probe
    }

    public enum Kind: Codable, Hashable, Sendable {
        /// Logits, one a class.
        case classifier(classes: Int)
        /// Planes of the image's size.
        case dense(kind: DenseKind = .fpn, channels: Int)
    }

    /// The task's name, such as `cls` or `depth`. Names of the head's layers begin with it, save
    /// those of the classifier called `cls`, which are PyTorch's own.
    public var task: String
    public var kind: Kind

    public init(task: String, kind: Kind) {
        self.task = task
        self.kind = kind
    }

    /// What stands before the names of the head's layers.
    var prefix: String {
        if case .classifier = kind, task == HeadSettings.classification { return "" }
        return task + "."
    }

    /// The name of the task of classifying whole images.
    static let classification = "cls"
}
