/// A method that crafts with a network, round after round.
///
/// A crafting can be left after any round and gone on with elsewhere, to the same bits: what one
/// round does depends on the request, the number of rounds before it and the kept state alone.
public protocol SurrogateMethod: PerturbationMethod {
    /// How many rounds there are at most.
    func roundsMax(_ settings: MethodSettings) -> Int

    /// Whether the network was trained on clean images before, rather than while crafting.
    var readsCheckpoint: Bool { get }

    /// How that network is trained, where the source says it; `nil`: as the sweep trains.
    func surrogateTraining(_ settings: MethodSettings) -> TrainingSettings?

    /// Begins a crafting, or goes on with one.
    func crafter(
        _ request: CraftRequest, from state: CraftState?
    ) throws(MethodError) -> any Crafter

    /// Defaults that differ between tiers: `[parameter: [tier: value]]`.
    var tiers: [String: [String: Double]] { get }

    /// What images of equal key share.
    var form: PerturbationTraits.Form { get }

    /// Which share of touched numbers must differ under another seed; `nil`: nothing is drawn.
    var seedShare: Double? { get }
}

/// What is the same for all of them: a budget `epsilon`, tiers, and a surrogate that must fit.
extension SurrogateMethod {
    /// Most work their noise out from the image.
    public var form: PerturbationTraits.Form { .fromImage }

    public func surrogateTraining(_ settings: MethodSettings) -> TrainingSettings? { nil }

    /// Noise that a network shapes has much in common under any seed.
    public var seedShare: Double? { 0.1 }

    public func standard(
        of parameter: String, words: [String: String], shape: ImageShape
    ) -> Double {
        if parameter == "surrogateWidth" { return SurrogateSettings.width(words: words) }
        guard let value = tiers[parameter]?[words["tier"] ?? ""] else {
            preconditionFailure("no default of \(parameter) in tier \(words["tier"] ?? "-")")
        }
        return value
    }

    public func validate(_ settings: MethodSettings, shape: ImageShape) throws(MethodError) {
        try SurrogateSettings.validate(settings, shape: shape)
    }

    public func traits(_ settings: MethodSettings, shape: ImageShape) -> PerturbationTraits {
        let epsilon = settings.numbers["epsilon"] ?? 0
        if epsilon == 0 { return .identity }
        return PerturbationTraits(
            budget: .maximum(epsilon), form: form, probe: .reported, seedShare: seedShare,
            isCostly: true)
    }

    /// Most call them so.
    public func roundsMax(_ settings: MethodSettings) -> Int {
        Int(settings.numbers["rounds"] ?? 1)
    }

    /// All rounds, one after the other.
    public func perturbation(_ request: CraftRequest) throws(MethodError) -> Perturbation {
        let crafter = try crafter(request, from: nil)
        while !crafter.isFinished { try crafter.advance { _ in } }
        return crafter.perturbation()
    }
}

/// A crafting at work. Belongs to one thread.
public protocol Crafter: AnyObject {
    /// Rounds done.
    var round: Int { get }
    var isFinished: Bool { get }
    /// Works the next round; `progress` hears the share of it done.
    func advance(_ progress: (Double) -> Void) throws(MethodError)
    /// What must be kept to go on with the same bits.
    var state: CraftState { get }
    /// What was crafted, in the order of the request's images.
    func perturbation() -> Perturbation
}

/// An unfinished crafting: counters by name and arrays, such as weights and perturbations.
public struct CraftState: Sendable {
    /// Rounds done.
    public var round: Int
    public var isFinished: Bool
    public var numbers: [String: Double]
    public var words: [String: String]
    public var arrays: [(name: String, shape: [Int], values: [Float])]

    /// Takes every part as given.
    public init(
        round: Int, isFinished: Bool, numbers: [String: Double] = [:],
        words: [String: String] = [:],
        arrays: [(name: String, shape: [Int], values: [Float])] = []
    ) {
        self.round = round
        self.isFinished = isFinished
        self.numbers = numbers
        self.words = words
        self.arrays = arrays
    }

    /// An array by its name.
    func array(_ name: String) -> [Float]? { arrays.first { $0.name == name }?.values }

    /// A counter by its name; 0 where there is none.
    func number(_ name: String) -> Double { numbers[name] ?? 0 }
}

/// What a poison job came to: a poison, or what the next job goes on from.
public enum CraftProgress: Sendable {
    case unfinished(CraftState)
    case finished(CraftedPoison)
}

extension PerturbationRegistry {
    /// Jobs that a crafting is spread over at most, so that a killed worker loses a part of it.
    private static let partsMax = 16
    /// Rounds that a job works at least.
    private static let roundsMin = 4

    /// Over how many jobs a crafting is spread, and how many rounds each of them works; one for
    /// methods without rounds.
    public static func parts(
        of settings: MethodSettings
    ) throws(MethodError) -> (count: Int, rounds: Int) {
        guard let method = try method(named: settings.name) as? any SurrogateMethod else {
            return (1, 1)
        }
        let rounds = max(1, method.roundsMax(settings))
        let each = max(roundsMin, (rounds + partsMax - 1) / partsMax)
        return ((rounds + each - 1) / each, each)
    }

    /// A network trained on clean images: for how long where not as the sweep trains, at which
    /// task, and how where the method's source says it.
    public typealias CleanSurrogate = (
        model: ModelSettings, epochs: Int?, task: TaskKind, training: TrainingSettings?
    )

    /// Which network trained on clean images a method reads; `nil` for most.
    public static func surrogate(
        of settings: MethodSettings
    ) throws(MethodError) -> CleanSurrogate? {
        guard let method = try method(named: settings.name) as? any SurrogateMethod,
            method.readsCheckpoint
        else { return nil }
        let epochs = Int(settings.numbers["surrogateEpochs"] ?? 0)
        return (
            SurrogateSettings.model(settings), epochs == 0 ? nil : epochs,
            SurrogateSettings.task(settings), method.surrogateTraining(settings)
        )
    }

    /// The tasks whose targets a crafting reads, for its loss or its keys; most read none.
    public static func targetsNeeded(by settings: MethodSettings) -> [TaskKind] {
        let task = SurrogateSettings.task(settings)
        let key = SharedSettings.keyTask(settings)
        return (task == .cls ? [] : [task]) + [key].compactMap { $0 }.filter { $0 != task }
    }

    /// Refuses settings that ask for more than a data set knows.
    ///
    /// - Parameter settings: Complete; a combination's are judged method by method.
    public static func check(
        _ settings: MethodSettings, on facts: DataFacts
    ) throws(MethodError) {
        for component in settings.components {
            for task in targetsNeeded(by: component) {
                guard let problem = TaskSettings([task]).problem(with: facts) else { continue }
                throw .unsuited(method: component.name, reason: problem)
            }
        }
    }

    /// Works some rounds of a crafting.
    ///
    /// - Parameters:
    ///   - state: Where it was left; `nil` begins it.
    ///   - rounds: How many rounds to work at most; `nil`: all that are left.
    ///   - targets: What `craftTask` should say of the images, where it is no classification.
    ///   - progress: Hears the share done of these rounds.
    public static func advance(
        _ settings: MethodSettings, images: ImageSet, keys: [Int32], seed: UInt64,
        surrogate: TrainingState?, targets: TaskTargets? = nil, from state: CraftState?,
        rounds: Int?, progress: (Double) -> Void
    ) throws(MethodError) -> CraftProgress {
        let request = try request(
            settings, images: images, keys: keys, seed: seed, surrogate: surrogate,
            targets: targets)
        guard let method = try method(named: settings.name) as? any SurrogateMethod else {
            return .finished(
                try craft(
                    settings, images: images, keys: keys, seed: seed, surrogate: surrogate,
                    targets: targets))
        }
        let crafter = try method.crafter(request, from: state)
        let total = min(
            rounds ?? .max, max(1, method.roundsMax(request.settings) - crafter.round))
        for done in 0..<total where !crafter.isFinished {
            try crafter.advance { progress((Double(done) + $0) / Double(total)) }
        }
        if rounds != nil { return .unfinished(crafter.state) }
        let masked = PoisonMask(request).applied(to: crafter.perturbation(), of: images)
        return .finished(try PoisonReporter(method: method, request: request).poison(from: masked))
    }
}
