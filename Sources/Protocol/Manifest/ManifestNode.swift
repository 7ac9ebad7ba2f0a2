/// Where something stands in a manifest, lines and columns counted from 1.
struct Place: Hashable, Sendable {
    var file: String
    var line: Int
    var column: Int
}

/// A manifest as text sees it: scalars, lists and mappings that know where they stand.
///
/// Scalars stay text until a field says which type it expects, so that YAML's guesses (`no` is
/// false, `1:30` is ninety) never come into it.
struct ManifestNode: Hashable, Sendable {
    enum Content: Hashable, Sendable {
        case scalar(text: String, isQuoted: Bool)
        case list([ManifestNode])
        case map([Entry])
    }

    struct Entry: Hashable, Sendable {
        var key: String
        var place: Place
        var value: ManifestNode
    }

    var place: Place
    var content: Content

    /// Whether nothing, `~` or `null` is written.
    var isNull: Bool {
        guard case .scalar(let text, false) = content else { return false }
        return ["", "~", "null", "Null", "NULL"].contains(text)
    }

    var isList: Bool {
        if case .list = content { return true }
        return false
    }

    /// The items of a list, or the node itself as the only one.
    var items: [ManifestNode] {
        if case .list(let items) = content { return items }
        return [self]
    }

    /// The value of `key` in a mapping.
    func child(_ key: String) -> ManifestNode? {
        guard case .map(let entries) = content else { return nil }
        return entries.first { $0.key == key }?.value
    }

    /// What an error shows of it: the scalar, cut short, or the kind of collection.
    var shown: String {
        switch content {
        case .scalar(let text, let isQuoted):
            let line = text.split(whereSeparator: \.isNewline).joined(separator: " ")
            let short = line.count > 60 ? line.prefix(57) + "..." : line[...]
            return isNull ? "empty" : isQuoted ? "\"\(short)\"" : String(short)
        case .list(let items): return items.isEmpty ? "an empty list" : "a list"
        case .map: return "a mapping"
        }
    }

    /// `self` laid over `base`: mappings are merged key by key, anything else replaces.
    func overriding(_ base: ManifestNode) -> ManifestNode {
        guard case .map(let own) = content, case .map(var merged) = base.content else {
            return self
        }
        for entry in own {
            guard let index = merged.firstIndex(where: { $0.key == entry.key }) else {
                merged.append(entry)
                continue
            }
            let value = entry.value.overriding(merged[index].value)
            merged[index] = Entry(key: entry.key, place: entry.place, value: value)
        }
        return ManifestNode(place: place, content: .map(merged))
    }
}
