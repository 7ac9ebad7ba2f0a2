public import FathomCore
public import FathomProtocol

/// One thing that happened where files travel.
public enum TransferEvent: Sendable {
    /// A job here needs the file.
    ///
    /// - isDoubted: What lies here does not have the digest.
    case fetch(ArtifactReference, isDoubted: Bool)
    /// The coordinator is to have the file.
    case bring(ArtifactReference)
    /// The connection is there, or there again.
    case connected
    case answer(ArtifactAnswer)
    case tick
}

/// One thing to do or to tell.
public enum TransferEffect: Sendable, Hashable {
    case ask(ArtifactQuestion)
    /// The file is here, whole.
    case ready(Digest)
    /// The coordinator does not have it.
    case gone(Digest)
    /// The coordinator has it, whole.
    case brought(Digest)
    /// It is not here whole any more, or the coordinator will never take it.
    case lost(Digest, reason: String)
}

/// Where a worker's files lie.
public enum ArtifactAccess: Sendable {
    /// In the coordinator's own folder, which this machine sees too.
    case shared(ArtifactFolder)
    /// In copies of its own.
    case cached(ArtifactCache)

    public var folder: ArtifactFolder {
        switch self {
        case .shared(let folder): folder
        case .cached(let cache): cache.folder
        }
    }

    var cache: ArtifactCache? {
        if case .cached(let cache) = self { cache } else { nil }
    }
}

/// Fetches files from the coordinator and brings it others, a few at a time, with bounded bytes on
/// their way; goes on after a cut where it was.
///
/// It reads and writes files but knows no socket and no clock.
public struct ArtifactTransfers {
    /// What has been moved since the start, repetitions included.
    public struct Tally: Sendable, Hashable {
        public var bytesFetched = 0
        public var bytesBrought = 0
        public var filesFetched = 0
        public var filesBrought = 0
        /// Files whose content was not what their digest says.
        public var filesDamaged = 0

        public init() {}
    }

    /// After how long without an answer a question is repeated.
    public static let patienceSeconds = 3.0
    /// How often a file may arrive damaged before it counts as gone.
    static let restartsMax = 3

    let access: ArtifactAccess
    public internal(set) var tally = Tally()
    var downloads: [Digest: Download] = [:]
    var uploads: [Digest: Upload] = [:]
    /// Files in a shared folder that the coordinator was asked to look at.
    private var doubts: [Digest: Doubt] = [:]
    /// Those that wait for their turn, oldest first.
    private var waiting: [Waiting] = []
    var effects: [TransferEffect] = []

    struct Download {
        let reference: ArtifactReference
        var partial: PartialArtifact?
        /// How far it was asked for.
        var requested = 0
        var heard: Instant
        var restarts = 0
        /// Whether the coordinator was asked to look at its own copy.
        var isDoubting = false
        /// Until when nothing is asked, because the disk is full or the coordinator busy.
        var rest: Instant?
    }

    struct Upload {
        let reference: ArtifactReference
        var sent = 0
        /// Whether the coordinator has said from where on it wants the file.
        var isWanted = false
        var heard: Instant
        var restarts = 0
        var rest: Instant?
    }

    private struct Doubt {
        let reference: ArtifactReference
        var asked: Instant
        /// Whether the coordinator has it whole, so that it only has to become visible here.
        var isSound = false
    }

    private enum Waiting {
        case download(ArtifactReference)
        case upload(ArtifactReference)
    }

    public init(access: ArtifactAccess) { self.access = access }

    /// Whether anything is on its way or waits.
    public var isIdle: Bool {
        downloads.isEmpty && uploads.isEmpty && doubts.isEmpty && waiting.isEmpty
    }

    public mutating func handle(_ event: TransferEvent, at now: Instant) -> [TransferEffect] {
        effects = []
        switch event {
        case .fetch(let reference, let isDoubted): want(reference, isDoubted, at: now)
        case .bring(let reference): bring(reference)
        case .connected: repeatAll(at: now)
        case .answer(let answer): take(answer, at: now)
        case .tick: tick(at: now)
        }
        startWaiting(at: now)
        return effects
    }

    // MARK: Beginning

    private mutating func want(
        _ reference: ArtifactReference, _ isDoubted: Bool, at now: Instant
    ) {
        let digest = reference.digest
        switch access {
        case .shared(let folder):
            guard isDoubted || !folder.holds(reference) else {
                effects.append(.ready(digest))
                return
            }
            guard doubts[digest] == nil else { return }
            doubts[digest] = Doubt(reference: reference, asked: now)
            effects.append(.ask(.doubt(digest)))
        case .cached(let cache):
            guard downloads[digest] == nil else { return }
            // Of several slots that have met the same damage the first has had it mended.
            if cache.holds(reference), !isDoubted || cache.folder.isSound(digest) {
                effects.append(.ready(digest))
                return
            }
            if isDoubted {
                tally.filesDamaged += 1
                cache.drop(digest)
            }
            let isKnown = waiting.contains {
                if case .download(reference) = $0 { true } else { false }
            }
            if !isKnown { waiting.append(.download(reference)) }
        }
    }

    private mutating func bring(_ reference: ArtifactReference) {
        guard access.cache != nil else {
            effects.append(.brought(reference.digest))
            return
        }
        let isKnown =
            uploads[reference.digest] != nil
            || waiting.contains { if case .upload(reference) = $0 { true } else { false } }
        if !isKnown { waiting.append(.upload(reference)) }
    }

    private mutating func startWaiting(at now: Instant) {
        while downloads.count + uploads.count < ArtifactLimits.transfersAtOnce, !waiting.isEmpty {
            switch waiting.removeFirst() {
            case .download(let reference): startDownload(reference, at: now)
            case .upload(let reference): startUpload(reference, at: now)
            }
        }
    }

    // MARK: Hearing

    private mutating func take(_ answer: ArtifactAnswer, at now: Instant) {
        switch answer {
        case .piece(let piece): take(piece, at: now)
        case .gone(let digest):
            if downloads.removeValue(forKey: digest) != nil || doubts[digest] != nil {
                doubts[digest] = nil
                effects.append(.gone(digest))
            }
        case .want(let digest, let offset, let credit):
            send(digest, from: offset, credit: credit, at: now)
        case .have(let digest):
            if uploads.removeValue(forKey: digest) != nil {
                tally.filesBrought += 1
                effects.append(.brought(digest))
            }
            if downloads[digest]?.isDoubting == true { fetchAgain(digest, at: now) }
            doubts[digest]?.isSound = true
            settleDoubt(digest)
        case .refused(let digest, let reason): take(reason, of: digest, at: now)
        }
    }

    private mutating func take(
        _ reason: ArtifactRefusal, of digest: Digest, at now: Instant
    ) {
        downloads[digest]?.rest = now + Self.patienceSeconds
        if uploads[digest] != nil { uploadRefused(digest, reason, at: now) }
    }

    private mutating func settleDoubt(_ digest: Digest) {
        guard let doubt = doubts[digest], doubt.isSound, access.folder.holds(doubt.reference)
        else { return }
        doubts[digest] = nil
        effects.append(.ready(digest))
    }

    // MARK: Time

    private mutating func tick(at now: Instant) {
        for digest in downloads.keys.sorted() { remind(download: digest, at: now) }
        for digest in uploads.keys.sorted() { remind(upload: digest, at: now) }
        for digest in doubts.keys.sorted() {
            settleDoubt(digest)
            guard let doubt = doubts[digest],
                now.seconds(since: doubt.asked) >= Self.patienceSeconds
            else { continue }
            doubts[digest]?.asked = now
            effects.append(.ask(.doubt(digest)))
        }
    }

    /// What was in flight over the old connection is lost.
    private mutating func repeatAll(at now: Instant) {
        for digest in downloads.keys.sorted() { ask(download: digest, at: now) }
        for digest in uploads.keys.sorted() { offer(digest, at: now) }
        for digest in doubts.keys.sorted() {
            doubts[digest]?.asked = now
            effects.append(.ask(.doubt(digest)))
        }
    }
}
