import FathomCore

/// A value with its canonical encoding, which is made once however many jobs hold the value.
struct Encoded<Value: Encodable & Sendable>: Sendable {
    let value: Value
    let text: String

    init(_ value: Value) {
        self.value = value
        text = CanonicalJSON.text(of: value)
    }
}

/// Makes jobs and their keys from encodings made before.
///
/// The text put together here is `JobSpec.canonical`, byte for byte, at a tenth of the time; a
/// test compares the two on every job of several sweeps.
enum CanonicalJob {
    /// Crafts a method, or some rounds of it.
    static func poison(
        _ spec: PoisonSpec, data: Encoded<DataSpec>, method: Encoded<MethodSettings>, revision: Int
    ) -> PlannedJob {
        var settings = "{" + (spec.base.map { "\"base\":\"\($0)\"," } ?? "")
        settings += "\"data\":\(data.text),\"method\":\(method.text)"
        settings += member("previous", spec.previous)
        settings += spec.rounds.map { ",\"rounds\":\($0)" } ?? ""
        settings += ",\"seed\":\(spec.seed)" + member("surrogate", spec.surrogate) + "}"
        return job(JobSpec(.poison(spec), revision: revision), settings, entryCount: 1)
    }

    /// What all segments of a run have in common.
    struct Course {
        var data: Encoded<DataSpec>
        var poison: JobKey?
        var task: Encoded<String>
        var model: Encoded<ModelSettings>
        var defense: Encoded<DefenseSettings>
        var training: Encoded<TrainingSettings>
        var seed: UInt64
    }

    static func segment(
        _ course: Course, epochs: ClosedRange<Int>, previous: JobKey?, revision: Int
    ) -> PlannedJob {
        let spec = TrainSpec(
            data: course.data.value, poison: course.poison, task: course.task.value,
            model: course.model.value, defense: course.defense.value,
            training: course.training.value, seed: course.seed, firstEpoch: epochs.lowerBound,
            lastEpoch: epochs.upperBound, previous: previous)
        var settings = "{\"data\":\(course.data.text),\"defense\":\(course.defense.text)"
        settings += ",\"firstEpoch\":\(epochs.lowerBound),\"lastEpoch\":\(epochs.upperBound)"
        settings += ",\"model\":\(course.model.text)"
        settings += member("poison", course.poison) + member("previous", previous)
        settings += ",\"seed\":\(course.seed),\"task\":\(course.task.text)"
        settings += ",\"training\":\(course.training.text)}"
        return job(JobSpec(.train(spec), revision: revision), settings, entryCount: 1)
    }

    /// Measures what a segment of `course` left, with `poison` as far as the SAL images have it,
    /// and with the defense where it has rewritten them.
    static func measurement(
        _ course: Course, of task: Encoded<String>, poison: JobKey?, rewritten: Bool,
        checkpoint: JobKey, weights: JobKey?, share: TrainingPhase.Share?,
        sal: Encoded<SALSettings>, seed: UInt64, revision: Int, entryCount: Int
    ) -> PlannedJob {
        let spec = SALSpec(
            data: course.data.value, poison: poison, task: task.value,
            model: course.model.value, checkpoint: checkpoint, settings: sal.value, seed: seed,
            defense: rewritten ? course.defense.value : nil, weights: weights, share: share)
        var settings = "{\"checkpoint\":\"\(checkpoint)\",\"data\":\(course.data.text)"
        if rewritten { settings += ",\"defense\":\(course.defense.text)" }
        settings += ",\"model\":\(course.model.text)" + member("poison", poison)
        settings += ",\"seed\":\(seed),\"settings\":\(sal.text)"
        settings += share.map { ",\"share\":\"\($0.rawValue)\"" } ?? ""
        settings += ",\"task\":\(task.text)"
        settings += member("weights", weights) + "}"
        return job(JobSpec(.sal(spec), revision: revision), settings, entryCount: entryCount)
    }

    /// Samples the loss around the last of `checkpoints`; the rest as with `measurement`.
    static func landscape(
        _ course: Course, of task: Encoded<String>, poison: JobKey?, rewritten: Bool,
        checkpoints: [JobKey], weights: JobKey?, share: TrainingPhase.Share?,
        landscape: Encoded<LandscapeSettings>, seed: UInt64, revision: Int
    ) -> PlannedJob {
        let spec = LandscapeSpec(
            data: course.data.value, poison: poison, task: task.value,
            model: course.model.value, checkpoints: checkpoints, settings: landscape.value,
            seed: seed, defense: rewritten ? course.defense.value : nil, weights: weights,
            share: share)
        let keys = checkpoints.map { "\"\($0)\"" }.joined(separator: ",")
        var settings = "{\"checkpoints\":[\(keys)],\"data\":\(course.data.text)"
        if rewritten { settings += ",\"defense\":\(course.defense.text)" }
        settings += ",\"model\":\(course.model.text)" + member("poison", poison)
        settings += ",\"seed\":\(seed),\"settings\":\(landscape.text)"
        settings += share.map { ",\"share\":\"\($0.rawValue)\"" } ?? ""
        settings += ",\"task\":\(task.text)"
        settings += member("weights", weights) + "}"
        return job(
            JobSpec(.landscape(spec), revision: revision), settings,
            entryCount: landscape.value.entryCount)
    }

    static func probe(_ spec: ProbeSpec, revision: Int) -> PlannedJob {
        let settings = "{\"conduct\":\"\(spec.conduct.rawValue)\",\"number\":\(spec.number)}"
        return job(JobSpec(.probe(spec), revision: revision), settings, entryCount: 1)
    }

    private static func member(_ name: String, _ key: JobKey?) -> String {
        key.map { ",\"\(name)\":\"\($0)\"" } ?? ""
    }

    private static func job(_ spec: JobSpec, _ settings: String, entryCount: Int) -> PlannedJob {
        let kind = spec.kind.rawValue
        let text = "{\"kind\":\"\(kind)\",\"revision\":\(spec.revision),\"settings\":\(settings)}"
        return PlannedJob(spec: spec, entryCount: entryCount, canonical: Array(text.utf8))
    }
}
