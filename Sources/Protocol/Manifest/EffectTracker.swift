/// Finds settings that are written but count nowhere in the grid, such as milestones without a
/// schedule that has any: most likely a slip, and never to be dropped in silence.
final class EffectTracker {
    private struct Idle {
        var node: ManifestNode
        var field: String
        var needs: String
    }

    private let problems: ProblemCollector
    private var idle: [Place: Idle] = [:]
    private var counting: Set<Place> = []

    init(_ problems: ProblemCollector) { self.problems = problems }

    /// Puts `value` to its default where it does not count, and remembers where it was written.
    func note<Value: Equatable>(
        _ section: SectionReader, _ key: String, counts: Bool, needs: String,
        _ value: inout Value, _ usual: Value
    ) {
        guard let node = section.node(key) else { return }
        if counts {
            counting.insert(node.place)
        } else if value != usual {
            idle[node.place] = Idle(node: node, field: section.field(key), needs: needs)
            value = usual
        }
    }

    /// Notes as problems the settings that no combination of the grid uses.
    func report() {
        let unused = idle.values.filter { !counting.contains($0.node.place) }
        for setting in unused.sorted(by: { $0.field < $1.field }) {
            problems.refuse(
                setting.node, setting.field,
                "that has no effect without \(setting.needs); leave it out")
        }
    }
}
