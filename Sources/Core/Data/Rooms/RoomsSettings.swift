/// What the generator of rooms is told: how hard its images are, and how large.
public struct RoomsSettings: Hashable, Sendable {
    /// How hard the images are.
    public enum Difficulty: String, Hashable, Sendable, CaseIterable {
        case easy, medium, hard
    }

    /// The part of the set that an image belongs to; a stream of scenes of its own.
    public enum Split: Int, Hashable, Sendable, CaseIterable {
        case train = 0
        case validation = 1
        case test = 2
    }

    public var difficulty: Difficulty
    /// Pixels on a side.
    public var side: Int
    public var seed: UInt64
    public var trainCount: Int
    public var testCount: Int

    public init(
        difficulty: Difficulty = .medium, side: Int = 32, seed: UInt64 = 20_250_908,
        trainCount: Int = 10_000, testCount: Int = 2_000
    ) {
        precondition((8...256).contains(side), "rooms are drawn from 8 to 256 pixels wide")
        self.difficulty = difficulty
        self.side = side
        self.seed = seed
        self.trainCount = trainCount
        self.testCount = testCount
    }

    /// Raised when the same settings give other images than before.
    public static let generatorVersion = 1

    /// The built-in sets by name.
    static let named: [(name: String, settings: RoomsSettings)] = [
        ("rooms10", RoomsSettings()),
        ("rooms10-easy", RoomsSettings(difficulty: .easy)),
        ("rooms10-hard", RoomsSettings(difficulty: .hard)),
        ("rooms10-64", RoomsSettings(side: 64)),
        ("rooms10-hard-64", RoomsSettings(difficulty: .hard, side: 64)),
    ]

    /// Object classes: five shapes times two patterns.
    public static let classCount = 10

    var knobs: RoomsKnobs { RoomsKnobs(difficulty) }
}

/// What a difficulty means, in numbers.
struct RoomsKnobs {
    /// How many distractors, each with its probability.
    let distractorShares: [Double]
    /// Their sizes, relative to the focal object.
    let distractorSizes: (Double, Double)
    let openProbability: Double
    let hasRoomPatterns: Bool
    /// Least difference of luma between the two colors of an object.
    let lumaGap: Double
    /// In degrees.
    let azimuth: Double
    let pitch: (Double, Double)
    /// How far the camera may roll to either side, in degrees.
    let tilt: Double
    /// Standard deviation of the sensor's noise, in levels of 255.
    let noiseLevels: Double

    init(_ difficulty: RoomsSettings.Difficulty) {
        let isEasy = difficulty == .easy
        let isHard = difficulty == .hard
        distractorShares =
            isEasy ? [1] : (isHard ? [0, 0.4, 0.35, 0.25] : [0.25, 0.35, 0.25, 0.15])
        distractorSizes = isHard ? (0.5, 0.8) : (0.32, 0.5)
        openProbability = isEasy ? 0 : (isHard ? 0.3 : 0.2)
        hasRoomPatterns = !isEasy
        lumaGap = isEasy ? 0.30 : (isHard ? 0.08 : 0.18)
        azimuth = isEasy ? 15 : (isHard ? 60 : 35)
        pitch = isEasy ? (18, 26) : (isHard ? (5, 45) : (12, 32))
        tilt = isHard ? 25 : 0
        noiseLevels = isHard ? 4 : 0
    }
}
