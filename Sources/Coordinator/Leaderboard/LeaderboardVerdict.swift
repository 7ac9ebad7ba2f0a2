import FathomCore

/// Says in words whether a group's UD can be believed, and what is missing where.
struct LeaderboardVerdict {
    let group: Leaderboard.Group

    /// Sentences, one a paragraph.
    var sentences: [String] {
        if group.rows.allSatisfy(\.isNotApplicable) { return missing }
        var all = [believability]
        if let agreement = agreement { all.append(agreement) }
        all += missing
        return all
    }

    private func text(_ value: Double, _ digits: Int = 2) -> String {
        LeaderboardTable.number(value, digits)
    }

    private var bounds: String {
        let bounds = LeaderboardScoring.controlBounds
        return "\(text(bounds.lowerBound)) to \(text(bounds.upperBound))"
    }

    private var believability: String {
        let rows = group.rows
        guard let row = rows.first(where: { $0.isCalibrated != nil }) else {
            return "Whether UD can be believed here is unknown: there is no control with a clean "
                + "baseline. Add `rand-s` to methods and to compare.controls, with 3 seeds or more."
        }
        let spread = row.control.map { "\(text($0.low)) to \(text($0.high))" }
        let base = rows.first { $0.role == .clean } ?? row
        let layers =
            "\(base.learnableBaseline.map { text($0, 1) } ?? "no") learnable layers"
            + (base.layerCount.map { " of \($0)" } ?? "")
        if row.isCalibrated == true {
            return "UD can be believed here: the controls stay within \(spread ?? bounds), inside "
                + "\(bounds), and clean training has \(layers). A method differs from the "
                + "controls only where its interval lies outside theirs."
        }
        return "UD cannot be believed here: \(doubt(row, base: base, spread: spread, layers)). "
            + "It stands in brackets and is not ranked."
    }

    private func doubt(
        _ row: LeaderboardRow, base: LeaderboardRow, spread: String?, _ layers: String
    ) -> String {
        guard let spread, let control = row.control else {
            return "the controls have no interval, which takes 2 seeds or more"
        }
        if !control.lies(within: LeaderboardScoring.controlBounds) {
            return "harmless controls give \(spread), which is not inside \(bounds)"
        }
        let share = (base.learnableBaseline ?? 0) / Double(max(base.layerCount ?? 0, 1))
        if share < LeaderboardScoring.learnableShareMin {
            return "clean training has only \(layers), and a fifth is needed"
        }
        return "not every control has an interval, which takes 2 finished seeds or more"
    }

    /// Spearman's ρ of UD with how good the task metric is, over methods.
    var agreement: String? {
        guard let first = group.rows.first else { return nil }
        let up: Double = ScoredCell.metric(ofTask: first.task).isHigherBetter ? 1 : -1
        let pairs = group.rows.filter { $0.role == .method }.compactMap {
            row -> (Double, Double)? in
            guard let ud = row.ud, let metric = row.metric else { return nil }
            return (ud, up * metric)
        }
        guard pairs.count > 2,
            let rho = RankCorrelation.spearman(pairs.map(\.0), pairs.map(\.1))
        else { return nil }
        let interval = RankCorrelation.spearmanInterval(
            pairs.map(\.0), pairs.map(\.1), random: RandomStream(seed: 2_509_080_58))
        let range = interval.map { ", 95 % from \(text($0.low)) to \(text($0.high))" } ?? ""
        let name = up > 0 ? first.metricName : "low " + first.metricName
        return "Rank agreement of UD with \(name) over \(pairs.count) methods: "
            + "Spearman's rho \(text(rho))\(range)."
    }

    /// Why numbers are missing, equal reasons told once.
    private var missing: [String] {
        var reasons: [String] = []
        var methods: [String: [String]] = [:]
        func add(_ reason: String, _ method: String) {
            if methods[reason] == nil { reasons.append(reason) }
            methods[reason, default: []].append(method)
        }
        for row in group.rows {
            if let reason = row.udReason {
                add(row.ud == nil ? "no UD: \(reason)" : "UD from \(reason)", row.method)
            }
            if row.damage == nil, let reason = row.damageReason {
                add("no damage: \(reason)", row.method)
            }
            if let note = row.note { add(note, row.method) }
        }
        return reasons.map { "\((methods[$0] ?? []).joined(separator: ", ")): \($0)." }
    }
}
