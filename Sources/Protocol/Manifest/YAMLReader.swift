import Yams

/// Turns YAML text into a tree, or says in plain words why it cannot.
struct YAMLReader {
    private let file: String
    private var nodeCount = 0

    private init(file: String) { self.file = file }

    /// Reads the one document of `text`.
    static func read(_ text: String, file: String) throws(ManifestError) -> ManifestNode {
        try refuseCollectionsAsKeys(text, file: file)
        let root: Node?
        do {
            root = try Yams.compose(yaml: text)
        } catch let error as YamlError {
            throw ManifestError(problems: [problem(of: error, text: text, file: file)])
        } catch {
            throw failure(file, 0, 0, "cannot be read: \(error)")
        }
        guard let root else {
            throw failure(file, 0, 0, "is empty; a manifest starts with: version: 1")
        }
        var reader = YAMLReader(file: file)
        return try reader.node(root, depth: 1)
    }

    // MARK: The tree

    private mutating func node(_ node: Node, depth: Int) throws(ManifestError) -> ManifestNode {
        let place = Place(file: file, line: node.mark?.line ?? 1, column: node.mark?.column ?? 1)
        nodeCount += 1
        guard nodeCount <= Limits.manifestNodes else {
            throw Self.failure(
                place, "holds more than \(Limits.manifestNodes) values, aliases written out")
        }
        guard depth <= Limits.manifestDepth else {
            throw Self.failure(place, "nests more than \(Limits.manifestDepth) levels deep")
        }
        return ManifestNode(place: place, content: try content(of: node, place, depth: depth))
    }

    private mutating func content(
        of node: Node, _ place: Place, depth: Int
    ) throws(ManifestError) -> ManifestNode.Content {
        switch node {
        case .scalar(let scalar):
            let isQuoted = scalar.style == .singleQuoted || scalar.style == .doubleQuoted
            return .scalar(text: scalar.string, isQuoted: isQuoted)
        case .sequence(let sequence):
            var items: [ManifestNode] = []
            for item in sequence { items.append(try self.node(item, depth: depth + 1)) }
            return .list(items)
        case .mapping(let mapping):
            var entries: [ManifestNode.Entry] = []
            for (key, value) in mapping { entries.append(try entry(key, value, depth: depth + 1)) }
            return .map(entries)
        case .alias:
            throw Self.failure(place, "uses an alias before its anchor")
        }
    }

    private mutating func entry(
        _ key: Node, _ value: Node, depth: Int
    ) throws(ManifestError) -> ManifestNode.Entry {
        let place = Place(file: file, line: key.mark?.line ?? 1, column: key.mark?.column ?? 1)
        guard case .scalar(let scalar) = key else {
            throw Self.failure(place, "has a list or mapping for a key; keys are words")
        }
        return ManifestNode.Entry(
            key: scalar.string, place: place, value: try node(value, depth: depth))
    }

    // MARK: What can be wrong

    /// The YAML library hashes keys with every alias in them written out, which a few lines can
    /// make last for years. No manifest has such keys, so text that might is turned away unread.
    private static func refuseCollectionsAsKeys(
        _ text: String, file: String
    ) throws(ManifestError) {
        let alias = /(^|[\s\[{,:])\*[A-Za-z0-9_]/.anchorsMatchLineEndings()
        guard text.utf8.contains(UInt8(ascii: "*")), text.contains(alias) else { return }
        let key = /(^|[\s\[{,:])\?(\s|$)|[\]}]\s*:|\*[^\s,\]}]+\s*:/.anchorsMatchLineEndings()
        guard let match = text.firstMatch(of: key) else { return }
        let line = text[..<match.range.lowerBound].count(where: \.isNewline) + 1
        throw failure(
            file, line, 1, "looks as if a list, mapping or alias were a key; keys are plain words")
    }

    private static func problem(
        of error: YamlError, text: String, file: String
    ) -> ManifestError.Problem {
        switch error {
        case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
            .composer(_, let problem, let mark, _):
            let advice = advice(problem, mark: mark, text: text)
            return Self.problem(file, mark.line, mark.column, advice)
        case .reader(let problem, let offset, _, _):
            let before = text.prefix(offset ?? 0)
            let line = before.count(where: \.isNewline) + 1
            return Self.problem(file, line, 1, "is not valid YAML: \(problem)")
        case .duplicatedKeysInMapping(let duplicates, let context):
            let keys = duplicates.sorted().joined(separator: ", ")
            let advice = "\(keys) is written more than once in the same mapping; keep one"
            return Self.problem(file, context.mark.line, context.mark.column, advice)
        default:
            return Self.problem(file, 0, 0, "is not valid YAML: \(error)")
        }
    }

    private static func advice(_ problem: String, mark: Mark, text: String) -> String {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        let nearby = lines.dropFirst(max(0, mark.line - 2)).prefix(2)
        let isTab = nearby.contains { line in
            line.prefix { $0 == " " || $0 == "\t" }.contains("\t")
        }
        return isTab
            ? "is indented with a tab; YAML takes spaces only" : "is not valid YAML: \(problem)"
    }

    private static func problem(
        _ file: String, _ line: Int, _ column: Int, _ advice: String
    ) -> ManifestError.Problem {
        ManifestError.Problem(
            file: file, line: line, column: column, field: "", value: nil, advice: advice)
    }

    private static func failure(
        _ file: String, _ line: Int, _ column: Int, _ advice: String
    ) -> ManifestError {
        ManifestError(problems: [problem(file, line, column, advice)])
    }

    private static func failure(_ place: Place, _ advice: String) -> ManifestError {
        failure(place.file, place.line, place.column, advice)
    }
}
