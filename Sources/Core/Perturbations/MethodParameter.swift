/// One setting of a method, as the manifest names it.
public struct MethodParameter: Hashable, Sendable {
    /// What values the setting takes, and which it has by default.
    public enum Kind: Hashable, Sendable {
        /// A number. A default of `nil` depends on the size of the images.
        case number(default: Double?, range: ClosedRange<Double>, whole: Bool)
        /// One of a few words.
        case word(default: String, allowed: [String])
        /// Text in a form of its own, left out if absent.
        case text(example: String)
    }

    /// The value that another parameter, a word, must have for this one to be read.
    public struct Condition: Hashable, Sendable {
        /// Its name in the manifest.
        public var name: String
        /// The values of that word which make it apply.
        public var values: [String]

        /// Takes every part as given.
        public init(name: String, values: [String]) {
            self.name = name
            self.values = values
        }
    }

    /// Its name in the manifest.
    public let name: String
    /// Its values and default.
    public let kind: Kind
    /// One sentence, with the unit.
    public let meaning: String
    /// When it is read at all; always where this is `nil`.
    public let condition: Condition?
    /// Whether complete settings leave it out at its default, so that those made before it was
    /// there keep their encoding, and jobs their keys.
    public let isLeftOutAtDefault: Bool

    /// Takes every part as given.
    public init(
        name: String, kind: Kind, meaning: String, condition: Condition? = nil,
        isLeftOutAtDefault: Bool = false
    ) {
        self.name = name
        self.kind = kind
        self.meaning = meaning
        self.condition = condition
        self.isLeftOutAtDefault = isLeftOutAtDefault
    }
}

/// The size of one image.
public struct ImageShape: Hashable, Sendable {
    /// 1 for grey, 3 for colour.
    public let channels: Int
    /// Rows of pixels.
    public let height: Int
    /// Columns of pixels.
    public let width: Int

    /// Takes every part as given.
    public init(channels: Int, height: Int, width: Int) {
        self.channels = channels
        self.height = height
        self.width = width
    }

    /// How many numbers one image has.
    public var elements: Int { channels * height * width }
    /// How many positions one channel has.
    public var positions: Int { height * width }
}

extension ImageSet {
    /// The size of each image.
    public var shape: ImageShape {
        ImageShape(channels: channels, height: height, width: width)
    }
}
