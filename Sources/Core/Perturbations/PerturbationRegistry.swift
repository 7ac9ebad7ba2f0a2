/// The methods that are known by name. A new method is one file and one line here.
public enum PerturbationRegistry {
    /// All methods, in the order people are shown them.
    public static var methods: [any PerturbationMethod] { builtIn + additional }

    /// Methods of a program that uses this library, known while a body runs:
    /// `PerturbationRegistry.$additional.withValue([SquareMethod()]) { ... }`.
    @TaskLocal public static var additional: [any PerturbationMethod] = []

    private static let builtIn: [any PerturbationMethod] = [
        CleanMethod(), RandomMethod(form: .sampleWise), RandomMethod(form: .classWise),
        LabelMethod(kind: .noise), LabelMethod(kind: .random), LSPMethod(), OPSMethod(), ARMethod(),
        CUDAMethod(), PILMethod(), EMMethod(), EMClassMethod(),
        TrainedSurrogateMethod(goal: .adversarial), TrainedSurrogateMethod(goal: .hypocritical),
        REMMethod(),
    ]

    /// The names of all methods.
    public static var names: [String] { methods.map(\.name) }

    /// The method called `name`.
    public static func method(named name: String) throws(MethodError) -> any PerturbationMethod {
        guard let method = methods.first(where: { $0.name == name }) else {
            throw .unknownMethod(name: name, known: names)
        }
        return method
    }

    /// The version of the method's code, for job keys.
    public static func revision(of name: String) throws(MethodError) -> Int {
        try method(named: name).revision
    }

    /// Fills in every default and refuses what the method does not know or cannot take.
    ///
    /// Settings that are complete already come back unchanged.
    public static func resolve(
        _ settings: MethodSettings, channels: Int, height: Int, width: Int
    ) throws(MethodError) -> MethodSettings {
        if settings.isCombination {
            return try resolvedCombination(
                settings, channels: channels, height: height, width: width)
        }
        let method = try method(named: settings.name)
        let shape = ImageShape(channels: channels, height: height, width: width)
        let completed = try completed(settings, of: method, shape: shape)
        try method.validate(completed, shape: shape)
        return completed
    }

    private static func completed(
        _ settings: MethodSettings, of method: any PerturbationMethod, shape: ImageShape
    ) throws(MethodError) -> MethodSettings {
        let resolver = SettingsResolver(
            owner: method.name, parameters: method.allParameters, numbers: settings.numbers,
            words: settings.words)
        do throws(SettingError) {
            let (numbers, words) = try resolver.resolved {
                method.standard(of: $0, words: $1, shape: shape)
            }
            return MethodSettings(
                name: method.name, numbers: numbers,
                words: try SharedSettings.canonical(words, of: method.name))
        } catch {
            throw .setting(error)
        }
    }

    /// Crafts a perturbation and puts it on the images.
    ///
    /// - Parameters:
    ///   - settings: May leave defaults out.
    ///   - images: The clean images; labels and indices are kept.
    ///   - keys: Which pattern each image gets, usually its label; see `PoisonKeys`.
    ///   - seed: The poison's seed.
    ///   - surrogate: A network trained on clean images, for methods that read one.
    ///   - targets: What `craftTask` should say of the images, where it is no classification.
    /// - Returns: 8-bit images, the perturbation before clipping, and a report.
    /// - Throws: `MethodError` for settings or images that the method cannot take.
    public static func craft(
        _ settings: MethodSettings, images: ImageSet, keys: [Int32], seed: UInt64,
        surrogate: TrainingState? = nil, targets: TaskTargets? = nil
    ) throws(MethodError) -> CraftedPoison {
        let request = try request(
            settings, images: images, keys: keys, seed: seed, surrogate: surrogate,
            targets: targets)
        let method = try method(named: settings.name)
        return try PoisonReporter(method: method, request: request)
            .poison(from: try method.masked(request))
    }

    /// What `craft` hands to the method: complete settings and checked keys.
    static func request(
        _ settings: MethodSettings, images: ImageSet, keys: [Int32], seed: UInt64,
        surrogate: TrainingState? = nil, targets: TaskTargets? = nil
    ) throws(MethodError) -> CraftRequest {
        let resolved = try resolve(
            settings, channels: images.channels, height: images.height, width: images.width)
        guard images.count > 0, keys.count == images.count else {
            throw .unsuited(
                method: settings.name,
                reason: "there are \(images.count) images and \(keys.count) keys; "
                    + "it needs one key for each of at least one image")
        }
        if let key = keys.first(where: { !(0..<keysMax).contains($0) }) {
            throw .unsuited(
                method: settings.name, reason: "a key is \(key); keys lie within 0..<\(keysMax)")
        }
        return CraftRequest(
            settings: resolved, images: images, keys: keys, seed: seed, surrogate: surrogate,
            targets: targets)
    }

    /// More keys than any data set has classes.
    private static let keysMax: Int32 = 1 << 16
}

extension PerturbationMethod {
    /// The perturbation, on those images alone that the settings choose.
    func masked(_ request: CraftRequest) throws(MethodError) -> Perturbation {
        PoisonMask(request).applied(to: try perturbation(request), of: request.images)
    }
}
