public import FathomCore

/// What it takes to craft a method: how many jobs, and which network trained before.
public struct MethodCrafting: Hashable, Sendable {
    /// A network that is trained on clean images first.
    public struct Surrogate: Hashable, Sendable {
        public var model: ModelSettings
        /// `nil`: as many as the sweep trains.
        public var epochs: Int?
        /// What it learns.
        public var task: TaskKind
        /// How it is trained where that is not as the sweep trains.
        public var training: TrainingSettings?

        public init(
            model: ModelSettings, epochs: Int?, task: TaskKind = .cls,
            training: TrainingSettings? = nil
        ) {
            self.training = training
            self.model = model
            self.epochs = epochs
            self.task = task
        }
    }

    /// Over how many jobs it is spread.
    public var parts: Int
    /// How many rounds each of them works, but for the last.
    public var rounds: Int
    public var surrogate: Surrogate?

    public init(parts: Int = 1, rounds: Int = 1, surrogate: Surrogate? = nil) {
        precondition(parts > 0 && rounds > 0, "\(parts) jobs of \(rounds) rounds")
        self.parts = parts
        self.rounds = rounds
        self.surrogate = surrogate
    }
}

/// A method of a cell, and the methods it is made of where it is a combination.
struct PlannedMethod {
    struct Component {
        var settings: Encoded<MethodSettings>
        var crafting: MethodCrafting
    }

    let whole: Encoded<MethodSettings>
    /// In the order of crafting.
    let components: [Component]

    init(_ settings: MethodSettings, _ crafting: (MethodSettings) -> MethodCrafting) {
        whole = Encoded(settings)
        components = settings.components.map {
            Component(settings: Encoded($0), crafting: crafting($0))
        }
    }
}
