import FathomCore

/// Says in words whether a group's UD can be believed, and what is missing where.
struct LeaderboardVerdict {
    let group: Leaderboard.Group
    /// Of this group.
    private let agreements: [RankAgreement]

    /// - Parameter agreements: As the store has them; `nil`: worked out from the rows.
    init(group: Leaderboard.Group, agreements: [RankAgreement]? = nil) {
        self.group = group
        self.agreements = agreements ?? RankAgreement.all(of: group.rows)
    }

    /// Sentences, one a paragraph.
    var sentences: [String] {
        if group.rows.allSatisfy(\.isNotApplicable) { return missing }
        var all = [believability]
        all += [clusters, alike, agreement].compactMap { $0 }
        all += missing
        return all
    }

    private func text(_ value: Double, _ digits: Int = 2) -> String {
        LeaderboardColumns.number(value, digits)
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
                + "controls only where its interval lies outside theirs (`*`)."
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

    /// A threshold between two clusters means little where there is one.
    private var clusters: String? {
        guard let share = group.rows.compactMap(\.bimodalShare).first, share < 0.5 else {
            return nil
        }
        return
            "The layers of clean training form two clusters in only \(text(100 * share, 0)) % of "
            + "the measured epochs, so that the threshold between them is a convention more than "
            + "a finding."
    }

    private var alike: String? {
        let known = group.neighbours.enumerated().compactMap { index, found in
            found.map { (index, $0) }
        }
        let count = known.count { !$0.1.isDistinguishable }
        guard count > 0 else { return nil }
        return "~: not to be told from the row above (paired t test over seeds, corrected for "
            + "\(known.count) neighbours, 5 %); \(count) of \(known.count)."
    }

    /// Spearman's ρ of UD with how good the task metric is, and with the loss, over methods.
    var agreement: String? {
        func found(_ other: RankAgreement.Other, _ controls: Bool) -> RankAgreement? {
            agreements.first { $0.other == other && $0.includesControls == controls }
        }
        func value(_ agreement: RankAgreement?) -> String? {
            guard let agreement, let rho = agreement.rho else { return nil }
            let range = agreement.interval.map { ", 95 % from \(text($0.low)) to \(text($0.high))" }
            return text(rho) + (range ?? "")
        }
        guard let first = group.rows.first, let own = found(.metric, false),
            let metric = value(own)
        else { return nil }
        let isUp = ScoredCell.metric(ofTask: first.task).isHigherBetter
        let name = isUp ? first.metricName : "low " + first.metricName
        var sentence =
            "Rank agreement of UD with \(name) over \(own.count) methods: Spearman's rho \(metric)"
        if let all = found(.metric, true), all.count > own.count, let rho = value(all) {
            sentence += "; with controls \(rho)"
        }
        if let loss = value(found(.salLoss, false)) {
            sentence += ". With the loss on the SAL images: \(loss)"
        }
        return sentence + "."
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
            let name = group.name(of: row)
            if let reason = row.udReason {
                add(row.ud == nil ? "no UD: \(reason)" : "UD from \(reason)", name)
            }
            if row.damage == nil, let reason = row.damageReason {
                add("no damage: \(reason)", name)
            }
            if let note = row.note { add(note, name) }
            if let trouble = row.trouble { add(trouble.text, name) }
        }
        return reasons.map { "\(named(methods[$0] ?? [])): \($0)." }
    }

    /// Methods by name, of many the first few.
    private func named(_ methods: [String]) -> String {
        let shown = methods.prefix(8).joined(separator: ", ")
        return methods.count > 8 ? "\(shown) and \(methods.count - 8) more" : shown
    }
}
