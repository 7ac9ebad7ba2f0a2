public import FathomCore

/// The versions of the code behind each kind of job, raised by hand when results change.
///
/// A job depends on several of them and carries their sum: each only ever rises, so the sum
/// changes whenever one of them does.
public struct Revisions: Hashable, Sendable {
    /// By method; a method that is not listed is at 1.
    public var methods: [String: Int]
    /// By model, for its layers and initial weights; a model that is not listed is at 1.
    public var models: [String: Int]
    /// By defense; one that is not listed is at 0.
    public var defenses: [String: Int]
    /// Of the training loop, its optimizers, schedules and augmentations.
    public var training: Int
    /// Of the SAL engine.
    public var sal: Int
    /// Of the planes of loss landscapes and their evaluation.
    public var landscape: Int

    public init(
        methods: [String: Int] = [:], models: [String: Int] = [:],
        defenses: [String: Int] = [:], training: Int = 1, sal: Int = 1,
        landscape: Int = 1
    ) {
        self.landscape = landscape
        self.methods = methods
        self.models = models
        self.defenses = defenses
        self.training = training
        self.sal = sal
    }

    /// Of crafting with a method, and with the network it names if any.
    public func ofPoison(_ method: MethodSettings) -> Int {
        let own = methods[method.name] ?? 1
        guard let model = method.words["surrogate"] else { return own }
        let task = method.words["craftTask"].flatMap(TaskKind.init(rawValue:))?.revision ?? 1
        return own + training + (models[model] ?? 1) + task - 1
    }
    /// Of training `model` under a defense.
    public func ofTraining(_ model: String, defense: String = "none") -> Int {
        training + (models[model] ?? 1) + (defenses[defense] ?? 0)
    }
    /// Of measuring SAL on `model`, on images that a defense has rewritten if one is named.
    public func ofSAL(_ model: String, defense: String = "none") -> Int {
        sal + (models[model] ?? 1) + (defenses[defense] ?? 0)
    }
    /// Of sampling the loss of `model`, in the same way.
    public func ofLandscape(_ model: String, defense: String = "none") -> Int {
        landscape + (models[model] ?? 1) + (defenses[defense] ?? 0)
    }
}
