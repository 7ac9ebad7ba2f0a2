/// Settings that every method but `clean` takes: which images it is put on, and what it is keyed by.
///
/// They are left out of complete settings where they are at their defaults, so that a poison of
/// all images by class has the settings that it always had.
public enum SharedSettings {
    /// `fraction`, `classes`, `key` and `clusters`.
    public static let parameters = [
        MethodParameter(
            name: "fraction", kind: .number(default: 1, range: 0...1, whole: false),
            meaning: "the share of each class's images that is poisoned; a smaller share is a "
                + "subset of a larger one"),
        MethodParameter(
            name: "classes", kind: .text(example: "0-4,7"),
            meaning: "the classes whose images are poisoned; all if absent"),
        MethodParameter(
            name: "key", kind: .word(default: "class", allowed: ["class", "cluster"]),
            meaning: "what selects an image's pattern: its class, or a cluster of its pixels"),
        MethodParameter(
            name: "clusters", kind: .number(default: 10, range: 2...1024, whole: true),
            meaning: "how many clusters there are",
            condition: .init(name: "key", values: ["cluster"])),
    ]

    static let names = parameters.map(\.name)

    /// The shared part of `given`, checked, without what is at its default.
    static func resolved(
        _ given: MethodSettings
    ) throws(MethodError) -> (numbers: [String: Double], words: [String: String]) {
        var numbers: [String: Double] = [:]
        var words: [String: String] = [:]
        if let fraction = given.numbers["fraction"], fraction != 1 {
            try range("fraction", fraction, 0...1, given.name)
            numbers["fraction"] = fraction
        }
        if let text = given.words["classes"], text != "all" {
            guard let classes = ClassList(text) else {
                throw .wrongKind(
                    method: given.name, name: "classes",
                    expected: "classes and ranges of them, such as 0-4,7; it is \(text)")
            }
            words["classes"] = classes.text
        }
        try resolveKey(given, &numbers, &words)
        return (numbers, words)
    }

    private static func resolveKey(
        _ given: MethodSettings, _ numbers: inout [String: Double], _ words: inout [String: String]
    ) throws(MethodError) {
        let key = given.words["key"] ?? "class"
        guard ["class", "cluster"].contains(key) else {
            throw .notAllowed(
                method: given.name, name: "key", value: key, allowed: ["class", "cluster"])
        }
        guard key == "cluster" else {
            guard given.numbers["clusters"] == nil else {
                throw .notApplicable(method: given.name, name: "clusters", when: "key cluster")
            }
            return
        }
        words["key"] = key
        let clusters = given.numbers["clusters"] ?? 10
        try range("clusters", clusters, 2...1024, given.name)
        guard clusters == clusters.rounded() else {
            throw .notWhole(method: given.name, name: "clusters", value: clusters)
        }
        numbers["clusters"] = clusters
    }

    private static func range(
        _ name: String, _ value: Double, _ range: ClosedRange<Double>, _ method: String
    ) throws(MethodError) {
        guard range.contains(value) else {
            throw .outOfRange(method: method, name: name, value: value, range: range)
        }
    }
}

/// Classes as a manifest writes them: numbers and ranges, such as `0-4,7`.
struct ClassList: Hashable {
    /// Rising, each once.
    let classes: [Int32]

    init?(_ text: String) {
        var found: Set<Int32> = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let ends = part.split(separator: "-", omittingEmptySubsequences: false)
                .map { Int32($0.filter { $0 != " " }) }
            guard (1...2).contains(ends.count), let first = ends[0],
                let last = ends[ends.count - 1],
                first >= 0, last >= first, last < 1 << 16
            else { return nil }
            found.formUnion(first...last)
        }
        guard !found.isEmpty else { return nil }
        classes = found.sorted()
    }

    /// One text for one meaning: ranges wherever there are neighbours.
    var text: String {
        var parts: [String] = []
        var start = 0
        for index in classes.indices {
            let isLast = index + 1 == classes.count || classes[index + 1] != classes[index] + 1
            guard isLast else { continue }
            let (low, high) = (classes[start], classes[index])
            parts.append(low == high ? "\(low)" : "\(low)-\(high)")
            start = index + 1
        }
        return parts.joined(separator: ",")
    }
}
