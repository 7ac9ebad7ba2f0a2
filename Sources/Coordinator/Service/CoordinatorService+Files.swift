public import FathomCore
public import FathomProtocol
import Logging
import Synchronization

/// Where a coordinator's files lie, and which of them stay.
public struct CoordinatorFiles: Sendable {
    public var folder: ArtifactFolder
    public var keeping: ArtifactKeeping
    /// Whether workers bring their files over the network, so that each is here before its result.
    public var areBrought: Bool

    public init(folder: ArtifactFolder, keeping: ArtifactKeeping, areBrought: Bool) {
        self.folder = folder
        self.keeping = keeping
        self.areBrought = areBrought
    }
}

/// When files were last looked through.
struct CollectionState {
    /// Whether a job has ended since, by which files may have become needless.
    var hasNews = true
    var last: Instant?
    /// The jobs that others go on from, once they are known.
    var continued: Set<JobKey>?

    static let pauseSeconds = 5.0
}

extension CoordinatorService {
    /// Tells it, from any thread, of files that somebody needs and that are not here whole.
    public var filesLost: @Sendable (Set<Digest>) -> Void {
        { [requests, wake] digests in
            requests.lostFiles.withLock { $0.formUnion(digests) }
            wake()
        }
    }

    /// Has the jobs that made lost files run again, and those they read from whose files are gone
    /// too.
    func noteLostFiles(at now: Instant) throws {
        let lost = requests.lostFiles.withLock { lost in
            defer { lost = [] }
            return lost
        }
        guard !lost.isEmpty else { return }
        let makers = artifacts.filter { $0.value.contains { lost.contains($0.digest) } }.keys
        for key in makers.sorted() where scheduler.isNeeded(key) {
            try makeAgain(key, at: now)
        }
        let made = Set(makers.flatMap { artifacts[$0] ?? [] }.map(\.digest))
        for digest in lost.subtracting(made).sorted() {
            logger.error(
                "a file is asked for that no job here has made",
                metadata: ["digest": "\(digest.short)"])
        }
    }

    private func makeAgain(_ key: JobKey, at now: Instant) throws {
        let makers = LostArtifacts.makersAgain(
            of: key,
            dependencies: { key in scheduler.number(of: key).map { specs[$0].dependencies } ?? [] },
            isFinished: { scheduler.isFinished($0) },
            isHere: { key in
                guard let folder = files?.folder else { return true }
                return artifacts[key]?.allSatisfy { folder.holds($0) } ?? true
            })
        for maker in makers {
            logger.warning(
                "a file is gone or damaged and is made again",
                metadata: ["job": "\(maker.digest.short)"])
            try perform(scheduler.handle(.artifactLost(maker), at: now))
        }
    }

    /// A result counts once what it names is here, whole as far as its length says.
    func withFilesChecked(_ message: WorkerMessage) -> WorkerMessage {
        guard let files, files.areBrought, case .result(let lease, let outcome) = message,
            !outcome.artifacts.isEmpty, !scheduler.isFinished(lease.job),
            let absent = outcome.artifacts.first(where: { !files.folder.holds($0) })
        else { return message }
        return .failure(
            AttemptFailure(
                lease: lease, reason: .error,
                error: "its file \(absent.digest.short) was not brought before the result",
                logTail: ""))
    }

    /// The file of a poison made elsewhere, which no job has made.
    func importedInput(of spec: JobSpec, job: JobKey) -> [InputArtifact] {
        guard let folder = files?.folder, case .poison(let poison) = spec.body,
            poison.method.isExternal, let hex = poison.method.words["digest"],
            let digest = Digest(hex: hex), let bytes = folder.size(of: digest)
        else { return [] }
        let reference = ArtifactReference(name: "imported poison", digest: digest, bytes: bytes)
        return [InputArtifact(job: job, artifact: reference)]
    }

    /// Removes what no job needs and nobody wants kept, at times.
    func collectFiles(at now: Instant, isLast: Bool) {
        guard let files, collection.hasNews || isLast, !artifacts.isEmpty,
            files.keeping.keep != .measured || files.keeping.bytesMax != nil
        else { return }
        if !isLast, let last = collection.last,
            now.seconds(since: last) < CollectionState.pauseSeconds
        {
            return
        }
        let continued = collection.continued ?? ArtifactKeeping.Rank.continued(in: specs)
        collection = CollectionState(hasNews: false, last: now, continued: continued)
        let holdings = artifacts.compactMap { key, list -> ArtifactKeeping.Holding? in
            guard let number = scheduler.number(of: key), scheduler.isFinished(key) else {
                return nil
            }
            let here = list.filter { files.folder.holds($0) }
            return ArtifactKeeping.Holding(
                artifacts: here, isNeeded: scheduler.isNeeded(key),
                rank: .init(specs[number], key: key, continued: continued))
        }
        let removable = files.keeping.removable(holdings)
        for digest in removable { files.folder.remove(digest) }
        if !removable.isEmpty {
            logger.info("files removed", metadata: ["count": "\(removable.count)"])
        }
    }
}
