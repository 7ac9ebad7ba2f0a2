import FathomCore

/// Collects cells and jobs, each job once, dependencies before those who depend on them.
struct PlanBuilder {
    private(set) var cells: [PlannedCell] = []
    private(set) var jobs: [PlannedJob] = []
    private var keys: Set<JobKey> = []

    private let manifest: Manifest
    private let filterCounts: [ModelOnData: [Int]]
    private let revisions: Revisions
    private let crafting: (MethodSettings) -> MethodCrafting
    private let labels: CellLabels
    private let seeds: [(number: Int, seeds: RunSeeds)]
    private let tasks: [TaskSettings]
    private let models: [PlannedModel]
    private let studies: [Study]
    private let planes: [Encoded<LandscapeSettings>]

    /// A training, and how SAL is measured beside it.
    struct Study {
        var training: Encoded<TrainingSettings>
        var sal: Encoded<SALSettings>
        var sweep: SALSweepSettings
        /// The epochs that are measured.
        var epochs: [Int]
        /// The epochs after which a segment ends: those, and where phases end; rising.
        var stops: [Int]
    }

    init(
        _ manifest: Manifest, labels: CellLabels, filterCounts: [ModelOnData: [Int]],
        revisions: Revisions, crafting: @escaping (MethodSettings) -> MethodCrafting
    ) {
        self.manifest = manifest
        self.crafting = crafting
        self.filterCounts = filterCounts
        self.revisions = revisions
        self.labels = labels
        seeds = manifest.seeds.runs(sweep: manifest.seed)
        tasks = manifest.tasks.compactMap { TaskSettings(text: $0) }
        models = manifest.models.map(PlannedModel.init)
        planes = (manifest.landscape?.planes ?? []).map(Encoded.init)
        studies = manifest.training.flatMap { training in
            manifest.sal.map { sal in
                let epochs = sal.measuredEpochs(of: training.epochs)
                return Study(
                    training: Encoded(training), sal: Encoded(sal.resolved(for: training)),
                    sweep: sal, epochs: epochs,
                    stops: Set(epochs + training.phaseEnds).sorted())
            }
        }
    }

    /// A network, as a cell and as jobs of each kind have it.
    struct PlannedModel {
        /// As the manifest has it.
        let value: ModelSettings
        let text: String
        let trained: Encoded<ModelSettings>
        let measured: Encoded<ModelSettings>
        let builtIn: Encoded<ModelSettings>

        init(_ value: ModelSettings) {
            self.value = value
            text = CanonicalJSON.text(of: value.identity)
            trained = Encoded(value.computing(.train))
            measured = Encoded(value.computing(.sal))
            var plain = value
            plain.runner = nil
            builtIn = Encoded(plain)
        }
    }

    /// Adds every cell of one data set, the methods of one setting side by side.
    ///
    /// - Parameters:
    ///   - methods: The manifest's methods in its order, complete for this data set.
    ///   - defenses: Its defenses in the same way.
    ///   - reasonUnfit: Why a defense means nothing for a task on this data set.
    mutating func addCells(
        of data: DataSettings, _ facts: DataFacts, methods: [MethodSettings],
        defenses: [DefenseSettings], reasonUnfit: (DefenseSettings, String) -> String?
    ) throws(PlanError) {
        let subsets = subsets(of: data, digest: facts.digest)
        let methods = zip(manifest.methods, methods.map { PlannedMethod($0, crafting) })
        let defenses = zip(manifest.defenses, defenses.map(Encoded.init))
        for task in tasks.flatMap(\.measurements) {
            for model in models {
                for (givenDefense, defense) in defenses {
                    let reason = reasonUnfit(defense.value, task.text)
                    for study in studies {
                        for (given, method) in methods {
                            try addCell(
                                Cell(
                                    data: data, classCount: facts.classCount, subsets: subsets,
                                    tasks: task, model: model, defense: defense, study: study,
                                    given: given, method: method, givenDefense: givenDefense,
                                    notApplicable: reason))
                        }
                    }
                }
            }
        }
    }

    /// The images of every run, encoded once for each seed.
    private func subsets(of data: DataSettings, digest: Digest) -> [Encoded<DataSpec>] {
        seeds.map { run in
            Encoded(
                DataSpec(
                    settings: data, digest: digest, sweepSeed: run.seeds.sweep,
                    dataSeed: run.seeds.data))
        }
    }

    // MARK: Cells

    private struct Cell {
        var data: DataSettings
        var classCount: Int
        var subsets: [Encoded<DataSpec>]
        var tasks: TaskSettings
        var model: PlannedModel
        var defense: Encoded<DefenseSettings>
        var study: Study
        /// The method as the manifest has it, which its label is made from.
        var given: MethodSettings
        var method: PlannedMethod
        var givenDefense: DefenseSettings
        var notApplicable: String?

        /// What is measured; what is trained may be more.
        var task: Encoded<String> { Encoded(tasks.text) }

        /// The digest of the canonical settings, seeds apart.
        var key: CellKey {
            var text = "{\"data\":\(CanonicalJSON.text(of: data)),\"defense\":\(defense.text)"
            text += ",\"every\":\(study.sweep.every),\"from\":\(study.sweep.from)"
            text +=
                ",\"method\":\(method.whole.text),\"model\":\(model.text),\"sal\":\(study.sal.text)"
            text += ",\"task\":\(task.text),\"training\":\(study.training.text)}"
            return CellKey(Digest(of: Array(text.utf8)))
        }
    }

    private mutating func addCell(_ cell: Cell) throws(PlanError) {
        var runs: [PlannedRun] = []
        for (run, subset) in zip(seeds, cell.subsets) where cell.notApplicable == nil {
            runs.append(try addRun(run.number, run.seeds, subset, cell))
        }
        let label = labels.method(
            cell.given, cell.data, cell.study.training.value, cell.study.sweep)
        cells.append(
            PlannedCell(
                key: cell.key, data: cell.data, method: cell.method.whole.value, methodLabel: label,
                task: cell.tasks.text, model: cell.model.value,
                modelLabel: labels.model(cell.model.value), defense: cell.defense.value,
                training: cell.study.training.value, sal: cell.study.sal.value, runs: runs,
                classCount: cell.classCount, defenseLabel: labels.defense(cell.givenDefense),
                notApplicable: cell.notApplicable))
    }

    // MARK: Runs

    private mutating func addRun(
        _ number: Int, _ seeds: RunSeeds, _ subset: Encoded<DataSpec>, _ cell: Cell
    ) throws(PlanError) -> PlannedRun {
        let poison = try addPoison(seeds, subset, cell)
        let course = CanonicalJob.Course(
            data: subset, poison: poison.last, task: Encoded(cell.tasks.trainingText),
            model: cell.model.trained, defense: cell.defense, training: cell.study.training,
            seed: seeds.train)
        let task = cell.task
        var weights: [JobKey?] = cell.study.epochs.map { _ in nil }
        if cell.tasks.learnsWeights { weights = try addCleanSegments(course, cell) }
        var run = PlannedRun(
            seed: number, poison: poison.last, segments: [], measurements: [],
            prerequisites: Array(poison.dropLast()))
        var open = weights[...]
        for epoch in cell.study.stops {
            let phase = cell.study.training.value.phase(ofEpoch: epoch)
            var course = course
            if phase?.data == .clean { course.poison = nil }
            let segment = segment(course, upTo: epoch, after: run.segments.last, cell)
            run.segments.append(try add(segment))
            guard cell.study.epochs.contains(epoch) else { continue }
            let measurement = measurement(
                course, task, segment.key, open.popFirst() ?? nil, phase?.images, seeds, cell)
            run.measurements.append(.init(epoch: epoch, job: try add(measurement)))
        }
        for plane in landscapes(ofRun: number) {
            let last = weights.last ?? nil
            let job = landscape(plane, course, run.segments, last, seeds, cell)
            run.landscapes.append(try add(job))
        }
        return run
    }

    /// The segment that ends with a stop, and begins after the stop before.
    private func segment(
        _ course: CanonicalJob.Course, upTo epoch: Int, after previous: JobKey?, _ cell: Cell
    ) -> PlannedJob {
        let first = (cell.study.stops.last { $0 < epoch } ?? 0) + 1
        return CanonicalJob.segment(
            course, epochs: first...epoch, previous: previous,
            revision: revisions.ofTraining(
                cell.model.value.name, defense: cell.defense.value.name) + cell.tasks.revision)
    }

    /// The same course without a poison: what it learned to weigh losses by holds for all.
    private mutating func addCleanSegments(
        _ course: CanonicalJob.Course, _ cell: Cell
    ) throws(PlanError) -> [JobKey?] {
        var clean = course
        clean.poison = nil
        var keys: [JobKey] = []
        for epoch in cell.study.stops {
            keys.append(try add(segment(clean, upTo: epoch, after: keys.last, cell)))
        }
        return zip(cell.study.stops, keys).filter { cell.study.epochs.contains($0.0) }.map(\.1)
    }

    /// Adds all that a run's poison takes.
    ///
    /// - Returns: Its jobs, the one that makes the poison last; none for clean images.
    private mutating func addPoison(
        _ seeds: RunSeeds, _ subset: Encoded<DataSpec>, _ cell: Cell
    ) throws(PlanError) -> [JobKey] {
        var added: [JobKey] = []
        var base: JobKey?
        for component in cell.method.components where component.settings.value.name != "clean" {
            var spec = PoisonSpec(
                data: subset.value, method: component.settings.value, seed: seeds.poison,
                base: base)
            if let surrogate = component.crafting.surrogate {
                let segments = try addSurrogate(surrogate, seeds, subset, cell.study)
                added += segments
                spec.surrogate = segments.last
            }
            added += try addParts(of: spec, subset, component)
            base = added.last
        }
        return added
    }

    /// Adds a crafting as one job, or as a chain of them.
    private mutating func addParts(
        of spec: PoisonSpec, _ subset: Encoded<DataSpec>, _ component: PlannedMethod.Component
    ) throws(PlanError) -> [JobKey] {
        var spec = spec
        var added: [JobKey] = []
        let crafting = component.crafting
        for part in 1...crafting.parts {
            spec.rounds = part < crafting.parts ? crafting.rounds : nil
            spec.previous = added.last
            added.append(
                try add(
                    CanonicalJob.poison(
                        spec, data: subset, method: component.settings,
                        revision: revisions.ofPoison(spec.method))))
        }
        return added
    }

    /// Adds the training of a network on clean images, as a clean run of the sweep would train it.
    private mutating func addSurrogate(
        _ surrogate: MethodCrafting.Surrogate, _ seeds: RunSeeds, _ subset: Encoded<DataSpec>,
        _ study: Study
    ) throws(PlanError) -> [JobKey] {
        // What is learned from and from where are the victim's.
        var other = surrogate.training ?? study.training.value
        other.phases = nil
        other.start = nil
        other.epochs = surrogate.epochs ?? other.epochs
        let training = Encoded(other)
        let course = CanonicalJob.Course(
            data: subset, poison: nil, task: Encoded(surrogate.task.rawValue),
            model: Encoded(surrogate.model),
            defense: Encoded(DefenseSettings(name: "none")), training: training, seed: seeds.train)
        var added: [JobKey] = []
        var first = 1
        for epoch in study.sweep.measuredEpochs(of: training.value.epochs) {
            added.append(
                try add(
                    CanonicalJob.segment(
                        course, epochs: first...epoch, previous: added.last,
                        revision: revisions.ofTraining(surrogate.model.name)
                            + surrogate.task.revision - 1)))
            first = epoch + 1
        }
        return added
    }

    /// The planes that are drawn of a run: of the first runs of each cell.
    private func landscapes(ofRun number: Int) -> [Encoded<LandscapeSettings>] {
        let drawn = seeds.prefix(manifest.landscape?.runs ?? 0)
        return drawn.contains { $0.number == number } ? planes : []
    }

    private func landscape(
        _ plane: Encoded<LandscapeSettings>, _ course: CanonicalJob.Course, _ segments: [JobKey],
        _ weights: JobKey?, _ seeds: RunSeeds, _ cell: Cell
    ) -> PlannedJob {
        let model = cell.model.value.name
        let training = cell.study.training.value
        // The plane goes through the last checkpoint and shows it the images of its phase.
        let phase = training.phase(ofEpoch: training.epochs)
        var course = course
        if phase?.data == .clean { course.poison = nil }
        course.model = cell.model.builtIn
        let (poison, isRewritten) = shown(plane.value.data, course, cell)
        let chosen =
            switch plane.value.plane {
            case .random: Array(segments.suffix(1))
            case .trajectory: LandscapeSettings.chosen(of: segments.count).map { segments[$0] }
            }
        let revision = revisions.ofLandscape(
            model, defense: isRewritten ? cell.defense.value.name : "none")
        return CanonicalJob.landscape(
            course, of: cell.task, poison: poison, rewritten: isRewritten, checkpoints: chosen,
            weights: weights, share: share(phase?.images, of: plane.value.data),
            landscape: plane, seed: seeds.sal,
            revision: revision + cell.tasks.revision)
    }

    /// What images are measured on as far as jobs before decide it: the poison, and whether the
    /// defense has rewritten them.
    private func shown(
        _ source: SALSettings.Source, _ course: CanonicalJob.Course, _ cell: Cell
    ) -> (poison: JobKey?, isRewritten: Bool) {
        let isTrained = source == .train
        let isRewritten = DefenseRegistry.rewrites(cell.defense.value, trained: isTrained)
        // Clean images do not depend on the poison, so such a job does not wait to read it,
        // unless a defense rewrites them that may have learned from poisoned ones.
        return (isTrained || isRewritten ? course.poison : nil, isRewritten)
    }

    /// Which training images a measurement takes its own from; `nil`: all, or none at all.
    private func share(
        _ share: TrainingPhase.Share?, of source: SALSettings.Source
    ) -> TrainingPhase.Share? {
        source == .test || share == .all ? nil : share
    }

    private func measurement(
        _ course: CanonicalJob.Course, _ task: Encoded<String>, _ checkpoint: JobKey,
        _ weights: JobKey?, _ share: TrainingPhase.Share?, _ seeds: RunSeeds, _ cell: Cell
    ) -> PlannedJob {
        let model = cell.model.value
        var course = course
        course.model = cell.model.measured
        let place = ModelOnData(
            model: model, dataSet: cell.data.set, task: cell.tasks.trainingText)
        let filters = filterCounts[place] ?? []
        let (poison, isRewritten) = shown(cell.study.sal.value.data, course, cell)
        let revision = revisions.ofSAL(
            model.name, defense: isRewritten ? cell.defense.value.name : "none")
        return CanonicalJob.measurement(
            course, of: task, poison: poison, rewritten: isRewritten, checkpoint: checkpoint,
            weights: weights, share: self.share(share, of: cell.study.sal.value.data),
            sal: cell.study.sal, seed: seeds.sal,
            revision: revision + cell.tasks.revision,
            entryCount: max(1, cell.study.sal.value.entryCount(filterCounts: filters)))
    }

    private mutating func add(_ job: PlannedJob) throws(PlanError) -> JobKey {
        if keys.insert(job.key).inserted {
            guard jobs.count < Limits.jobs else { throw .tooManyJobs(limit: Limits.jobs) }
            jobs.append(job)
        }
        return job.key
    }
}
