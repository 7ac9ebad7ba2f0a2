import FathomCore
public import FathomProtocol
import Foundation

/// Hands jobs that ask for a runner to the program this worker has for it, and all others to the
/// runner behind it. A program is kept alive for the next job, and ended when it fails one.
public final class ExecJobRunner: JobRunner {
    private let other: any JobRunner
    private let commands: [RunnerCommand]
    private let place: RunnerPlace
    private let data = RunnerData()
    private var live: Live?

    /// A program that was started, and what it was given to read so far.
    private struct Live {
        let name: String
        let process: RunnerProcess
        let inputs: RunnerInputs
        /// What it says it is; `nil` until it has said so.
        var offer: RunnerOffer?
    }

    /// - Parameters:
    ///   - commands: The programs this worker allows itself to start.
    ///   - place: How and where they are started.
    public init(
        otherwise other: any JobRunner, commands: [RunnerCommand], place: RunnerPlace
    ) {
        self.other = other
        self.commands = commands
        self.place = place
    }

    public func run(
        _ spec: JobSpec, entries: Range<Int>, context: RunContext
    ) throws -> JobOutcome {
        guard let reference = spec.runner else {
            return try other.run(spec, entries: entries, context: context)
        }
        do {
            let (live, offer) = try started(reference, spec.kind)
            let job = RunnerJob(
                process: live.process, inputs: live.inputs, data: data, context: context,
                limits: place.limits, end: .now() + place.limits.jobSeconds)
            var outcome: JobOutcome
            switch spec.body {
            case .train(let train): outcome = try job.train(train, key: spec.key)
            case .sal(let sal): outcome = try job.measure(sal, key: spec.key, layers: entries)
            case .poison, .landscape, .probe:
                throw RunnerError.kindUnsupported(spec.kind.rawValue)
            }
            outcome.tolerance = offer.tolerance > 0 ? offer.tolerance : nil
            return outcome
        } catch let fault as RunnerFault {
            throw failure(of: reference, fault)
        } catch {
            // With the runner goes its folder, and whatever was to be written there.
            if let process = live?.process, process.isGone {
                throw failure(of: reference, process.fate())
            }
            throw error
        }
    }

    /// Ends the runner: what it may still say is of this job; the next gets a fresh one.
    private func failure(of reference: RunnerReference, _ fault: RunnerFault) -> RunnerFailure {
        let process = live?.process
        live = nil
        process?.endAtOnce()
        let tail = process?.logTail ?? ""
        let reason = fault.description + Self.hint(fault.description + tail)
        return RunnerFailure(runner: reference.name, reason: reason, logTail: tail)
    }

    /// What to do about a failure whose words are known.
    private static func hint(_ words: String) -> String {
        words.contains("Permission denied")
            ? "; permission was denied: a runner writes in its own folder only (--runner-writes)"
            : ""
    }

    /// The runner of a job, started where none of its name is alive.
    private func started(
        _ reference: RunnerReference, _ kind: JobSpec.Kind
    ) throws -> (Live, RunnerOffer) {
        // One that died between jobs is nobody's fault.
        if live?.process.isGone ?? false { live = nil }
        if live?.name != reference.name {
            live?.process.stop()
            live = nil
            guard let command = commands.first(where: { $0.name == reference.name }) else {
                throw RunnerFault.notHere
            }
            let process = try RunnerProcess(command, place: place)
            // Kept before it has said anything, so that a failure ends it.
            live = Live(
                name: command.name, process: process,
                inputs: RunnerInputs(folder: process.scratch.inputs))
            live?.offer = try process.introduce()
        }
        guard let live, let offer = live.offer else { throw RunnerFault.notHere }
        guard offer.fits(reference, RunnerReference.Kind(kind)) else {
            throw RunnerFault.differs(found: offer.text, wanted: reference.text)
        }
        return (live, offer)
    }
}
