import FathomCore
import FathomProtocol
import Foundation

/// One job given to a runner: its inputs, the conversation, and what came of it.
struct RunnerJob {
    let process: RunnerProcess
    let inputs: RunnerInputs
    let data: RunnerData
    let context: RunContext
    let limits: RunnerLimits
    /// When it must be done.
    let end: Instant

    // MARK: Training

    func train(_ spec: TrainSpec, key: JobKey) throws -> JobOutcome {
        let tasks = try checked(spec.task)
        let source = try data.images(spec.data, folder: context.dataFolder)
        let share = spec.training.phase(ofEpoch: spec.firstEpoch)?.images
        let random = RandomStream(seed: spec.data.sweepSeed)
            .derived("run", Int(truncatingIfNeeded: spec.seed))
        let (images, files) = try trainingFiles(spec, source, share)
        var all = files
        try process.scratch.clearJob()
        all.merge(try drawFiles(spec, images, random)) { $1 }
        all.merge(try startFiles(spec, source, tasks, random)) { $1 }
        let rewrites = DefenseRegistry.rewrites(spec.defense, trained: true)
        let request = RunnerRequest.Train(
            job: key.digest.short, folder: process.scratch.job, task: spec.task,
            model: network(spec.model, source), training: spec.training, defense: spec.defense,
            defended: rewrites, seed: seed(random), firstEpoch: spec.firstEpoch,
            lastEpoch: spec.lastEpoch, inputs: all)
        let epochs = spec.firstEpoch...spec.lastEpoch
        let answer = try converse(
            .train(epochs: epochs, task: spec.task), RunnerRequest.line(request))
        let steps = (images.count + spec.training.batch - 1) / max(1, spec.training.batch)
        let file = try checkpoint(answer, spec, steps: steps * spec.lastEpoch)
        return JobOutcome(
            metrics: answer.metrics, artifacts: [try context.keep("checkpoint", file)])
    }

    private func trainingFiles(
        _ spec: TrainSpec, _ source: RunImages, _ share: TrainingPhase.Share?
    ) throws -> (ImageSet, [String: String]) {
        let positions = share.flatMap { source.positions(of: $0) }
        let defended = try data.defended(
            spec.defense, spec.data, poison: spec.poison, clean: source.train, context
        ).restricted(to: positions)
        let cause = RunnerInputs.Cause.training(
            spec.data, poison: spec.poison, spec.defense, positions == nil ? nil : share)
        let files = try inputs.files(cause) { write in
            let test = defended.shown(source.test)
            try write("trainImages", RunnerInputs.array(of: defended.train))
            try write("trainLabels", RunnerInputs.array(ofLabels: defended.train.labels))
            try write("testImages", RunnerInputs.array(of: test))
            try write("testLabels", RunnerInputs.array(ofLabels: test.labels))
        }
        return (defended.train, files)
    }

    /// What belongs to this segment alone lies in the job's own folder.
    private func drawFiles(
        _ spec: TrainSpec, _ images: ImageSet, _ random: RandomStream
    ) throws -> [String: String] {
        let draws = (spec.firstEpoch...spec.lastEpoch).map { epoch in
            EpochDraws(
                epoch: epoch - 1, of: images, augment: spec.training.augment, random: random)
        }
        let (order, placements) = RunnerInputs.draws(draws)
        var files = ["order": process.scratch.job + "/order.npy"]
        try AtomicFile.write(order, to: process.scratch.job + "/order.npy")
        if let placements {
            files["placements"] = process.scratch.job + "/placements.npy"
            try AtomicFile.write(placements, to: process.scratch.job + "/placements.npy")
        }
        return files
    }

    /// The checkpoint before, or the weights that every engine starts from.
    private func startFiles(
        _ spec: TrainSpec, _ source: RunImages, _ tasks: TaskSettings, _ random: RandomStream
    ) throws -> [String: String] {
        if let previous = spec.previous { return try checkpointFile(of: previous) }
        guard spec.model.isBuiltIn else { return [:] }
        let network = try source.network(spec.model, tasks)
        let parameters = ParameterSet(network: network, random: random.derived("weights"))
        if let start = spec.training.start {
            try context.checkpoint(of: start).fill(parameters, of: network, part: start.part)
        }
        let path = process.scratch.job + "/initial.safetensors"
        try AtomicFile.write(CheckpointFile.file(parameters.named).encoded(), to: path)
        return ["initial": path]
    }

    /// A copy, because the file itself belongs to every job of this machine.
    private func checkpointFile(of job: JobKey) throws -> [String: String] {
        try inputs.files(.checkpoint(job)) { write in
            let bytes = try Data(
                contentsOf: URL(fileURLWithPath: try context.input(job, "checkpoint")))
            try write("checkpoint", [UInt8](bytes))
        }
    }

    /// What the runner left, with what the built-in engine and later measurements read of it.
    private func checkpoint(
        _ answer: RunnerConversation, _ spec: TrainSpec, steps: Int
    ) throws -> [UInt8] {
        let name = answer.checkpoint ?? ""
        let bytes = try process.scratch.read(name, bytesMax: limits.diskBytes)
        var file: SafetensorsFile
        do {
            file = try SafetensorsFile(decoding: bytes, file: name)
        } catch {
            throw RunnerFault.file(path: name, reason: "is no safetensors file: \(error)")
        }
        let told = CheckpointFile.metadata(
            epoch: spec.lastEpoch,
            optimizerSteps: file.metadata["optimizerSteps"].flatMap { Int($0) } ?? steps,
            trainLoss: answer.trainingLoss(ofEpoch: spec.lastEpoch),
            augment: spec.training.augment)
        // A loss that was no number is not told, whatever the runner wrote.
        file.metadata["trainLoss"] = nil
        file.metadata.merge(told) { $1 }
        return file.encoded()
    }

    // MARK: SAL

    func measure(_ spec: SALSpec, key: JobKey, layers: Range<Int>) throws -> JobOutcome {
        let tasks = try checked(spec.task)
        var all = try checkpointFile(of: spec.checkpoint)
        let checkpoint = try CheckpointFile(
            path: try context.input(spec.checkpoint, "checkpoint"))
        let question = MeasuredCheckpoint.Question(spec)
        let shown = try MeasuredCheckpoint.shown(question, data: data, context: context)
        // The images of all checkpoints of a run are the same.
        var cause = spec
        cause.checkpoint = JobKey(spec.data.digest)
        all.merge(
            try inputs.files(.sal(cause)) { write in
                try writeImages(spec, shown, checkpoint.augment, write)
            }
        ) { $1 }
        try process.scratch.clearJob()
        let request = RunnerRequest.SAL(
            job: key.digest.short, folder: process.scratch.job, task: spec.task,
            model: network(spec.model, shown.source), settings: spec.settings,
            firstLayer: layers.lowerBound, endLayer: layers.upperBound, seed: seed(shown.random),
            inputs: all)
        let names =
            try spec.model.isBuiltIn
            ? shown.source.network(spec.model, tasks).measured.map(\.name) : nil
        let trainingLoss = spec.settings.origin == .training ? checkpoint.trainLoss : nil
        let answer = try converse(
            .sal(layers: layers, names: names, trainingLoss: trainingLoss),
            RunnerRequest.line(request))
        return JobOutcome(sal: layers.compactMap { answer.rows[$0] })
    }

    private func writeImages(
        _ spec: SALSpec, _ shown: MeasuredCheckpoint.Shown,
        _ augment: [TrainingSettings.Augmentation], _ write: (String, [UInt8]) throws -> Void
    ) throws {
        let images = SALShownImages(
            shown.images, views: spec.settings.views, augment: augment,
            random: shown.random.derived("views"))
        let set = shown.images
        let shape = [images.labels.count, set.channels, set.height, set.width]
        let array = StoredArray(shape: shape, values: .float32(images.pixels))
        try write("images", NPYFile(array).encoded())
        try write("labels", RunnerInputs.array(ofLabels: images.labels))
    }

    // MARK: Common to both

    private func checked(_ task: String) throws -> TaskSettings {
        let tasks = try TaskSettings.of(task)
        guard tasks.isPlainClassification else {
            throw RunnerError.unsupported(field: "task", value: task, known: "cls, for runners")
        }
        return tasks
    }

    private func network(_ model: ModelSettings, _ source: RunImages) -> RunnerRequest.Network {
        RunnerRequest.Network(
            name: model.name, width: model.width, classes: source.train.classCount,
            channels: source.train.channels, height: source.train.height,
            imageWidth: source.train.width)
    }

    /// For what only the runner draws.
    private func seed(_ random: RandomStream) -> Int {
        var stream = random.derived("runner")
        return stream.integer(below: 1 << 31)
    }

    /// Says the request and listens until the job is done.
    private func converse(
        _ question: RunnerConversation.Question, _ line: [UInt8]
    ) throws -> RunnerConversation {
        try process.say(line)
        var conversation = RunnerConversation(question)
        while true {
            let said = try process.next(silence: limits.silenceSeconds, until: end)
            let isDone = try conversation.take(try RunnerReply(decoding: said))
            if isDone { return conversation }
            context.progress(conversation.share)
        }
    }
}

extension ModelSettings {
    /// Whether the built-in engine knows the network.
    fileprivate var isBuiltIn: Bool { ModelRegistry.entries.contains { $0.name == name } }
}
