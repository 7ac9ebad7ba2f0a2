import FathomProtocol
import FathomCore
import FathomMessaging
import Foundation
import Glibc

/// What a slot runs with.
public struct SlotSettings: Sendable {
    /// The folder of artifacts that all workers and the coordinator share.
    public var artifacts: String
    /// Where data sets lie; `nil` for the usual places.
    public var dataFolder: String?

    public init(artifacts: String, dataFolder: String?) {
        self.artifacts = artifacts
        self.dataFolder = dataFolder
    }
}

/// The inside of a slot: assignments come in on standard input, outcomes go out where standard
/// output was. It ends with its agent.
public final class SlotProcess {
    private let settings: SlotSettings
    private let runner: any JobRunner
    private let folder: ArtifactFolder
    private let output: Int32
    private var verified: Set<Digest> = []
    /// Answers that the agent has not been told yet, and when the first of them was given.
    private var said: [WorkerMessage] = []
    private var saidFirst = Instant(nanoseconds: 0)

    public init(settings: SlotSettings, runner: any JobRunner) {
        self.settings = settings
        self.runner = runner
        folder = ArtifactFolder(path: settings.artifacts)
        // Whatever a library prints must not get among the frames.
        output = dup(STDOUT_FILENO)
        dup2(STDERR_FILENO, STDOUT_FILENO)
    }

    /// Works until the agent closes the pipe.
    public func run() throws {
        let watch = try NamedThread(name: "fathom-lifeline", stackBytes: 256 << 10) {
            Lifeline.watch(STDIN_FILENO, status: 0)
        }
        var reader = FrameReader(descriptor: STDIN_FILENO)
        while let frames = reader.next() {
            for frame in frames {
                for message in try MessageCodec.decodeCoordinatorMessages(frame) {
                    if case .assign(let assignment) = message { answer(assignment) }
                }
                flush()
            }
        }
        withExtendedLifetime(watch) {}
    }

    private func answer(_ assignment: Assignment) {
        let start = Instant.now()
        do {
            let spec = try JobSpecCodec.decode(assignment.spec)
            var outcome = try runner.run(
                spec, entries: assignment.lease.entries, context: context(of: assignment, start))
            let end = Instant.now()
            outcome.seconds = end.seconds(since: start)
            say(.result(assignment.lease, outcome), at: end)
        } catch {
            let lost = (error as? ArtifactError)?.lostInput
            let failure = AttemptFailure(
                lease: assignment.lease,
                reason: lost.map { .inputLost($0) }
                    ?? (Self.isDataLacking(error) ? .dataLacking : .error),
                error: String(describing: error),
                logTail: (error as? any LoggedError)?.logTail ?? "")
            say(.failure(failure), at: .now())
        }
    }

    /// Whether this machine lacks the data set of a job, or has other files under its name.
    private static func isDataLacking(_ error: any Error) -> Bool {
        if case DataError.missing = error { return true }
        if case RunnerError.dataDiffers = error { return true }
        return false
    }

    private func context(of assignment: Assignment, _ start: Instant) -> RunContext {
        var told = start
        return RunContext(
            dataFolder: settings.dataFolder,
            input: { [self] job, name in try input(job, name, of: assignment) },
            keep: { [self] name, bytes in try keep(bytes, name: name) },
            progress: { [self] share in
                let now = Instant.now()
                guard now.seconds(since: told) > 0.5 else { return }
                told = now
                said.append(.heartbeat([LeaseProgress(lease: assignment.lease, share: share)]))
                flush()
            },
            imported: { [self] digest in try verified(digest, name: "imported file") })
    }

    private func input(_ job: JobKey, _ name: String, of assignment: Assignment) throws -> String {
        guard
            let input = assignment.inputs.first(where: {
                $0.job == job && $0.artifact.name == name
            })
        else { throw ArtifactError.notAnInput(name: name, job: job.digest.short) }
        return try verified(input.artifact.digest, name: name)
    }

    /// Waits for room when the disk is full: the work is done, and nobody is to blame.
    private func keep(_ bytes: [UInt8], name: String) throws -> ArtifactReference {
        var isTold = false
        while true {
            do throws(ArtifactError) {
                return try folder.keep(bytes, name: name)
            } catch {
                guard error.isPassing else { throw error }
                if !isTold {
                    FileHandle.standardError.write(Data("\(error); waiting for room\n".utf8))
                }
                isTold = true
                sleep(1)
            }
        }
    }

    /// The file of this content, which is hashed when it is first asked for.
    private func verified(_ digest: Digest, name: String) throws -> String {
        let file = folder.file(digest)
        guard folder.size(of: digest) != nil else {
            verified.remove(digest)
            throw ArtifactError.missing(name: name, digest: digest, path: file)
        }
        if !verified.contains(digest) {
            guard folder.isSound(digest) else {
                throw ArtifactError.damaged(name: name, digest: digest, path: file)
            }
            verified.insert(digest)
        }
        return file
    }

    /// Lets tiny jobs' answers travel together; what waits is told with the last of its frame,
    /// after a moment, or when a longer job has something to say.
    private func say(_ message: WorkerMessage, at now: Instant) {
        if said.isEmpty { saidFirst = now }
        said.append(message)
        let isDue = now.seconds(since: saidFirst) >= Self.waitSeconds
        if isDue || said.count >= Self.messagesPerFrame { flush() }
    }

    private static let waitSeconds = 0.002
    private static let messagesPerFrame = 256

    private func flush() {
        guard !said.isEmpty else { return }
        let frame = WorkerFrame(worker: WorkerID("slot"), messages: said)
        said.removeAll(keepingCapacity: true)
        guard FrameStream.write(FrameStream.framed(MessageCodec.encode(frame)), to: output) else {
            // The agent is gone; so is the reason to go on.
            _exit(0)
        }
    }
}
