/// A method that crafts with a network, round after round.
///
/// A crafting can be left after any round and gone on with elsewhere, to the same bits: what one
/// round does depends on the request, the number of rounds before it and the kept state alone.
public protocol SurrogateMethod: PerturbationMethod {
    /// How many rounds there are at most.
    func roundsMax(_ settings: MethodSettings) -> Int

    /// Whether the network was trained on clean images before, rather than while crafting.
    var readsCheckpoint: Bool { get }

    /// Begins a crafting, or goes on with one.
    func crafter(
        _ request: CraftRequest, from state: CraftState?
    ) throws(MethodError) -> any Crafter
}

extension SurrogateMethod {
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

    /// Which network trained on clean images a method reads; `nil` for most.
    public static func surrogate(
        of settings: MethodSettings
    ) throws(MethodError) -> (model: ModelSettings, epochs: Int?)? {
        guard let method = try method(named: settings.name) as? any SurrogateMethod,
            method.readsCheckpoint
        else { return nil }
        let epochs = Int(settings.numbers["surrogateEpochs"] ?? 0)
        return (SurrogateSettings.model(settings), epochs == 0 ? nil : epochs)
    }

    /// Works some rounds of a crafting.
    ///
    /// - Parameters:
    ///   - state: Where it was left; `nil` begins it.
    ///   - rounds: How many rounds to work at most; `nil`: all that are left.
    ///   - progress: Hears the share done of these rounds.
    public static func advance(
        _ settings: MethodSettings, images: ImageSet, keys: [Int32], seed: UInt64,
        surrogate: TrainingState?, from state: CraftState?, rounds: Int?,
        progress: (Double) -> Void
    ) throws(MethodError) -> CraftProgress {
        let request = try request(
            settings, images: images, keys: keys, seed: seed, surrogate: surrogate)
        guard let method = try method(named: settings.name) as? any SurrogateMethod else {
            return .finished(
                try craft(settings, images: images, keys: keys, seed: seed, surrogate: surrogate))
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
