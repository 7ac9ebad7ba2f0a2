/// Reads one mapping of a manifest, key by key, with defaults for what is not written.
///
/// A value that is wrong is noted and replaced by its default, so that reading goes on and all
/// problems are told together.
struct SectionReader {
    /// Where the section stands in the manifest, such as `training`; empty at the top.
    let path: String
    let place: Place
    let problems: ProblemCollector
    private let values: [String: ManifestNode]
    private let entries: [ManifestNode.Entry]

    /// Notes a problem and answers `nil` if `node` is no mapping.
    init?(_ node: ManifestNode, _ path: String, _ problems: ProblemCollector) {
        guard case .map(let entries) = node.content else {
            problems.refuse(node, path, "it must be a mapping of keys to values")
            return nil
        }
        self.path = path
        self.place = node.place
        self.problems = problems
        self.entries = entries
        values = Dictionary(
            entries.map { ($0.key, $0.value) }, uniquingKeysWith: { _, last in last })
    }

    func field(_ key: String) -> String { path.isEmpty ? key : "\(path).\(key)" }

    func node(_ key: String) -> ManifestNode? { values[key] }

    /// Notes every key that is neither in `known` nor known to come later.
    func checkKeys(_ known: [String], later: [String: String] = [:]) {
        for entry in entries where !known.contains(entry.key) {
            problems.add(
                advice(entry.key, known, later).field, value: nil,
                advice: advice(entry.key, known, later).text, at: entry.place)
        }
    }

    private func advice(
        _ key: String, _ known: [String], _ later: [String: String]
    ) -> (field: String, text: String) {
        if let reason = later[key] {
            return ("key \(field(key))", "is known but not supported by this version: \(reason)")
        }
        if let nearest = NearestName.of(key, among: known + later.keys.sorted()) {
            return (field(key), "is not a known key; did you mean \(nearest)?")
        }
        return (field(key), "is not a known key; known are \(known.joined(separator: ", "))")
    }

    // MARK: Values

    func whole(_ key: String, in range: ClosedRange<Int>, default value: Int) -> Int {
        guard let node = values[key] else { return value }
        return problems.whole(node, field(key), in: range) ?? value
    }

    /// A whole number that may be absent or `null`.
    func wholeOrNil(_ key: String, in range: ClosedRange<Int>) -> Int? {
        guard let node = values[key], !node.isNull else { return nil }
        return problems.whole(node, field(key), in: range)
    }

    func number(_ key: String, in range: NumberRange, default value: Double) -> Double {
        guard let node = values[key] else { return value }
        return problems.number(node, field(key), in: range) ?? value
    }

    /// A number that may be absent or `null`.
    func numberOrNil(_ key: String, in range: NumberRange) -> Double? {
        guard let node = values[key], !node.isNull else { return nil }
        return problems.number(node, field(key), in: range)
    }

    func flag(_ key: String, default value: Bool) -> Bool {
        guard let node = values[key] else { return value }
        return problems.flag(node, field(key)) ?? value
    }

    /// One of an enumeration's cases, as far as this build has them.
    func choice<Choice: RawRepresentable & CaseIterable & Equatable>(
        _ key: String, among supported: [Choice], default value: Choice
    ) -> Choice where Choice.RawValue == String {
        guard let node = values[key] else { return value }
        let later = Choice.allCases.filter { !supported.contains($0) }.map(\.rawValue)
        let name = problems.choice(
            node, field(key), among: supported.map(\.rawValue), later: later)
        return name.flatMap(Choice.init(rawValue:)) ?? value
    }

    /// A list that is one value, such as `augment`; a lone item counts as a list of it.
    func list<Item: Hashable>(
        _ key: String, default value: [Item], item: (ManifestNode, String) -> Item?
    ) -> [Item] {
        guard let node = values[key] else { return value }
        var items: [Item] = []
        for (index, element) in node.items.enumerated() {
            guard let read = item(element, "\(field(key))[\(index)]") else { continue }
            if items.contains(read) {
                problems.refuse(element, "\(field(key))[\(index)]", "it is in the list already")
            } else {
                items.append(read)
            }
        }
        return items
    }
}
