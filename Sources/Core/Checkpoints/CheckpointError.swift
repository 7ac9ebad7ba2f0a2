/// Why a stored array file cannot be read or written.
public enum CheckpointError: Error, Hashable, Sendable {
    /// The file system would not give the file.
    case unreadable(file: String, reason: String)
    /// A step of writing failed; the old file, if there was one, is untouched.
    case unwritable(file: String, step: String, reason: String)
    /// The file breaks its format at `offset`.
    case malformed(file: String, offset: Int, expected: String, found: String)
    /// An array of the file is declared in a way that cannot be true.
    case malformedArray(file: String, name: String, expected: String, found: String)
}

extension CheckpointError {
    /// Whether the same call may succeed later without anyone changing a file.
    public var mayPass: Bool {
        switch self {
        case .unreadable, .unwritable: true
        case .malformed, .malformedArray: false
        }
    }
}

extension CheckpointError: CustomStringConvertible {
    /// What went wrong, the value, and what would be right.
    public var description: String {
        switch self {
        case .unreadable(let file, let reason):
            "\(file) cannot be read: \(reason)"
        case .unwritable(let file, let step, let reason):
            "\(file) cannot be written, at \(step): \(reason); what was there before is untouched"
        case .malformed(let file, let offset, let expected, let found):
            "\(file), byte \(offset): expected \(expected), found \(found)"
        case .malformedArray(let file, let name, let expected, let found):
            "\(file), array \(name): expected \(expected), found \(found)"
        }
    }
}
