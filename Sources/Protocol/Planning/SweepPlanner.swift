public import FathomCore

/// Works a manifest out into cells, runs and jobs. Nothing is run, and nothing but the arguments
/// decides what comes out.
public enum SweepPlanner {
    /// Plans a sweep.
    ///
    /// - Parameters:
    ///   - facts: What each data set of the manifest is, by its name.
    ///   - measuredLayers: The filters (output channels) of each layer that is measured of a
    ///     network for some tasks, in their order; called once for each model, data set and tasks.
    ///   - resolveMethod: Fills in what of a method's settings depends on the size of the images,
    ///     and refuses what does not fit them; by default settings stay as they are.
    ///   - resolveDefense: The same for defenses.
    ///   - resolveTraining: Names what a training starts from by its content, and refuses what is
    ///     no checkpoint; by default settings stay as they are.
    ///   - reasonUnfit: Why a defense means nothing for a task on such images; its cells are then
    ///     planned without runs.
    ///   - crafting: What it takes to craft a method with complete settings; by default one job.
    ///   - revisions: The versions of the code that will compute the jobs.
    public static func plan(
        _ manifest: Manifest, facts: [String: DataFacts],
        measuredLayers: (ModelSettings, DataFacts, TaskSettings) throws -> [Int],
        resolveMethod: (MethodSettings, DataFacts) throws -> MethodSettings = { given, _ in given },
        resolveDefense: (DefenseSettings, DataFacts) throws -> DefenseSettings = { given, _ in
            given
        },
        resolveTraining: (TrainingSettings) throws -> TrainingSettings = { $0 },
        reasonUnfit: (DefenseSettings, String, DataFacts) -> String? = { _, _, _ in nil },
        crafting: @escaping (MethodSettings) -> MethodCrafting = { _ in MethodCrafting() },
        revisions: Revisions
    ) throws(PlanError) -> SweepPlan {
        try PlanCheck.check(manifest, facts: facts)
        let filterCounts = try PlanCheck.filterCounts(manifest, facts, measuredLayers)
        var resolved = manifest
        resolved.training = try PlanCheck.resolved(manifest.training, resolveTraining)
        var builder = PlanBuilder(
            resolved, labels: CellLabels(manifest), filterCounts: filterCounts,
            revisions: revisions, crafting: crafting)
        for data in manifest.data {
            guard let known = facts[data.set] else { throw .factsMissing(dataSet: data.set) }
            let methods = try PlanCheck.resolved(manifest.methods, on: data, known, resolveMethod)
            let defenses = try PlanCheck.resolved(
                manifest.defenses, on: data, known, resolveDefense)
            try builder.addCells(of: data, known, methods: methods, defenses: defenses) {
                reasonUnfit($0, $1, known)
            }
        }
        return SweepPlan(
            name: manifest.name, manifest: manifest.canonicalJSON, cells: builder.cells,
            jobs: builder.jobs, comparison: manifest.compare,
            notes: PlanNotes.of(manifest) + PlanNotes.of(facts)
                + PlanNotes.notApplicable(builder.cells),
            auditShare: manifest.audit, keep: manifest.keep)
    }
}

/// A network beside a data set and what it learns from it.
struct ModelOnData: Hashable {
    var model: ModelSettings
    var dataSet: String
    /// What it learns, as `TaskSettings.trainingText` has it.
    var task: String
}

/// What must hold before a sweep is worth planning.
enum PlanCheck {
    static func check(_ manifest: Manifest, facts: [String: DataFacts]) throws(PlanError) {
        for data in manifest.data {
            guard let known = facts[data.set] else { throw .factsMissing(dataSet: data.set) }
            try available("data.train", data.train, known.trainCount, data.set)
            try available("data.test", data.test, known.testCount, data.set)
            for sal in manifest.sal {
                let count = sal.settings.data == .test ? known.testCount : known.trainCount
                try available("sal.images", sal.settings.images, count, data.set)
            }
            for plane in manifest.landscape?.planes ?? [] {
                let count = plane.data == .test ? known.testCount : known.trainCount
                try available("landscape.images", plane.images, count, data.set)
            }
        }
        let sides = [
            manifest.data.count, manifest.tasks.reduce(0) { $0 + PlanCheck.cellCount(of: $1) },
            manifest.models.count,
            manifest.defenses.count, manifest.training.count, manifest.sal.count,
            manifest.methods.count,
        ]
        var cellCount = 1
        for side in sides {
            // Each side is bounded, so that the product of two of them cannot overflow.
            cellCount *= side
            guard cellCount <= Limits.cells else { throw .tooManyCells(limit: Limits.cells) }
        }
    }

    /// How many cells a task makes: tasks learned together make one for each loss measured.
    private static func cellCount(of task: String) -> Int {
        TaskSettings(text: task)?.measurements.count ?? 1
    }

    /// The methods with their settings complete for images of one size, in the manifest's order.
    static func resolved(
        _ methods: [MethodSettings], on data: DataSettings, _ facts: DataFacts,
        _ resolve: (MethodSettings, DataFacts) throws -> MethodSettings
    ) throws(PlanError) -> [MethodSettings] {
        var complete: [MethodSettings] = []
        for method in methods {
            do {
                complete.append(try resolve(method, facts))
            } catch {
                throw .methodUnfit(method: method.name, dataSet: data.set, reason: "\(error)")
            }
        }
        return complete
    }

    /// Trainings, each with what it starts from.
    static func resolved(
        _ trainings: [TrainingSettings], _ resolve: (TrainingSettings) throws -> TrainingSettings
    ) throws(PlanError) -> [TrainingSettings] {
        var complete: [TrainingSettings] = []
        for training in trainings {
            do {
                complete.append(try resolve(training))
            } catch {
                throw .startUnfit(
                    checkpoint: training.start?.checkpoint ?? "", reason: "\(error)")
            }
        }
        return complete
    }

    /// The defenses in the same way.
    static func resolved(
        _ defenses: [DefenseSettings], on data: DataSettings, _ facts: DataFacts,
        _ resolve: (DefenseSettings, DataFacts) throws -> DefenseSettings
    ) throws(PlanError) -> [DefenseSettings] {
        var complete: [DefenseSettings] = []
        for defense in defenses {
            do {
                complete.append(try resolve(defense, facts))
            } catch {
                throw .defenseUnfit(
                    defense: defense.name, dataSet: data.set, reason: "\(error)")
            }
        }
        return complete
    }

    /// The tasks of a manifest, whose texts were checked when it was read.
    static func tasks(
        _ manifest: Manifest, on data: DataSettings, _ facts: DataFacts
    ) throws(PlanError) -> [TaskSettings] {
        var tasks: [TaskSettings] = []
        for text in manifest.tasks {
            guard let settings = TaskSettings(text: text) else {
                throw .taskUnfit(task: text, dataSet: data.set, reason: "it is no known task")
            }
            if let reason = settings.problem(with: facts) {
                throw .taskUnfit(task: text, dataSet: data.set, reason: reason)
            }
            tasks.append(settings)
        }
        return tasks
    }

    private static func available(
        _ field: String, _ asked: Int, _ available: Int, _ set: String
    ) throws(PlanError) {
        guard asked <= available else {
            throw .tooFewImages(field: field, asked: asked, available: available, dataSet: set)
        }
    }

    /// The filters of each measured layer of each network on each data set.
    static func filterCounts(
        _ manifest: Manifest, _ facts: [String: DataFacts],
        _ measuredLayers: (ModelSettings, DataFacts, TaskSettings) throws -> [Int]
    ) throws(PlanError) -> [ModelOnData: [Int]] {
        var counts: [ModelOnData: [Int]] = [:]
        for data in manifest.data {
            guard let known = facts[data.set] else { throw .factsMissing(dataSet: data.set) }
            for tasks in try PlanCheck.tasks(manifest, on: data, known) {
                for model in manifest.models {
                    let place = ModelOnData(
                        model: model, dataSet: data.set, task: tasks.trainingText)
                    guard counts[place] == nil else { continue }
                    counts[place] = try filterCounts(place, tasks, known, measuredLayers)
                }
            }
        }
        return counts
    }

    private static func filterCounts(
        _ place: ModelOnData, _ tasks: TaskSettings, _ facts: DataFacts,
        _ measuredLayers: (ModelSettings, DataFacts, TaskSettings) throws -> [Int]
    ) throws(PlanError) -> [Int] {
        let layers: [Int]
        do {
            layers = try measuredLayers(place.model, facts, tasks)
        } catch {
            throw .modelUnfit(
                model: place.model.name, dataSet: place.dataSet, reason: String(describing: error))
        }
        guard !layers.isEmpty else {
            throw .modelUnfit(
                model: place.model.name, dataSet: place.dataSet,
                reason: "it has no layer to measure")
        }
        return layers
    }
}
