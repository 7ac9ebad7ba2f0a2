import FathomCore

/// Names cells for people: a method by its name alone, with only those settings behind it that
/// tell it from other cells of the sweep.
struct CellLabels {
    private let methodKeys: [String: Set<String>]
    private let defenseKeys: [String: Set<String>]
    private let dataKeys: Set<String>
    private let trainingKeys: Set<String>
    private let salKeys: Set<String>

    init(_ manifest: Manifest) {
        let byName = Dictionary(grouping: manifest.methods, by: \.name)
        methodKeys = byName.mapValues { Self.varying($0.map(\.tree)) }
        let defenses = Dictionary(grouping: manifest.defenses, by: \.name)
        defenseKeys = defenses.mapValues { Self.varying($0.map(\.tree)) }
        dataKeys = Self.varying(manifest.data.map(\.tree))
        trainingKeys = Self.varying(manifest.training.map(\.tree))
        salKeys = Self.varying(
            manifest.sal.map { $0.tree(views: $0.viewsFollowTraining ? nil : $0.settings.views) })
    }

    /// Such as `lsp`, or `lsp (patch=4, learningRate=0.05)` where those are axes.
    func method(
        _ method: MethodSettings, _ data: DataSettings, _ training: TrainingSettings,
        _ sal: SALSweepSettings
    ) -> String {
        let views = sal.viewsFollowTraining ? nil : sal.settings.views
        let parts =
            Self.parts(method.tree, methodKeys[method.name] ?? [])
            + Self.parts(data.tree, dataKeys, prefix: "data.")
            + Self.parts(training.tree, trainingKeys)
            + Self.parts(sal.tree(views: views), salKeys, prefix: "sal.")
        return parts.isEmpty ? method.name : "\(method.name) (\(parts.joined(separator: ", ")))"
    }

    /// Such as `none`, or `jpeg (quality=10)` where that is an axis.
    func defense(_ defense: DefenseSettings) -> String {
        let parts = Self.parts(defense.tree, defenseKeys[defense.name] ?? [])
        return parts.isEmpty ? defense.name : "\(defense.name) (\(parts.joined(separator: ", ")))"
    }

    /// Such as `lenet5` or `resnet18-w8`, with its runner and device where it has one:
    /// `resnet18-w64@torch/cuda`, its revision if that is not the first, and what it computes if
    /// that is not all.
    func model(_ model: ModelSettings) -> String {
        let network = model.width.map { "\(model.name)-w\($0)" } ?? model.name
        guard let runner = model.runner else { return network }
        let part = runner.kinds.map { "/" + $0.map(\.rawValue).joined(separator: "+") } ?? ""
        let revision = runner.revision == 1 ? "" : "/r\(runner.revision)"
        return "\(network)@\(runner.name)/\(runner.device)\(revision)\(part)"
    }

    private static func parts(
        _ tree: SettingTree, _ keys: Set<String>, prefix: String = ""
    ) -> [String] {
        tree.entries.filter { keys.contains($0.key) }.map { "\(prefix)\($0.key)=\($0.value.text)" }
    }

    /// The keys whose values are not the same in all trees.
    private static func varying(_ trees: [SettingTree]) -> Set<String> {
        var values: [String: Set<SettingTree>] = [:]
        var counts: [String: Int] = [:]
        for entry in trees.flatMap(\.entries) {
            values[entry.key, default: []].insert(entry.value)
            counts[entry.key, default: 0] += 1
        }
        return Set(
            values.keys.filter { (values[$0]?.count ?? 0) > 1 || counts[$0] != trees.count })
    }
}
