import FathomCore
import FathomProtocol

/// A poison, or some rounds of a long crafting: goes on from what the job before kept.
struct PoisonJob {
    let spec: PoisonSpec
    let data: RunnerData
    let context: RunContext

    func run() throws -> JobOutcome {
        let clean = try data.images(spec.data, folder: context.dataFolder).train
        let images = try data.trained(on: spec.base, clean: clean, context)
        let surrogate = try spec.surrogate.map {
            try CheckpointFile(path: try context.input($0, "checkpoint")).state
        }
        let state = try spec.previous.map {
            try CraftFile.read(try context.input($0, "state"))
        }
        // What the images show, whatever was put on them before.
        let tasks = PerturbationRegistry.targetsNeeded(by: spec.method)
        let targets =
            tasks.isEmpty
            ? nil
            : try data.targets(
                TaskSettings(tasks), of: images, perturbedBy: nil, .train, spec.data,
                folder: context.dataFolder)
        let keys = PoisonKeys.keys(
            spec.method, images: images, seed: spec.seed, targets: targets)
        let progress = try PerturbationRegistry.advance(
            spec.method, images: images, keys: keys, seed: spec.seed, surrogate: surrogate,
            targets: targets, from: state, rounds: spec.rounds
        ) { context.progress(0.8 * $0) }
        switch progress {
        case .unfinished(let state):
            return JobOutcome(
                poison: PoisonReport(numbers: ["rounds": Double(state.round)]),
                artifacts: [try context.keep("state", CraftFile.encoded(state))])
        case .finished(let poison):
            context.progress(0.8)
            try PerturbationProperties.check(
                poison, of: images, keys: keys, settings: spec.method, seed: spec.seed,
                surrogate: surrogate, targets: targets)
            return JobOutcome(
                poison: PoisonReport(numbers: poison.numbers, words: poison.words),
                artifacts: [try context.keep("poison", PoisonFile.encoded(poison.images))])
        }
    }
}

/// An unfinished crafting as an artifact: its arrays in a safetensors file, counters beside them.
enum CraftFile {
    static func encoded(_ state: CraftState) -> [UInt8] {
        var metadata = [
            "format": "fathom-crafting-1", "round": "\(state.round)",
            "isFinished": "\(state.isFinished)",
        ]
        for (name, number) in state.numbers { metadata["number." + name] = "\(number)" }
        for (name, word) in state.words { metadata["word." + name] = word }
        var file = SafetensorsFile(metadata: metadata)
        for array in state.arrays {
            file.set(
                array.name, to: StoredArray(shape: array.shape, values: .float32(array.values)))
        }
        return file.encoded()
    }

    static func read(_ path: String) throws -> CraftState {
        let file = try SafetensorsFile(path: path)
        guard file.metadata["format"] == "fathom-crafting-1",
            let round = file.metadata["round"].flatMap({ Int($0) })
        else {
            throw RunnerError.artifactMisfits("state", reason: "it is no unfinished crafting")
        }
        var state = CraftState(round: round, isFinished: file.metadata["isFinished"] == "true")
        for (key, text) in file.metadata {
            if key.hasPrefix("number."), let number = Double(text) {
                state.numbers[String(key.dropFirst("number.".count))] = number
            } else if key.hasPrefix("word.") {
                state.words[String(key.dropFirst("word.".count))] = text
            }
        }
        state.arrays = file.names.compactMap { name in
            file[name].flatMap { array in array.floats.map { (name, array.shape, $0) } }
        }
        return state
    }
}
