public import FathomCore
public import FathomProtocol

/// Puts a poison made elsewhere on the images of one run.
struct ImportedPoisonJob {
    let spec: PoisonSpec
    let data: RunnerData
    let context: RunContext

    func run() throws -> JobOutcome {
        let name = spec.method.name
        guard let digest = spec.method.words["digest"].flatMap({ Digest(hex: $0) }) else {
            throw RunnerError.unsupported(
                field: "methods", value: name, known: "imported poisons with their digest")
        }
        let clean = try data.images(spec.data, folder: context.dataFolder).train
        let poison = try ExternalPoison(encodedAt: try context.imported(digest))
        let images = try poison.applied(to: clean)
        context.progress(0.5)
        let artifact = try context.keep("poison", PoisonFile.encoded(images))
        return JobOutcome(
            poison: PoisonReport(
                numbers: poison.sizes(of: clean.indices), words: ["source": digest.short]),
            artifacts: [artifact])
    }
}

/// The images of a poison job, for export.
public enum PoisonReading {
    /// The whole clean training set, and the job's poisoned images with their indices in it.
    ///
    /// - Parameter path: The job's artifact `poison`.
    public static func images(
        _ spec: PoisonSpec, artifact path: String, dataFolder: String?
    ) throws -> (clean: ImageSet, poisoned: ImageSet) {
        let subset = try RunnerData().images(spec.data, folder: dataFolder).train
        let set = try DataSetLibrary().open(name: spec.data.settings.set, folder: dataFolder)
        return (try set.train, try PoisonFile.read(path, clean: subset))
    }
}
