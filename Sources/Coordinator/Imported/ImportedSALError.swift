/// Why SAL values from elsewhere cannot be taken in.
public enum ImportedSALError: Error, Sendable, CustomStringConvertible {
    case malformed(line: Int, reason: String)
    case columnMissing(String, known: [String])
    case columnUnknown(String, known: [String])
    case value(line: Int, column: String, value: String, right: String)
    case twice(line: Int, what: String)
    case uneven(method: String, seed: Int, epoch: Int, count: Int, expected: Int)
    case runTwice(method: String, seed: Int)
    case logEmpty
    case logSilent(what: String, option: String)

    public var description: String {
        switch self {
        case .malformed(let line, let reason): "line \(line) is no CSV row: \(reason)"
        case .columnMissing(let name, let known):
            "the column \(name) is missing; columns are \(known.joined(separator: ", "))"
        case .columnUnknown(let name, let known):
            "the column \(name) is not known; columns are \(known.joined(separator: ", "))"
        case .value(let line, let column, let value, let right):
            "line \(line): \(column) is \(value); \(right)"
        case .twice(let line, let what): "line \(line): \(what) is there twice"
        case .uneven(let method, let seed, let epoch, let count, let expected):
            "\(method), seed \(seed): epoch \(epoch) has \(count) layers and another "
                + "\(expected); each epoch measures the same ones"
        case .runTwice(let method, let seed):
            "\(method), seed \(seed) is in two of the files; a run is in one"
        case .logEmpty:
            "the log has no whole epoch of SAL; one begins with Origin and ends with "
                + "Sharpness_loss"
        case .logSilent(let what, let option):
            "the log does not say its \(what) (no Namespace line); give \(option)"
        }
    }
}
