/// A published way of perturbing training images, or of changing their labels.
///
/// A method is a pure function of settings, images, keys and seed. What it draws for an image
/// comes from a stream of that image's original index, so that order and subset do not matter.
public protocol PerturbationMethod: Sendable {
    /// The name in manifests, tables and plots.
    var name: String { get }
    /// Raised by hand whenever equal settings give other results than before.
    var revision: Int { get }
    /// One line for people.
    var summary: String { get }
    var parameters: [MethodParameter] { get }

    /// The default of a number whose declared default is `nil`.
    func sizedDefault(of parameter: String, shape: ImageShape) -> Double

    /// The same where it depends on words of the settings too, such as `tier`.
    func standard(of parameter: String, words: [String: String], shape: ImageShape) -> Double

    /// Whether settings that every method shares, such as `fraction`, mean anything here.
    var takesSharedSettings: Bool { get }

    /// Refuses settings, complete by now, that cannot work on images of this size.
    func validate(_ settings: MethodSettings, shape: ImageShape) throws(MethodError)

    /// What the property suite may expect under these settings.
    func traits(_ settings: MethodSettings, shape: ImageShape) -> PerturbationTraits

    /// Crafts the perturbation, before any clipping.
    ///
    /// - Parameter request: Complete settings, images, keys and seed, checked by the registry.
    /// - Returns: A number for every pixel, and the method's own part of the report.
    /// - Throws: `MethodError` where the method cannot work on these images and keys.
    func perturbation(_ request: CraftRequest) throws(MethodError) -> Perturbation
}

extension PerturbationMethod {
    /// Methods without such defaults are never asked.
    public func sizedDefault(of parameter: String, shape: ImageShape) -> Double {
        preconditionFailure("\(name) declares no default that depends on the size: \(parameter)")
    }

    /// Most defaults depend on the size at most.
    public func standard(
        of parameter: String, words: [String: String], shape: ImageShape
    ) -> Double {
        sizedDefault(of: parameter, shape: shape)
    }

    /// The method's own parameters, and those that it shares with others.
    public var allParameters: [MethodParameter] {
        takesSharedSettings ? parameters + SharedSettings.parameters : parameters
    }

    /// Only what changes nothing has no use for them.
    public var takesSharedSettings: Bool { true }

    /// Most methods work on any size.
    public func validate(_ settings: MethodSettings, shape: ImageShape) throws(MethodError) {}
}

/// What a method is given: complete settings, and as many keys as images.
public struct CraftRequest: Sendable {
    /// Complete, defaults filled in.
    public var settings: MethodSettings
    /// The clean images.
    public var images: ImageSet
    /// Which pattern each image gets; by default its label. Never negative.
    public var keys: [Int32]
    /// The poison's seed.
    public var seed: UInt64
    /// A network trained on clean images, for methods that read one.
    public var surrogate: TrainingState?
    /// What the task that is crafted with should say of the images, or of more of them, for
    /// methods whose `craftTask` is not classification.
    public var targets: TaskTargets?

    /// Takes every part as given.
    public init(
        settings: MethodSettings, images: ImageSet, keys: [Int32], seed: UInt64,
        surrogate: TrainingState? = nil, targets: TaskTargets? = nil
    ) {
        self.settings = settings
        self.images = images
        self.keys = keys
        self.seed = seed
        self.surrogate = surrogate
        self.targets = targets
    }

    /// The stream of this method and seed for one purpose and one item, an image or a key.
    public func stream(_ purpose: String, _ item: Int) -> RandomStream {
        RandomStream(seed: seed).derived("perturbation/" + settings.name).derived(purpose, item)
    }

    /// One more than the highest key.
    public var keyCount: Int { Int(keys.max() ?? -1) + 1 }

    /// The positions of the images by rising index: an order that does not depend on how they are
    /// given, for methods in which images affect one another.
    public var canonicalOrder: [Int] {
        images.indices.enumerated().sorted { ($0.element, $0.offset) < ($1.element, $1.offset) }
            .map(\.offset)
    }

    /// A number of the settings, which the registry has filled in.
    public func number(_ name: String) -> Double {
        guard let value = settings.numbers[name] else {
            preconditionFailure("\(settings.name) was asked for \(name), which is not resolved")
        }
        return value
    }
}

/// What a method makes: a number for every pixel of every image, in pixels scaled to 0...1.
public struct Perturbation: Hashable, Sendable {
    /// Image after image, before clipping.
    public var delta: [Float]
    /// The labels that images are published with, where a method changes them.
    public var labels: [Int32]?
    /// The method's own part of the report.
    public var numbers: [String: Double]
    /// What numbers cannot say, such as names of variants.
    public var words: [String: String]

    /// Takes every part as given.
    public init(
        delta: [Float], labels: [Int32]? = nil, numbers: [String: Double] = [:],
        words: [String: String] = [:]
    ) {
        self.delta = delta
        self.labels = labels
        self.numbers = numbers
        self.words = words
    }
}

/// What is true of a method under given settings; the property suite holds it to this.
public struct PerturbationTraits: Hashable, Sendable {
    /// How much may be added to an image.
    public enum Budget: Hashable, Sendable {
        /// Nothing is perturbed.
        case none
        /// No pixel moves by more than this.
        case maximum(Double)
        /// Every image's perturbation has this Euclidean norm, before clipping.
        case norm(Double)
        /// At most so many positions of an image change.
        case positions(Int)
        /// Pixels may become anything.
        case unbounded
    }
    /// What images of equal key share.
    public enum Form: Hashable, Sendable {
        /// Each image has its own perturbation.
        case sampleWise
        /// Images of equal key share one perturbation.
        case classWise
        /// Images of equal key share positions and final values there.
        case position
        /// The perturbation is worked out from the image, so that equal images may share it.
        case fromImage
    }
    /// What a linear probe should find.
    public enum Probe: Hashable, Sendable {
        /// All perturbations are zero, and the probe has to say so.
        case refused
        /// Held-out accuracy is that of guessing.
        case chance
        /// Keys can be read from perturbations; held-out accuracy is at least this.
        case atLeast(Double)
        /// Any accuracy is fine.
        case reported
    }

    /// The budget under these settings.
    public var budget: Budget
    /// What is shared under these settings.
    public var form: Form
    /// What a probe should find under these settings.
    public var probe: Probe
    /// Which share of touched numbers must differ under another seed; `nil` without any seed.
    public var seedShare: Double?
    /// Whether images are published with other labels.
    public var changesLabels: Bool
    /// Whether crafting takes so long that a poison job does not craft again to check itself.
    public var isCostly: Bool

    /// Takes every part as given.
    public init(
        budget: Budget, form: Form, probe: Probe, seedShare: Double?, changesLabels: Bool = false,
        isCostly: Bool = false
    ) {
        self.budget = budget
        self.form = form
        self.probe = probe
        self.seedShare = seedShare
        self.changesLabels = changesLabels
        self.isCostly = isCostly
    }

    /// What is true where nothing is changed at all.
    public static let identity = PerturbationTraits(
        budget: .none, form: .classWise, probe: .refused, seedShare: nil)
}
