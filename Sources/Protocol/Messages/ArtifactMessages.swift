public import FathomCore

/// What a worker says where files travel. Each question may come twice, late or never.
public enum ArtifactQuestion: Sendable, Hashable {
    /// Send up to `bytes` bytes of a file from `offset` on.
    case fetch(Digest, offset: Int, bytes: Int)
    /// A file of `total` bytes is here for you.
    case offer(Digest, total: Int)
    case piece(ArtifactPiece)
    /// Your file does not have its digest here: look at it.
    case doubt(Digest)

    /// Which file it is about.
    public var digest: Digest {
        switch self {
        case .fetch(let digest, _, _), .offer(let digest, _), .doubt(let digest): digest
        case .piece(let piece): piece.digest
        }
    }
}

/// What the coordinator answers.
public enum ArtifactAnswer: Sendable, Hashable {
    case piece(ArtifactPiece)
    /// The coordinator does not have the file, or no longer whole.
    case gone(Digest)
    /// Send it from `offset` on, `credit` bytes at most before the next word.
    case want(Digest, offset: Int, credit: Int)
    case have(Digest)
    case refused(Digest, ArtifactRefusal)

    /// Which file it is about.
    public var digest: Digest {
        switch self {
        case .gone(let digest), .want(let digest, _, _), .have(let digest),
            .refused(let digest, _):
            digest
        case .piece(let piece): piece.digest
        }
    }
}

/// Some bytes of a file.
public struct ArtifactPiece: Sendable, Hashable {
    public var digest: Digest
    public var offset: Int
    /// The length of the whole file.
    public var total: Int
    public var content: [UInt8]

    public init(digest: Digest, offset: Int, total: Int, content: [UInt8]) {
        self.digest = digest
        self.offset = offset
        self.total = total
        self.content = content
    }
}

/// Why the coordinator does not take a file, or does not give it.
public enum ArtifactRefusal: Sendable, Hashable, CaseIterable {
    /// Too many files are on their way: later.
    case busy
    /// The disk is full: later.
    case noRoom
    /// Longer than a file may be: never.
    case tooLarge
    /// What arrived did not have the digest and was thrown away.
    case damaged
    /// The question contradicts itself.
    case invalid

    /// Whether the same question may be answered otherwise later.
    public var isPassing: Bool { self == .busy || self == .noRoom }
}

/// Caps on files and their pieces.
public enum ArtifactLimits {
    /// Content of one piece.
    public static let pieceBytes = 1 << 20
    /// Bytes of one file that may be on their way at the same time, in either direction.
    public static let windowBytes = 4 << 20
    /// Bytes of one frame: a piece and what describes it.
    public static let frameBytes = pieceBytes + 1_024
    /// Bytes of one file.
    public static let fileBytes = 64 << 30
    /// Files that are being brought to the coordinator at the same time.
    public static let incomingFiles = 256
    /// Files that a worker fetches or brings at the same time.
    public static let transfersAtOnce = 4
}
