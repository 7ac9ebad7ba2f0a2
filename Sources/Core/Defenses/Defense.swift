/// A published way of training on images that may be perturbed.
public protocol Defense: Sendable {
    /// The name in manifests, tables and plots.
    var name: String { get }
    /// Raised by hand whenever equal settings give other results than before.
    var revision: Int { get }
    /// One line for people.
    var summary: String { get }
    var parameters: [MethodParameter] { get }
    /// Where in training it acts.
    var stage: DefenseStage { get }
    /// Whether it moves content within an image, so that a target at every pixel would have to
    /// move too, or mixes the labels of images.
    var needsClassTarget: Bool { get }

    /// The default of a number whose declared default is `nil`.
    func standard(of parameter: String, words: [String: String], shape: ImageShape) -> Double

    /// Refuses complete settings that cannot work on images of this size.
    func validate(_ settings: DefenseSettings, shape: ImageShape) throws(DefenseError)

    /// Why the defense means nothing on images of this size; `nil`: it does.
    func reasonUnfit(shape: ImageShape) -> String?
}

extension Defense {
    public var needsClassTarget: Bool { false }

    /// Defenses without such defaults are never asked.
    public func standard(
        of parameter: String, words: [String: String], shape: ImageShape
    ) -> Double {
        preconditionFailure("\(name) declares no default that has to be worked out: \(parameter)")
    }

    /// Most defenses work on any size.
    public func validate(_ settings: DefenseSettings, shape: ImageShape) throws(DefenseError) {}

    public func reasonUnfit(shape: ImageShape) -> String? { nil }
}

/// Where in training a defense acts.
public enum DefenseStage: String, Hashable, Sendable, CaseIterable {
    /// It does nothing.
    case none
    /// Once, on the stored images, before crops and flips.
    case dataSet
    /// On each image of a batch, drawn anew every epoch, after crops and flips.
    case sample
    /// On a batch as a whole.
    case batch
    /// On the training loop itself.
    case loop
}

/// A defense that rewrites the stored images before training.
protocol DataSetDefense: Defense {
    /// - Parameters:
    ///   - settings: Complete.
    ///   - images: What the victim trains on; defenses that learn from images learn from these.
    ///   - random: Of this defense and data seed.
    func rewriting(
        _ settings: DefenseSettings, fittedTo images: ImageSet, random: RandomStream
    ) -> any ImageRewriting
}

extension DataSetDefense {
    var stage: DefenseStage { .dataSet }
}

/// A rewriting of images that is done once; equal images come out equal.
public protocol ImageRewriting: Sendable {
    /// The images, rewritten; labels and indices stay.
    func rewritten(_ images: ImageSet) -> ImageSet
}

/// The parameter of all defenses of the data-set stage.
enum TestImages {
    static let parameter = MethodParameter(
        name: "testImages", kind: .word(default: plain, allowed: [plain, transformed]),
        meaning: "whether test images stay plain or are transformed as training images are")
    static let plain = "plain"
    static let transformed = "transformed"
}
