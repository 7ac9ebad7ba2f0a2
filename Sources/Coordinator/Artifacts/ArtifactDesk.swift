public import FathomCore
public import FathomProtocol

/// Answers what workers ask about files: gives pieces, takes pieces, looks at what is doubted.
///
/// It knows no socket and no clock but the instants it is handed. Every question says all that is
/// needed to answer it, so that nothing is lost with a connection or a coordinator.
public struct ArtifactDesk {
    /// What has been moved since the start.
    public struct Tally: Sendable, Hashable {
        public var bytesGiven = 0
        public var bytesTaken = 0
        public var piecesGiven = 0
        public var piecesTaken = 0
        public var filesTaken = 0
        public var filesDamaged = 0
    }

    public let folder: ArtifactFolder
    public private(set) var tally = Tally()
    private var incoming: [Digest: Incoming] = [:]
    /// Files found sound a short while ago, so that many doubts cost one look.
    private var sound: [Digest: Instant] = [:]
    /// Files that are not here whole, since the last call of `takeLost`.
    private var lost: Set<Digest> = []

    private struct Incoming {
        let partial: PartialArtifact
        var touched: Instant
    }

    /// How long a look at a whole file holds.
    private static let soundSeconds = 10.0
    /// After how long without a piece the descriptor of a file on its way is given back.
    private static let idleSeconds = 60.0

    public init(folder: ArtifactFolder) {
        self.folder = folder
        folder.removeStalePartials()
    }

    /// Files that somebody asked for and that are not here whole, since the last call.
    public mutating func takeLost() -> Set<Digest> {
        defer { lost = [] }
        return lost
    }

    public mutating func answer(_ question: ArtifactQuestion, at now: Instant) -> ArtifactAnswer {
        switch question {
        case .fetch(let digest, let offset, let bytes):
            give(digest, from: offset, count: min(bytes, ArtifactLimits.pieceBytes))
        case .offer(let digest, let total): consider(digest, total: total, at: now)
        case .piece(let piece): take(piece, at: now)
        case .doubt(let digest): examine(digest, at: now)
        }
    }

    // MARK: Giving

    private mutating func give(_ digest: Digest, from offset: Int, count: Int) -> ArtifactAnswer {
        guard count > 0 else { return .refused(digest, .invalid) }
        guard let (bytes, total) = folder.read(digest, from: offset, count: count) else {
            lost.insert(digest)
            return .gone(digest)
        }
        guard offset <= total else { return .refused(digest, .invalid) }
        tally.bytesGiven += bytes.count
        tally.piecesGiven += 1
        return .piece(ArtifactPiece(digest: digest, offset: offset, total: total, content: bytes))
    }

    private mutating func examine(_ digest: Digest, at now: Instant) -> ArtifactAnswer {
        if isWhole(digest, at: now) { return .have(digest) }
        lost.insert(digest)
        return .gone(digest)
    }

    /// Whether the file is here with the content it should have; another is set aside.
    private mutating func isWhole(_ digest: Digest, at now: Instant) -> Bool {
        if let seen = sound[digest], now.seconds(since: seen) < Self.soundSeconds {
            return true
        }
        if sound.count > 4_096 { sound = [:] }
        if folder.isSound(digest) {
            sound[digest] = now
            return true
        }
        sound[digest] = nil
        if folder.size(of: digest) != nil {
            tally.filesDamaged += 1
            folder.setAside(digest)
        }
        return false
    }

    // MARK: Taking

    private mutating func consider(
        _ digest: Digest, total: Int, at now: Instant
    ) -> ArtifactAnswer {
        guard total <= ArtifactLimits.fileBytes else { return .refused(digest, .tooLarge) }
        // One that has rotted here gives way to the worker's.
        if folder.size(of: digest) == total, isWhole(digest, at: now) { return .have(digest) }
        return withIncoming(digest, total: total, at: now) { .want($0) }
    }

    private mutating func take(_ piece: ArtifactPiece, at now: Instant) -> ArtifactAnswer {
        guard piece.total <= ArtifactLimits.fileBytes else {
            return .refused(piece.digest, .tooLarge)
        }
        if folder.size(of: piece.digest) == piece.total { return .have(piece.digest) }
        tally.bytesTaken += piece.content.count
        tally.piecesTaken += 1
        return withIncoming(piece.digest, total: piece.total, at: now) {
            (partial) throws(ArtifactError) -> Progress in
            // One that comes twice, or after one that was lost, is not the next.
            guard piece.offset == partial.count else { return .want(partial) }
            try partial.append(piece.content)
            return partial.isWhole ? .whole(partial) : .want(partial)
        }
    }

    private enum Progress {
        case want(PartialArtifact)
        case whole(PartialArtifact)
    }

    private mutating func withIncoming(
        _ digest: Digest, total: Int, at now: Instant,
        _ body: (PartialArtifact) throws(ArtifactError) -> Progress
    ) -> ArtifactAnswer {
        closeIdle(at: now)
        guard incoming[digest] != nil || incoming.count < ArtifactLimits.incomingFiles else {
            return .refused(digest, .busy)
        }
        do throws(ArtifactError) {
            let partial = try partial(digest, total: total)
            incoming[digest] = Incoming(partial: partial, touched: now)
            // An empty file, or one whose last piece came before a restart, is whole at once.
            let progress = partial.isWhole ? Progress.whole(partial) : try body(partial)
            switch progress {
            case .want(let partial):
                return .want(
                    digest, offset: partial.count, credit: ArtifactLimits.windowBytes)
            case .whole(let partial): return try finish(partial)
            }
        } catch {
            return .refused(digest, error.isPassing ? .noRoom : .busy)
        }
    }

    private func partial(
        _ digest: Digest, total: Int
    ) throws(ArtifactError) -> PartialArtifact {
        if let known = incoming[digest]?.partial, known.total == total { return known }
        return try PartialArtifact(digest, total: total, in: folder)
    }

    private mutating func finish(
        _ partial: PartialArtifact
    ) throws(ArtifactError) -> ArtifactAnswer {
        let isRight = try partial.finish(isDurable: true)
        guard isRight else {
            tally.filesDamaged += 1
            return .refused(partial.digest, .damaged)
        }
        incoming[partial.digest] = nil
        tally.filesTaken += 1
        return .have(partial.digest)
    }

    private mutating func closeIdle(at now: Instant) {
        guard incoming.count >= ArtifactLimits.incomingFiles / 2 else { return }
        for (digest, item) in incoming
        where now.seconds(since: item.touched) > Self.idleSeconds {
            incoming[digest] = nil
        }
    }
}
