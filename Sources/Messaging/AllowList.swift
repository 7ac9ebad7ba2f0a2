/// The keys that a coordinator lets in, as its file has them: one key a line, in Z85, and what it is
/// called behind it. Lines that begin with `# ` are comments.
public struct AllowList: Hashable, Sendable {
    /// One line.
    public struct Entry: Hashable, Sendable {
        public var key: CurvePublicKey
        /// What people call it; may be empty.
        public var name: String
    }

    /// In the order of the file.
    public private(set) var entries: [Entry] = []
    private var comments: [String] = []

    /// The most keys a list has.
    public static let entriesMax = 100_000
    /// The most characters of a name.
    public static let nameCharactersMax = 100

    public init() {}

    /// Reads a file's text.
    ///
    /// - Parameter field: What to call the file in an error.
    public init(text: String, field: String) throws(AllowListError) {
        for (index, line) in text.split(
            omittingEmptySubsequences: false, whereSeparator: \.isNewline
        )
        .enumerated() {
            let words = line.split(maxSplits: 1, whereSeparator: \.isWhitespace).map(String.init)
            guard let first = words.first else { continue }
            if first == "#" {
                comments.append(String(line))
                continue
            }
            let name = words.count > 1 ? words[1].trimmingSpaces() : ""
            do {
                try add(CurvePublicKey(z85: first, field: "\(field):\(index + 1)"), name: name)
            } catch let error as CurveKeyError {
                throw .key(error)
            } catch let error as AllowListError {
                throw error
            } catch {
                throw .name(name)
            }
        }
    }

    /// All keys.
    public var keys: Set<CurvePublicKey> { Set(entries.map(\.key)) }

    /// The file's text.
    public var text: String {
        (comments + entries.map { $0.name.isEmpty ? $0.key.z85 : "\($0.key.z85) \($0.name)" })
            .map { $0 + "\n" }.joined()
    }

    /// Adds a key, or names it anew.
    public mutating func add(_ key: CurvePublicKey, name: String) throws(AllowListError) {
        guard name.count <= Self.nameCharactersMax,
            name.unicodeScalars.allSatisfy({ $0.properties.generalCategory != .control })
        else { throw .name(name) }
        if let index = entries.firstIndex(where: { $0.key == key }) {
            if !name.isEmpty { entries[index].name = name }
            return
        }
        guard entries.count < Self.entriesMax else { throw .tooMany(Self.entriesMax) }
        entries.append(Entry(key: key, name: name))
    }

    /// Takes off what has this key or this name, and answers it; nothing where there is none.
    public mutating func remove(_ word: String) -> [Entry] {
        let gone = entries.filter { $0.key.z85 == word || (!word.isEmpty && $0.name == word) }
        entries.removeAll { gone.contains($0) }
        return gone
    }
}

/// What an allow-list cannot hold.
public enum AllowListError: Error, Equatable, Sendable, CustomStringConvertible {
    case key(CurveKeyError)
    case name(String)
    case tooMany(Int)

    public var description: String {
        switch self {
        case .key(let error): "\(error)"
        case .name(let name):
            "the name \"\(name.prefix(40))\" of a key is too long or has control characters; it takes "
                + "up to \(AllowList.nameCharactersMax) characters"
        case .tooMany(let most): "the allow-list has \(most) keys, which is the most it takes"
        }
    }
}

extension String {
    fileprivate func trimmingSpaces() -> String {
        var rest = self[...]
        while rest.first?.isWhitespace == true { rest.removeFirst() }
        while rest.last?.isWhitespace == true { rest.removeLast() }
        return String(rest)
    }
}
