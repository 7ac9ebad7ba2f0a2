import FathomCore
import Foundation
import SwiftProtobuf

/// Turns what is said about files into bytes and back. Whatever bytes arrive, decoding answers or
/// throws.
public enum ArtifactCodec {
    public static func encode(_ question: ArtifactQuestion) -> [UInt8] {
        var envelope = Fathom_ArtifactQuestionEnvelope()
        envelope.version = UInt32(ProtocolVersion.current)
        envelope.kind =
            switch question {
            case .fetch(let digest, let offset, let bytes):
                .fetch(
                    .with {
                        $0.digest = MessageCodec.wire(digest)
                        $0.offset = UInt64(clamping: offset)
                        $0.bytes = UInt32(clamping: bytes)
                    })
            case .offer(let digest, let total):
                .offer(
                    .with {
                        $0.digest = MessageCodec.wire(digest)
                        $0.total = UInt64(clamping: total)
                    })
            case .piece(let piece): .piece(wire(piece))
            case .doubt(let digest): .doubt(.with { $0.digest = MessageCodec.wire(digest) })
            }
        return MessageCodec.bytes(of: envelope)
    }

    public static func encode(_ answer: ArtifactAnswer) -> [UInt8] {
        var envelope = Fathom_ArtifactAnswerEnvelope()
        envelope.version = UInt32(ProtocolVersion.current)
        envelope.kind =
            switch answer {
            case .piece(let piece): .piece(wire(piece))
            case .gone(let digest): .gone(.with { $0.digest = MessageCodec.wire(digest) })
            case .want(let digest, let offset, let credit):
                .want(
                    .with {
                        $0.digest = MessageCodec.wire(digest)
                        $0.offset = UInt64(clamping: offset)
                        $0.credit = UInt32(clamping: credit)
                    })
            case .have(let digest): .have(.with { $0.digest = MessageCodec.wire(digest) })
            case .refused(let digest, let reason):
                .refusal(
                    .with {
                        $0.digest = MessageCodec.wire(digest)
                        $0.reason = wire(reason)
                    })
            }
        return MessageCodec.bytes(of: envelope)
    }

    public static func decodeQuestion(_ bytes: [UInt8]) throws(MessageError) -> ArtifactQuestion {
        let envelope: Fathom_ArtifactQuestionEnvelope = try message(from: bytes)
        try MessageCodec.checkVersion(envelope.version)
        switch envelope.kind {
        case nil: throw .unknownKind
        case .fetch(let fetch):
            try MessageCodec.check("fetch.bytes", Int(fetch.bytes), ArtifactLimits.pieceBytes)
            return .fetch(
                try digest(fetch.digest), offset: try position("fetch.offset", fetch.offset),
                bytes: Int(fetch.bytes))
        case .offer(let offer):
            return .offer(
                try digest(offer.digest), total: try MessageCodec.ordinal("total", offer.total))
        case .piece(let piece): return .piece(try value(piece))
        case .doubt(let doubt): return .doubt(try digest(doubt.digest))
        }
    }

    public static func decodeAnswer(_ bytes: [UInt8]) throws(MessageError) -> ArtifactAnswer {
        let envelope: Fathom_ArtifactAnswerEnvelope = try message(from: bytes)
        try MessageCodec.checkVersion(envelope.version)
        switch envelope.kind {
        case nil: throw .unknownKind
        case .piece(let piece): return .piece(try value(piece))
        case .gone(let gone): return .gone(try digest(gone.digest))
        case .want(let want):
            try MessageCodec.check("want.credit", Int(want.credit), 1 << 30)
            return .want(
                try digest(want.digest), offset: try position("want.offset", want.offset),
                credit: Int(want.credit))
        case .have(let have): return .have(try digest(have.digest))
        case .refusal(let refusal):
            return .refused(try digest(refusal.digest), try value(refusal.reason))
        }
    }

    // MARK: Parts

    private static func message<M: Message>(from bytes: [UInt8]) throws(MessageError) -> M {
        try MessageCodec.check("frame", bytes.count, ArtifactLimits.frameBytes)
        do {
            return try M(serializedBytes: bytes)
        } catch {
            throw .malformed
        }
    }

    private static func digest(_ bytes: Data) throws(MessageError) -> Digest {
        try MessageCodec.digest("digest", bytes)
    }

    private static func position(_ field: String, _ offset: UInt64) throws(MessageError) -> Int {
        guard offset <= ArtifactLimits.fileBytes else {
            throw .outOfRange(field: field, value: Int(clamping: offset))
        }
        return Int(offset)
    }

    private static func wire(_ piece: ArtifactPiece) -> Fathom_ArtifactPiece {
        .with {
            $0.digest = MessageCodec.wire(piece.digest)
            $0.offset = UInt64(clamping: piece.offset)
            $0.total = UInt64(clamping: piece.total)
            $0.content = Data(piece.content)
        }
    }

    private static func value(_ piece: Fathom_ArtifactPiece) throws(MessageError) -> ArtifactPiece {
        let offset = try position("piece.offset", piece.offset)
        let total = try position("piece.total", piece.total)
        try MessageCodec.check("piece.content", piece.content.count, ArtifactLimits.pieceBytes)
        guard offset + piece.content.count <= total else {
            throw .outOfRange(field: "piece.offset", value: offset)
        }
        return ArtifactPiece(
            digest: try digest(piece.digest), offset: offset, total: total,
            content: Array(piece.content))
    }

    private static func wire(_ reason: ArtifactRefusal) -> Fathom_ArtifactRefusalKind {
        switch reason {
        case .busy: .busy
        case .noRoom: .noRoom
        case .tooLarge: .tooLarge
        case .damaged: .damaged
        case .invalid: .invalid
        }
    }

    private static func value(
        _ reason: Fathom_ArtifactRefusalKind
    ) throws(MessageError) -> ArtifactRefusal {
        switch reason {
        case .busy: return .busy
        case .noRoom: return .noRoom
        case .tooLarge: return .tooLarge
        case .damaged: return .damaged
        case .invalid: return .invalid
        case .unspecified, .UNRECOGNIZED: throw .missing(field: "refusal.reason")
        }
    }
}
