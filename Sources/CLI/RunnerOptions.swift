import ArgumentParser
import FathomCore
import FathomProtocol
import FathomWorker
import Foundation

/// The programs that a worker allows itself to start, and what they may take.
struct RunnerOptions: ParsableArguments {
    @Option(
        name: .customLong("runner"),
        help: ArgumentHelp(
            "A program that computes jobs that ask for a runner of this name (docs/runner.md).",
            valueName: "name=command"))
    var runners: [String] = []

    @Option(
        help: "What this machine has, such as gpu or memory=80; runners-only takes no other jobs.")
    var tag: [String] = []

    @Option(help: "The most memory of a runner's processes together, such as 16G.")
    var runnerMemory: ByteCount?

    @Option(help: "The most bytes of a runner's folder, such as 16G.")
    var runnerDisk: ByteCount?

    @Option(
        help: "A folder that runners may write in beside their own; / for everywhere.")
    var runnerWrites: [String] = []

    @Option(help: "How many processes a runner may have at a time.")
    var runnerProcesses: Int?

    @Option(help: "After how many seconds without a word a runner is ended.")
    var runnerSilence: Double?

    @Option(help: "After how many seconds of one job a runner is ended.")
    var runnerTime: Double?

    @Option(help: "Where runners' folders are made; by default the folder for temporary files.")
    var runnerScratch: String?

    func validate() throws {
        if let runnerProcesses, !(1...1_000_000).contains(runnerProcesses) {
            throw ValidationError(
                "--runner-processes is \(runnerProcesses); it takes 1 to 1000000")
        }
        for (name, value) in [("silence", runnerSilence), ("time", runnerTime)] {
            guard let value, !(value >= 0.1 && value <= 1e8) else { continue }
            throw ValidationError("--runner-\(name) is \(value); it takes 0.1 to 1e8 seconds")
        }
        if let wrong = tag.first(where: { !WorkerTags.isTag($0) }) {
            throw ValidationError(
                "--tag is \(wrong); it takes a word such as gpu, or a word and its number such "
                    + "as memory=80")
        }
    }

    /// What to start, and how; nothing is started yet.
    func setup() throws -> RunnerSetup {
        var limits = RunnerLimits()
        limits.memoryBytes = runnerMemory?.bytes
        if let runnerDisk { limits.diskBytes = runnerDisk.bytes }
        if let runnerProcesses { limits.processes = runnerProcesses }
        if let runnerSilence { limits.silenceSeconds = runnerSilence }
        if let runnerTime { limits.jobSeconds = runnerTime }
        let here = FileManager.default.currentDirectoryPath
        limits.writable = try runnerWrites.map { try Self.folder($0) }
        let commands = try runners.map { try RunnerCommand(argument: $0, folder: here) }
        if let twice = Dictionary(grouping: commands, by: \.name).first(where: { $1.count > 1 }) {
            throw InputError(description: "--runner names \(twice.key) twice; once is right")
        }
        return RunnerSetup(
            commands: commands, limits: limits,
            scratch: runnerScratch ?? NSTemporaryDirectory(), tags: tag)
    }

    private static func folder(_ path: String) throws -> String {
        var isFolder: ObjCBool = false
        let whole = URL(fileURLWithPath: path).standardizedFileURL.path
        guard FileManager.default.fileExists(atPath: whole, isDirectory: &isFolder),
            isFolder.boolValue
        else {
            throw InputError(
                description: "--runner-writes is \(path), which is no folder; make it before")
        }
        return whole
    }
}

/// What agents tell their slots of runners, as JSON in an argument.
struct RunnerSetup: Codable, Sendable {
    var commands: [RunnerCommand] = []
    var limits = RunnerLimits()
    var scratch = NSTemporaryDirectory()
    var tags: [String] = []

}

extension RunnerSetup {
    var text: String {
        get throws { String(decoding: try JSONEncoder().encode(self), as: UTF8.self) }
    }

    init(text: String) throws {
        self = try JSONDecoder().decode(RunnerSetup.self, from: Data(text.utf8))
    }

    func place() throws -> RunnerPlace {
        RunnerPlace(program: try Program.path(), scratch: scratch, limits: limits) {
            folder, limits in
            let text = String(decoding: try JSONEncoder().encode(limits), as: UTF8.self)
            return ["runner-guard", "--folder", folder, "--limits", text]
        }
    }

    /// Starts every runner once and asks what it is.
    func offers() throws -> [RunnerOffer] {
        if !commands.isEmpty, !limits.writesAnywhere, !RunnerGuard.canLimitWrites {
            Failure.say(
                "note: this kernel has no Landlock (Linux 5.13); runners are not kept from "
                    + "writing outside of their folders")
        }
        let place = try place()
        return try commands.map { command in
            do {
                return try command.describe(place: place)
            } catch let error as RunnerFailure {
                throw InputError(description: "--runner cannot be used: \(error)")
            }
        }
    }

    /// The offers of a worker that must do all of a sweep by itself.
    ///
    /// - Throws: `InputError` when the sweep asks for more.
    func offers(for plan: SweepPlan) throws -> [RunnerOffer] {
        let offers = try offers()
        for runner in plan.runners {
            guard let offer = offers.first(where: { $0.name == runner.name }) else {
                throw InputError(
                    description: "the sweep asks for the runner \(runner.text); give "
                        + "--runner \(runner.name)=COMMAND")
            }
            let missing = RunnerReference.Kind.allCases.first {
                runner.computes($0) && !offer.fits(runner, $0)
            }
            if let missing {
                throw InputError(
                    description: "the sweep asks for the runner \(runner.text) to \(missing), and "
                        + "--runner \(runner.name) declares \(offer.text) for "
                        + offer.kinds.map(\.rawValue).joined(separator: ", ")
                        + "; the manifest would say runner: { name: \(offer.name), revision: "
                        + "\(offer.revision), device: \(offer.device) }")
            }
            if let tag = WorkerTags.lacking(runner.needs ?? [], among: tags) {
                throw InputError(
                    description: "the sweep asks for workers with the tag \(tag); "
                        + "--tag says what this machine has")
            }
        }
        return offers
    }
}

/// What stands between a slot and its runner.
struct RunnerGuardCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "runner-guard", abstract: "Watches over a runner.", shouldDisplay: false)

    @Option var folder: String
    @Option var limits: String
    @Argument(parsing: .postTerminator) var words: [String]

    func run() throws {
        let limits = try JSONDecoder().decode(RunnerLimits.self, from: Data(limits.utf8))
        throw ExitCode(RunnerGuard(words: words, folder: folder, limits: limits).run())
    }
}
