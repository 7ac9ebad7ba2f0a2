import FathomCore
import FathomProtocol

extension ImportedSAL {
    /// Stands for a runner wherever results came from outside; leaderboards show it behind the
    /// network's name.
    public static let runner = "imported"
    /// What tells imported cells from others in a store.
    static let modelMark = "@\(runner)/"

    /// The cells, jobs and outcomes the file comes to, as though a runner had computed them.
    ///
    /// - Parameter term: Of the leases that the outcomes answer.
    func plan(_ setting: Setting, term: Int) -> (plan: SweepPlan, changes: [StoreChange]) {
        var model = setting.model
        model.runner = RunnerReference(name: Self.runner, device: "elsewhere")
        var cells: [PlannedCell] = []
        var jobs: [PlannedJob] = []
        var changes: [StoreChange] = []
        let lastEpoch = rows.map(\.epoch).max() ?? 1
        for (method, ofMethod) in grouped(rows, by: \.method) {
            var runs: [PlannedRun] = []
            for (seed, ofRun) in grouped(ofMethod, by: \.seed) {
                guard let file = digests[RunName(method: method, seed: seed)] else { continue }
                let maker = RunMaker(
                    setting: setting, model: model, file: file, method: method, seed: seed,
                    lastEpoch: lastEpoch, term: term)
                let (run, made, outcomes) = maker.make(ofRun)
                runs.append(run)
                jobs += made
                changes += outcomes
            }
            cells.append(cell(method, setting, model, runs, lastEpoch: lastEpoch))
        }
        let plan = SweepPlan(
            name: setting.sweep, manifest: "{}", cells: cells, jobs: jobs,
            comparison: ComparisonSettings(
                threshold: cells.allSatisfy { $0.runs.count >= 3 } ? .crossfit : .released))
        return (plan, changes)
    }

    private func cell(
        _ method: String, _ setting: Setting, _ model: ModelSettings, _ runs: [PlannedRun],
        lastEpoch: Int
    ) -> PlannedCell {
        let key =
            "imported \(setting.dataSet) \(setting.task) \(setting.defense) \(model.name) "
            + "\(model.width ?? 0) \(method) \(lastEpoch)"
        let network = model.width.map { "\(model.name)-w\($0)" } ?? model.name
        return PlannedCell(
            key: CellKey(Digest(of: Array(key.utf8))), data: data(setting),
            method: MethodSettings(name: method), methodLabel: method, task: setting.task,
            model: model, modelLabel: network + Self.modelMark + "elsewhere",
            defense: DefenseSettings(name: setting.defense),
            training: TrainingSettings(epochs: lastEpoch), sal: SALSettings(), runs: runs,
            classCount: setting.classes)
    }

    /// In the order in which they are met first.
    private func grouped<Name: Hashable>(
        _ rows: [Row], by name: (Row) -> Name
    ) -> [(Name, [Row])] {
        var order: [Name] = []
        let groups = Dictionary(grouping: rows, by: name)
        for row in rows where !order.contains(name(row)) { order.append(name(row)) }
        return order.map { ($0, groups[$0] ?? []) }
    }
}

private func data(_ setting: ImportedSAL.Setting) -> DataSettings {
    DataSettings(set: setting.dataSet, train: 0, test: 0)
}

/// Makes one run's jobs, and what came of them.
private struct RunMaker {
    let setting: ImportedSAL.Setting
    let model: ModelSettings
    let file: Digest
    let method: String
    let seed: Int
    let lastEpoch: Int
    let term: Int

    /// Names the run's images, of which nothing is known but where the numbers came from.
    private var spec: DataSpec {
        DataSpec(
            settings: data(setting),
            digest: Digest(of: Array("imported \(file.hex) \(method) \(seed)".utf8)),
            sweepSeed: 0, dataSeed: UInt64(seed))
    }

    func make(
        _ rows: [ImportedSAL.Row]
    ) -> (run: PlannedRun, jobs: [PlannedJob], changes: [StoreChange]) {
        var jobs: [PlannedJob] = []
        var changes: [StoreChange] = []
        var run = PlannedRun(seed: seed, poison: nil, segments: [], measurements: [])
        if let trained = training(rows) {
            jobs.append(trained.job)
            run.segments = [trained.job.key]
            changes += finished(trained.job, trained.outcome)
        }
        for (epoch, ofEpoch) in Dictionary(grouping: rows, by: \.epoch).sorted(by: { $0.0 < $1.0 })
        {
            let measured = ofEpoch.enumerated().map { index, row in
                SALRow(layerIndex: index, measurement: row.measurement)
            }
            let body = SALSpec(
                data: spec, poison: nil, task: setting.task, model: model,
                checkpoint: JobKey(Digest(of: Array("epoch \(epoch)".utf8))),
                settings: SALSettings(), seed: UInt64(seed))
            let job = PlannedJob(
                spec: JobSpec(.sal(body), revision: 1), entryCount: measured.count)
            jobs.append(job)
            run.measurements.append(.init(epoch: epoch, job: job.key))
            changes += finished(job, JobOutcome(sal: measured))
        }
        return (run, jobs, changes)
    }

    /// The run's accuracies, where the file tells of them.
    private func training(
        _ rows: [ImportedSAL.Row]
    ) -> (job: PlannedJob, outcome: JobOutcome)? {
        var metrics: [Int: MetricRow] = [:]
        for row in rows {
            guard let accuracy = row.accuracy else { continue }
            metrics[row.epoch] = MetricRow(
                epoch: row.epoch, task: setting.task, split: "test", name: "accuracy",
                value: accuracy)
        }
        guard !metrics.isEmpty else { return nil }
        let body = TrainSpec(
            data: spec, poison: nil, task: setting.task, model: model,
            defense: DefenseSettings(name: setting.defense),
            training: TrainingSettings(epochs: lastEpoch), seed: UInt64(seed), firstEpoch: 1,
            lastEpoch: lastEpoch, previous: nil)
        let job = PlannedJob(spec: JobSpec(.train(body), revision: 1), entryCount: 1)
        return (job, JobOutcome(metrics: metrics.sorted { $0.key < $1.key }.map(\.value)))
    }

    private func finished(_ job: PlannedJob, _ outcome: JobOutcome) -> [StoreChange] {
        let lease = Lease(job: job.key, attempt: 1, term: term, entries: 0..<job.entryCount)
        return [
            .accepted(lease, worker: WorkerID("imported"), outcome: outcome),
            .jobFinished(job.key),
        ]
    }
}
