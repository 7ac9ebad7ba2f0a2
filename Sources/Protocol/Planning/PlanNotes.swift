import FathomCore

/// What a sweep will not be able to say, told before it runs.
enum PlanNotes {
    static func of(_ manifest: Manifest) -> [String] {
        let names = Set(manifest.methods.map(\.name))
        var notes: [String] = []
        if !names.contains("clean") {
            notes.append(
                "methods has no clean: the learnable threshold, UD and damage have no baseline and "
                    + "will be NULL")
        }
        for control in manifest.compare.controls where !names.contains(control) {
            notes.append(
                "compare.controls names \(control), which is not among methods: whether UD is "
                    + "calibrated will be NULL")
        }
        if manifest.compare.controls.isEmpty {
            notes.append(
                "compare.controls is empty: nothing shows whether UD can be believed here, and "
                    + "calibrated will be NULL")
        }
        if manifest.compare.threshold == .crossfit && manifest.seeds.count < 3 {
            notes.append(
                "compare.threshold is crossfit, which needs 3 seeds and has "
                    + "\(manifest.seeds.count): UD by that rule will be NULL; write "
                    + "threshold: released, or seeds: 3")
        }
        return notes
    }

    /// What is worth knowing of the data sets.
    static func of(_ facts: [String: DataFacts]) -> [String] {
        facts.sorted { $0.key < $1.key }.flatMap { set, facts in
            facts.notes.map { "\(set): \($0)" }
        }
    }

    /// Cells that mean nothing, equal reasons told once.
    static func notApplicable(_ cells: [PlannedCell]) -> [String] {
        var reasons: [String] = []
        var counts: [String: Int] = [:]
        for cell in cells {
            guard let reason = cell.notApplicable else { continue }
            let note =
                "under \(cell.defenseLabel) on \(cell.data.set), task \(cell.task), "
                + "which is not applicable: \(reason)"
            if counts.updateValue((counts[note] ?? 0) + 1, forKey: note) == nil {
                reasons.append(note)
            }
        }
        return reasons.map { "\(counts[$0] ?? 0) cells will not run \($0)" }
    }
}
