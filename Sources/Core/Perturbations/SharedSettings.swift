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
                + "subset of a larger one", isLeftOutAtDefault: true),
        MethodParameter(
            name: "classes", kind: .text(example: "0-4,7"),
            meaning: "the classes whose images are poisoned; all if absent"),
        MethodParameter(
            name: "key",
            kind: .word(
                default: "class", allowed: ["class", "cluster"] + targetKeys.map(\.rawValue)),
            meaning: "what selects an image's pattern: its class, a cluster of its pixels, or one "
                + "of a task's targets",
            isLeftOutAtDefault: true),
        MethodParameter(
            name: "clusters", kind: .number(default: 10, range: 2...1024, whole: true),
            meaning: "how many clusters there are",
            condition: .init(
                name: "key", values: ["cluster"] + targetKeys.map(\.rawValue))),
    ]

    /// Tasks whose targets can be clustered: all that say something of a place in the image.
    private static let targetKeys: [TaskKind] = [
        .sem, .depth, .normal, .edge, .kp2d, .reshade, .curv,
    ]

    /// The task whose targets select patterns; `nil`: none does.
    static func keyTask(_ settings: MethodSettings) -> TaskKind? {
        settings.words["key"].flatMap(TaskKind.init(rawValue:))
    }

    /// Words with the list of classes in the one form that each meaning has.
    static func canonical(
        _ words: [String: String], of method: String
    ) throws(SettingError) -> [String: String] {
        guard let text = words["classes"] else { return words }
        var words = words
        words["classes"] = nil
        if text == "all" { return words }
        guard let classes = ClassList(text) else {
            throw SettingError(
                owner: method, setting: "classes",
                problem: .wrongKind(
                    expected: "classes and ranges of them, such as 0-4,7; it is \(text)"))
        }
        words["classes"] = classes.text
        return words
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
