import FathomCore
import FathomProtocol

/// The subsets of a data set that a run trains and is judged on.
struct RunImages {
    let train: ImageSet
    let test: ImageSet
    /// Training images of the whole set.
    let setCount: Int

    /// Positions of the training images that a phase is of; `nil`: all.
    func positions(of share: TrainingPhase.Share) -> [Int]? {
        share == .all ? nil : share.positions(of: train.indices, setCount: setCount)
    }

    func network(_ model: ModelSettings, _ tasks: TaskSettings) throws -> Network {
        try ModelRegistry.network(
            model,
            heads: tasks.heads(
                channels: train.channels, classes: train.classCount,
                pixelClasses: train.pixelClassCount),
            channels: train.channels, height: train.height, width: train.width)
    }

    func images(_ part: DataSet.Part) -> ImageSet { part == .train ? train : test }
}

/// Opens data sets and poisons, and keeps those used last.
final class RunnerData {
    private let library: DataSetLibrary
    private var images: (spec: DataSpec, images: RunImages)?
    private var poison: (key: JobKey, images: ImageSet)?
    fileprivate var defended: (cause: DefenseCause, images: DefendedImages)?
    private var clips: (digest: Digest, kinds: [TaskKind], clips: ClipConstants)?
    private var targets: [TargetKey: TaskTargets] = [:]

    /// What targets were made for.
    private struct TargetKey: Hashable {
        var part: DataSet.Part
        var indices: [Int]
        var kinds: [TaskKind]
        var losses: [TaskLoss]
        /// Whose images they were worked out from; `nil`: the clean ones.
        var released: JobKey?
        var source: TargetSource
        var labels: [Int32]
    }

    /// - Parameter decodedSets: A folder that decoded data sets are kept in, shared with others.
    init(decodedSets: String? = nil) { library = DataSetLibrary(cache: decodedSets) }

    /// The subsets that `spec` names; clean.
    func images(_ spec: DataSpec, folder: String?) throws -> RunImages {
        if let images, images.spec == spec { return images.images }
        let set = try open(spec, folder: folder)
        let random = RandomStream(seed: spec.sweepSeed)
            .derived("data", Int(truncatingIfNeeded: spec.dataSeed))
        let chosen = RunImages(
            train: try set.subset(
                .train, count: spec.settings.train, random: random.derived("train")),
            test: try set.subset(
                .test, count: spec.settings.test, random: random.derived("test")),
            setCount: set.facts.trainCount)
        images = (spec, chosen)
        poison = nil
        targets = [:]
        defended = nil
        return chosen
    }

    private func open(_ spec: DataSpec, folder: String?) throws -> DataSet {
        let set = try library.open(name: spec.settings.set, folder: folder)
        guard set.facts.digest == spec.digest else {
            throw RunnerError.dataDiffers(
                set: spec.settings.set, here: set.facts.digest.short, planned: spec.digest.short)
        }
        return set
    }

    /// What is trained on: the poison's images, or the clean ones without a poison.
    func trained(on key: JobKey?, clean: ImageSet, _ context: RunContext) throws -> ImageSet {
        guard let key else { return clean }
        if let poison, poison.key == key { return poison.images }
        let images = try PoisonFile.read(try context.input(key, "poison"), clean: clean)
        poison = (key, images)
        return images
    }

    /// What the tasks should say about images of a part.
    ///
    /// - Parameters:
    ///   - shown: The images as the network sees them, a subset of the part's.
    ///   - key: The job that perturbed them; `nil`: nothing did.
    func targets(
        _ tasks: TaskSettings, of shown: ImageSet, perturbedBy key: JobKey?, _ part: DataSet.Part,
        _ spec: DataSpec, folder: String?
    ) throws -> TaskTargets {
        let released = tasks.targets == .released ? key : nil
        let place = TargetKey(
            part: part, indices: shown.indices, kinds: tasks.kinds, losses: tasks.losses,
            released: released,
            source: tasks.targets, labels: shown.labels)
        if let made = targets[place] { return made }
        let set = try open(spec, folder: folder)
        let source = released == nil ? try set.images(part, at: shown.indices) : shown
        // What a thief derives comes from pixels alone, of test images too.
        let maps =
            tasks.targets == .clean
            ? try set.maps(part, of: shown, for: tasks.kinds, losses: tasks.losses) : nil
        let made = TaskTargets(
            of: tasks.kinds, images: source, labels: shown.labels, maps: maps,
            clips: try clips(of: set, tasks), losses: tasks.otherLosses)
        // Training, test and SAL images of one run; more would only grow.
        if targets.count >= 6 { targets = [:] }
        targets[place] = made
        return made
    }

    /// Where the set's responses are cut; worked out once, and only for tasks that are cut.
    private func clips(of set: DataSet, _ tasks: TaskSettings) throws -> ClipConstants {
        guard tasks.needsClips else { return ClipConstants(edge: 1, keypoint: 1) }
        let kinds = tasks.kinds
        if let clips, clips.digest == set.facts.digest, clips.kinds == kinds { return clips.clips }
        let count = min(ClipConstants.imagesMax, set.facts.trainCount)
        let made = ClipConstants(for: kinds, of: try set.images(.train, at: Array(0..<count)))
        clips = (set.facts.digest, kinds, made)
        return made
    }
}

/// What a run's networks are shown once its defense has rewritten images.
struct DefendedImages {
    /// What is trained on.
    private(set) var train: ImageSet
    /// Which of the run's training images those are; `nil`: all.
    private(set) var positions: [Int]?
    fileprivate let rewriting: (any ImageRewriting)?

    /// The same with fewer images to train on; `nil`: all.
    func restricted(to positions: [Int]?) -> DefendedImages {
        guard let positions else { return self }
        var restricted = self
        restricted.train = train.selecting(positions)
        restricted.positions = positions
        return restricted
    }

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
