/// Why a data set, or a file of one, cannot be used.
public enum DataError: Error, Hashable, Sendable {
    /// No data set of this name is known.
    case unknownSet(name: String, known: [String])
    /// A known data set that lies in none of the places looked at.
    case missing(name: String, looked: [String], cure: String)
    /// The file system would not give the file.
    case unreadable(file: String, reason: String)
    /// A file inside a data folder is a symbolic link to somewhere outside of it.
    case linkLeavesFolder(file: String, target: String)
    /// A file breaks its format at `offset`, counted in the inflated bytes where it is compressed.
    case malformed(file: String, offset: Int, expected: String, found: String)
    /// Two files of one data set do not belong together.
    case disagreement(files: [String], what: String, values: [Int])
    /// A subset asks for more images of a class than there are.
    case tooFewOfClass(index: Int, wanted: Int, available: Int)
}

extension DataError {
    /// Whether the same call may succeed later without anyone changing a file.
    public var mayPass: Bool {
        if case .unreadable = self { true } else { false }
    }
}

extension DataError: CustomStringConvertible {
    /// What went wrong, the value, and what would be right.
    public var description: String {
        switch self {
        case .unknownSet(let name, let known):
            "there is no data set \(name)\(NearestName.hint(for: name, among: known)); "
                + "known are \(known.joined(separator: ", "))"
        case .missing(let name, let looked, let cure):
            "the data set \(name) is not here; looked in \(looked.joined(separator: ", ")). \(cure)"
        case .unreadable(let file, let reason):
            "\(file) cannot be read: \(reason)"
        case .linkLeavesFolder(let file, let target):
            "\(file) is a link to \(target), outside its data folder; put the file itself there"
        case .malformed(let file, let offset, let expected, let found):
            "\(file), byte \(offset): expected \(expected), found \(found)"
        case .disagreement(let files, let what, let values):
            "\(files.joined(separator: " and ")) differ in \(what): "
                + values.map(String.init).joined(separator: " and ")
        case .tooFewOfClass(let index, let wanted, let available):
            "the subset needs \(wanted) images of class \(index), and there are \(available); "
                + "ask for fewer images"
        }
    }
}
