/// The defenses that are known by name. A new defense is one file and one line here.
public enum DefenseRegistry {
    /// All defenses, in the order people are shown them.
    public static let defenses: [any Defense] = [
        NoDefense(), GrayDefense(), BitDepthDefense(), JPEGDefense(), BlurDefense(),
        ReleasedBlurDefense(), MedianDefense(), ProjectionDefense(), CutoutDefense(),
        CutMixDefense(), MixupDefense(), UEraserDefense(compresses: false),
        UEraserDefense(compresses: true), CoinDefense(), RSKDefense(), AdversarialTraining(),
    ]

    /// The names of all defenses.
    public static var names: [String] { defenses.map(\.name) }

    /// The defense called `name`.
    public static func defense(named name: String) throws(DefenseError) -> any Defense {
        guard let defense = defenses.first(where: { $0.name == name }) else {
            throw .unknownDefense(name: name, known: names)
        }
        return defense
    }

    /// Fills in every default and refuses what the defense does not know or cannot take.
    ///
    /// Settings that are complete already come back unchanged.
    public static func resolve(
        _ settings: DefenseSettings, channels: Int, height: Int, width: Int
    ) throws(DefenseError) -> DefenseSettings {
        let defense = try defense(named: settings.name)
        let shape = ImageShape(channels: channels, height: height, width: width)
        let completed = try completed(settings, of: defense, shape: shape)
        try defense.validate(completed, shape: shape)
        return completed
    }

    private static func completed(
        _ settings: DefenseSettings, of defense: any Defense, shape: ImageShape
    ) throws(DefenseError) -> DefenseSettings {
        let resolver = SettingsResolver(
            owner: defense.name, parameters: defense.parameters, numbers: settings.numbers,
            words: settings.words)
        do throws(SettingError) {
            let (numbers, words) = try resolver.resolved {
                defense.standard(of: $0, words: $1, shape: shape)
            }
            return DefenseSettings(name: defense.name, numbers: numbers, words: words)
        } catch {
            throw .setting(error)
        }
    }

    /// Why a defense means nothing for a task on images of this size; `nil`: it does mean something.
    ///
    /// - Parameter isDense: Whether the task has a target at every pixel.
    public static func reasonUnfit(
        _ name: String, isDense: Bool, channels: Int, height: Int, width: Int
    ) -> String? {
        guard let defense = defenses.first(where: { $0.name == name }) else { return nil }
        let shape = ImageShape(channels: channels, height: height, width: width)
        if isDense, defense.needsClassTarget {
            return "\(name) moves or mixes images, and a target at every pixel would have to follow"
        }
        return defense.reasonUnfit(shape: shape)
    }

    /// Makes what a defense of the data-set stage does to images; `nil` for all others.
    ///
    /// - Parameters:
    ///   - settings: May leave defaults out.
    ///   - images: What the victim trains on.
    ///   - random: Of the data seed; defenses that learn from images draw from it.
    public static func rewriting(
        _ settings: DefenseSettings, fittedTo images: ImageSet, random: RandomStream
    ) throws(DefenseError) -> (any ImageRewriting)? {
        guard let defense = try defense(named: settings.name) as? any DataSetDefense else {
            return nil
        }
        let shape = images.shape
        if let reason = defense.reasonUnfit(shape: shape) {
            throw .unsuited(defense: settings.name, reason: reason)
        }
        let resolved = try resolve(
            settings, channels: shape.channels, height: shape.height, width: shape.width)
        return defense.rewriting(
            resolved, fittedTo: images, random: random.derived("defense \(settings.name)"))
    }

    /// Makes ready what a defense does to every batch; `nil` for none, and for those of the
    /// data-set stage, which have done their part before.
    ///
    /// - Parameters:
    ///   - settings: May leave defaults out.
    ///   - images: What is trained on.
    public static func training(
        _ settings: DefenseSettings, on images: ImageSet
    ) throws(DefenseError) -> TrainingDefense? {
        guard let defense = try defense(named: settings.name) as? any BatchDefense else {
            return nil
        }
        let shape = images.shape
        if let reason = defense.reasonUnfit(shape: shape) {
            throw .unsuited(defense: settings.name, reason: reason)
        }
        let resolved = try resolve(
            settings, channels: shape.channels, height: shape.height, width: shape.width)
        return TrainingDefense(defense: defense, settings: resolved)
    }

    /// Whether the defense rewrites images before they are shown to a network: those that are
    /// trained on always are, clean and test images where the settings say so.
    public static func rewrites(_ settings: DefenseSettings, trained: Bool) -> Bool {
        guard defenses.first(where: { $0.name == settings.name })?.stage == .dataSet else {
            return false
        }
        return trained || settings.words[TestImages.parameter.name] == TestImages.transformed
    }
}
