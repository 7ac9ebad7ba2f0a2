import FathomCore
import FathomProtocol
import FathomWorker

/// What this build can compute: the one place where the commands meet the core's registries.
enum Engine {
    /// Hosts of one class compute equal bits.
    static var numericClass: String { NumericClass.description }

    /// What a manifest may ask for.
    static let capabilities = Capabilities(
        dataSets: DataSetCatalog.names,
        methods: PerturbationRegistry.methods.map { method in
            MethodCapability(method.name, method.allParameters.map(capability))
        },
        tasks: TaskKind.allCases.map(\.rawValue),
        models: ModelRegistry.entries.map {
            ModelCapability($0.name, defaultWidth: $0.defaultWidth)
        },
        defenses: DefenseRegistry.defenses.map { defense in
            DefenseCapability(defense.name, defense.parameters.map(capability))
        }, optimizers: TrainingSettings.Optimizer.allCases)

    /// Runs all jobs but probes.
    static func makeRunner() -> any JobRunner {
        CoreJobRunner(decodedSets: WorkFolder.decodedSets)
    }

    /// Reads a manifest and works it out; nothing is written.
    static func plan(_ path: String, dataFolder: String?) throws -> SweepPlan {
        try planWithFiles(path, dataFolder: dataFolder).plan
    }

    /// The same with the files of poisons made elsewhere, which jobs will read.
    static func planWithFiles(
        _ path: String, dataFolder: String?
    ) throws -> (plan: SweepPlan, imported: ImportedFiles) {
        let manifest = try Manifest.load(path, capabilities: capabilities)
        let library = DataSetLibrary(cache: WorkFolder.decodedSets)
        var facts: [String: DataFacts] = [:]
        for set in Set(manifest.data.map(\.set)).sorted() {
            facts[set] = try library.facts(name: set, folder: dataFolder)
        }
        let external = ExternalMethods(
            manifest: path, dataFolder: dataFolder, library: library)
        let starts = StartCheckpoints(manifest: path)
        let plan = try SweepPlanner.plan(
            manifest, facts: facts,
            measuredLayers: { model, facts, tasks in
                // A network that only a runner knows is as large as the manifest says.
                if let layers = model.runner?.layers { return Array(repeating: 1, count: layers) }
                let network = try ModelRegistry.network(
                    model,
                    heads: tasks.heads(
                        channels: facts.channels, classes: facts.classCount,
                        pixelClasses: facts.pixelClassCount),
                    channels: facts.channels, height: facts.height, width: facts.width)
                for training in manifest.training { try starts.check(training, network) }
                return tasks.measuredLayers(of: network).map(\.filterCount)
            },
            resolveMethod: { method, known in
                guard !method.isExternal else {
                    let set = facts.first { $0.value == known }?.key ?? ""
                    return try external.resolved(method, dataSet: set)
                }
                let resolved = try PerturbationRegistry.resolve(
                    method, channels: known.channels, height: known.height, width: known.width)
                try PerturbationRegistry.check(resolved, on: known)
                return resolved
            },
            resolveDefense: { defense, facts in
                try DefenseRegistry.resolve(
                    defense, channels: facts.channels, height: facts.height, width: facts.width)
            },
            resolveTraining: starts.resolved,
            reasonUnfit: { defense, task, facts in
                DefenseRegistry.reasonUnfit(
                    defense.name,
                    isDense: TaskSettings(text: task)?.kinds.contains { $0 != .cls } ?? false,
                    channels: facts.channels, height: facts.height, width: facts.width)
            }, crafting: crafting, revisions: try revisions())
        return (plan, ImportedFiles(files: external.files + starts.files))
    }

    /// What the core says a method takes; a method it does not know is refused before.
    private static func crafting(_ method: MethodSettings) -> MethodCrafting {
        guard !method.isExternal, let parts = try? PerturbationRegistry.parts(of: method) else {
            return MethodCrafting()
        }
        let surrogate = (try? PerturbationRegistry.surrogate(of: method)) ?? nil
        return MethodCrafting(
            parts: parts.count, rounds: parts.rounds,
            surrogate: surrogate.map {
                .init(model: $0.model, epochs: $0.epochs, task: $0.task, training: $0.training)
            })
    }

    private static func revisions() throws -> Revisions {
        var methods: [String: Int] = [:]
        for name in PerturbationRegistry.names {
            methods[name] = try PerturbationRegistry.revision(of: name)
        }
        let models = ModelRegistry.entries.map { ($0.name, ModelRegistry.revision) }
        let defenses = DefenseRegistry.defenses.map { ($0.name, $0.revision) }
        return Revisions(
            methods: methods, models: Dictionary(uniqueKeysWithValues: models),
            defenses: Dictionary(uniqueKeysWithValues: defenses))
    }

    /// Numbers that only apply beside certain words have their defaults filled in later, when the
    /// words are known.
    private static func capability(_ parameter: MethodParameter) -> ParameterCapability {
        let isConditional = parameter.condition != nil
        return switch parameter.kind {
        case .number(let value, let range, let isWhole) where isWhole:
            ParameterCapability(
                parameter.name,
                .whole(
                    default: isConditional ? nil : value.map { Int($0) },
                    Int(range.lowerBound)...Int(range.upperBound)),
                parameter.meaning)
        case .number(let value, let range, _):
            ParameterCapability(
                parameter.name,
                .number(
                    default: isConditional ? nil : value,
                    .from(range.lowerBound, to: range.upperBound)),
                parameter.meaning)
        case .word(let value, let allowed):
            ParameterCapability(
                parameter.name, .word(default: value, allowed), parameter.meaning)
        case .text(let example):
            ParameterCapability(parameter.name, .text(example: example), parameter.meaning)
        }
    }
}
