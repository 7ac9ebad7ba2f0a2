/// Why bytes are not a message.
public enum MessageError: Error, Sendable, Hashable {
    /// Not the wire format at all.
    case malformed
    case version(found: Int)
    /// A frame names a kind of message this build does not know.
    case unknownKind
    case missing(field: String)
    case outOfRange(field: String, value: Int)
    case tooLong(field: String, count: Int, limit: Int)
    case notADigest(field: String, bytes: Int)
    /// What a job is to compute cannot be read.
    case specification(reason: String)
}

extension MessageError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .malformed: "the bytes are not a Fathom message"
        case .version(let found):
            "the message has protocol version \(found); this build speaks "
                + "\(ProtocolVersion.supported.lowerBound) to \(ProtocolVersion.supported.upperBound)"
        case .unknownKind: "the frame holds a kind of message that this build does not know"
        case .missing(let field): "\(field) is missing"
        case .outOfRange(let field, let value): "\(field) is \(value), which cannot be"
        case .tooLong(let field, let count, let limit):
            "\(field) has \(count) elements or bytes; at most \(limit) are allowed"
        case .notADigest(let field, let bytes):
            "\(field) has \(bytes) bytes; a SHA-256 digest has 32"
        case .specification(let reason): "the job's settings cannot be read: \(reason)"
        }
    }
}
