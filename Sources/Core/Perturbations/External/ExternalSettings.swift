/// How the files of a poison made elsewhere are to be understood.
public struct ExternalSettings: Hashable, Sendable {
    public enum Application: String, Hashable, Sendable, CaseIterable {
        /// Bytes replace images, whole numbers and fractions are added.
        case auto
        /// Numbers are images.
        case replace
        /// Numbers are added to images: whole ones in grey levels, fractions in pixels of 0...1.
        case add
    }
    public enum Sign: String, Hashable, Sendable, CaseIterable {
        case both
        /// Negative perturbations count as zero, as in the released loader of error-minimizing
        /// noise.
        case positive
    }
    public enum Rounding: String, Hashable, Sendable, CaseIterable {
        /// To the nearest byte, halves up.
        case nearest
        /// Down, as some released loaders do.
        case truncate
    }

    public var application: Application
    public var sign: Sign
    public var rounding: Rounding
    /// Which array of a file with several; `nil` where there is one.
    public var array: String?
    /// Whether images that the source lacks stay clean, rather than being an error.
    public var allowsPartial: Bool

    public init(
        application: Application = .auto, sign: Sign = .both, rounding: Rounding = .nearest,
        array: String? = nil, allowsPartial: Bool = false
    ) {
        self.application = application
        self.sign = sign
        self.rounding = rounding
        self.array = array
        self.allowsPartial = allowsPartial
    }
}

/// Why a poison made elsewhere cannot be used.
public enum ExternalError: Error, Hashable, Sendable {
    /// A file breaks its format.
    case data(DataError)
    /// What the files hold does not go with the images or the settings.
    case misfit(file: String, expected: String, found: String)
}

extension ExternalError: CustomStringConvertible {
    /// What went wrong, the value, and what would be right.
    public var description: String {
        switch self {
        case .data(let error): error.description
        case .misfit(let file, let expected, let found):
            "\(file): expected \(expected), found \(found)"
        }
    }
}
