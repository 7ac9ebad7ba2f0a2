import FathomCore
import FathomProtocol

/// The subsets of a data set that a run trains and is judged on.
struct RunImages {
    let train: ImageSet
    let test: ImageSet

    func network(_ model: ModelSettings) throws -> Network {
        try ModelRegistry.classifier(
            model, channels: train.channels, height: train.height, width: train.width,
            classes: train.classCount)
    }
}

/// Opens data sets and poisons, and keeps those used last.
final class RunnerData {
    private let library = DataSetLibrary()
    private var images: (spec: DataSpec, images: RunImages)?
    private var poison: (key: JobKey, images: ImageSet)?
    fileprivate var defended: (cause: DefenseCause, images: DefendedImages)?

    /// The subsets that `spec` names; clean.
    func images(_ spec: DataSpec, folder: String?) throws -> RunImages {
        if let images, images.spec == spec { return images.images }
        let set = try library.open(name: spec.settings.set, folder: folder)
        guard set.facts.digest == spec.digest else {
            throw RunnerError.dataDiffers(
                set: spec.settings.set, here: set.facts.digest.short, planned: spec.digest.short)
        }
        let random = RandomStream(seed: spec.sweepSeed)
            .derived("data", Int(truncatingIfNeeded: spec.dataSeed))
        let chosen = RunImages(
            train: try set.train.stratifiedSubset(
                count: spec.settings.train, random: random.derived("train")),
            test: try set.test.stratifiedSubset(
                count: spec.settings.test, random: random.derived("test")))
        images = (spec, chosen)
        poison = nil
        defended = nil
        return chosen
    }

    /// What is trained on: the poison's images, or the clean ones without a poison.
    func trained(on key: JobKey?, clean: ImageSet, _ context: RunContext) throws -> ImageSet {
        guard let key else { return clean }
        if let poison, poison.key == key { return poison.images }
        let images = try PoisonFile.read(try context.input(key, "poison"), clean: clean)
        poison = (key, images)
        return images
    }
}

/// What a run's networks are shown once its defense has rewritten images.
struct DefendedImages {
    /// What is trained on.
    let train: ImageSet
    fileprivate let rewriting: (any ImageRewriting)?

    /// Images that are not trained on, as the defense has them shown.
    func shown(_ images: ImageSet) -> ImageSet { rewriting?.rewritten(images) ?? images }
}

/// All that rewritten images depend on.
private struct DefenseCause: Hashable {
    var data: DataSpec
    var poison: JobKey?
    var defense: DefenseSettings
}

extension RunnerData {
    /// What is trained on under a defense, and how clean and test images are shown.
    ///
    /// What a defense draws comes from the data seed, so that training and SAL see equal images.
    func defended(
        _ defense: DefenseSettings, _ spec: DataSpec, poison key: JobKey?, clean: ImageSet,
        _ context: RunContext
    ) throws -> DefendedImages {
        let cause = DefenseCause(data: spec, poison: key, defense: defense)
        if let defended, defended.cause == cause { return defended.images }
        let images = try trained(on: key, clean: clean, context)
        let random = RandomStream(seed: spec.sweepSeed)
            .derived("defense", Int(truncatingIfNeeded: spec.dataSeed))
        let rewriting = try DefenseRegistry.rewriting(defense, fittedTo: images, random: random)
        let rewritesAll = DefenseRegistry.rewrites(defense, trained: false)
        let made = DefendedImages(
            train: rewriting?.rewritten(images) ?? images,
            rewriting: rewritesAll ? rewriting : nil)
        defended = (cause, made)
        return made
    }
}

/// A poison as an artifact: 8-bit images `[N, C, H, W]` and labels `[N]` in one safetensors file.
enum PoisonFile {
    static func encoded(_ images: ImageSet) -> [UInt8] {
        var file = SafetensorsFile(metadata: ["format": "fathom-poison-1"])
        file.set(
            "images",
            to: StoredArray(
                shape: [images.count, images.channels, images.height, images.width],
                values: .uint8(images.pixels)))
        file.set(
            "labels", to: StoredArray(shape: [images.count], values: .int32(images.labels)))
        return file.encoded()
    }

    static func read(_ path: String, clean: ImageSet) throws -> ImageSet {
        let file = try SafetensorsFile(path: path)
        guard let pixels = file["images"]?.bytes, let labels = file["labels"]?.integers,
            pixels.count == clean.pixels.count, labels.count == clean.count,
            labels.allSatisfy({ (0..<clean.classCount).contains($0) })
        else {
            throw RunnerError.artifactMisfits(
                "poison", reason: "it does not hold \(clean.count) images of this data set")
        }
        var images = clean
        images.pixels = pixels
        images.labels = labels.map { Int32($0) }
        return images
    }
}
