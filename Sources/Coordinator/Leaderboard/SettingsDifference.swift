import Foundation

/// What tells groups of one sweep apart besides data set, task, model and defense: settings of
/// which the grid has several.
struct SettingsDifference {
    /// A setting by its path in the manifest, with its value as text.
    struct Facet: Hashable, Sendable {
        var key: String
        var value: String
    }

    private var settings: [String: [String: String]] = [:]
    /// Sorted.
    private let varying: [String]

    /// - Parameter groups: `ScoredCell.baselineGroup` of all cells; JSON objects.
    init(groups: some Sequence<String>) {
        for group in Set(groups) { settings[group] = SettingsDifference.flattened(group) }
        let keys = Set(settings.values.flatMap(\.keys))
        let all = Array(settings.values)
        varying = keys.filter { key in
            key != "task" && key != "data.set" && !key.hasPrefix("model.")
                && Set(all.map { $0[key] ?? "default" }).count > 1
        }.sorted()
    }

    /// The varying settings of a group, in the order of their keys.
    func facets(of group: String) -> [Facet] {
        let own = settings[group] ?? [:]
        return varying.map { Facet(key: $0, value: own[$0] ?? "default") }
    }

    /// The same as words: `sal.radius 0.1, training.epochs 20`; empty where nothing varies.
    func text(of group: String) -> String {
        facets(of: group).map { "\($0.key) \($0.value)" }.joined(separator: ", ")
    }

    private static func flattened(_ group: String) -> [String: String] {
        guard let tree = try? JSONSerialization.jsonObject(with: Data(group.utf8)) else {
            return [:]
        }
        var found: [String: String] = [:]
        add(tree, at: "", to: &found)
        return found
    }

    private static func add(_ tree: Any, at path: String, to found: inout [String: String]) {
        switch tree {
        case let object as [String: Any]:
            for (key, value) in object {
                add(value, at: path.isEmpty ? key : path + "." + key, to: &found)
            }
        case let list as [Any]:
            found[path] = "[" + list.map { "\($0)" }.joined(separator: " ") + "]"
        default:
            found[path] = "\(tree)"
        }
    }
}
