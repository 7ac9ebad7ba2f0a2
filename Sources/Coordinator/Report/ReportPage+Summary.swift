import FathomCore
import FathomPage

extension ReportPage {
    /// What came out, in words and in a few numbers.
    var summary: Markup {
        Markup(
            joining: [
                Markup("p") { opening },
                tiles,
                Markup(joining: Leaderboard(data.rows).groups.prefix(limits.groups).map(findings)),
                omissions ?? .nothing,
            ])
    }

    private var opening: String {
        let work = data.work
        guard !data.rows.isEmpty else {
            return work.runCount == 0
                ? "Nothing has been measured yet: the sweep has no runs."
                : "Nothing has been merged yet: \(ReportWords.plural(work.runCount, "run")) "
                    + "planned, \(work.runsFinished) finished. Make the report again later."
        }
        func names(_ path: KeyPath<LeaderboardRow, String>) -> [String] {
            var seen: Set<String> = []
            return data.rows.map { $0[keyPath: path] }.filter { seen.insert($0).inserted }
        }
        let tasks = names(\.task).map(ReportWords.task)
        let methods = names(\.method)
        let defenses = names(\.defense).filter { $0 != "none" }
        return "This sweep trains \(ReportWords.list(names(\.model), max: 4)) for "
            + "\(ReportWords.list(tasks, max: 4)) on \(ReportWords.list(names(\.dataSet), max: 4)), "
            + "with the training images treated in \(ReportWords.plural(methods.count, "way")): "
            + "\(ReportWords.list(methods, max: 12)). "
            + (defenses.isEmpty
                ? "" : "Defenses: \(ReportWords.list(defenses, max: 6)). ")
            + "\(ReportWords.plural(work.seeds.count, "seed")) of each; "
            + "\(ReportWords.plural(work.runCount, "run")), "
            + (work.isFinished
                ? "all finished." : "of which \(Numeral.count(work.runsFinished)) have finished.")
    }

    private var tiles: Markup {
        let work = data.work
        let seconds = work.kinds.reduce(0) { $0 + $1.seconds }
        let judged = Leaderboard(data.rows).groups.map { group in
            group.rows.first { $0.isCalibrated != nil }?.isCalibrated
        }
        let believed = judged.filter { $0 == true }.count
        let attention = work.problemCount
        return Markup("dl", ["class": "tiles"]) {
            tile(
                "Runs finished", "\(Numeral.count(work.runsFinished))",
                "of \(work.runCount) planned")
            tile(
                "Seeds", "\(work.seeds.count)", work.seeds.count < 3 ? "3 or more are better" : nil)
            tile(
                "UD can be believed", "\(believed)",
                "of \(ReportWords.plural(judged.count, "group")) compared")
            tile("Computing time", Numeral.duration(seconds: seconds), "on one core")
            tile("Problems", "\(attention)", attention == 0 ? nil : "see Provenance")
        }
    }

    private func tile(_ name: String, _ value: String, _ note: String?) -> Markup {
        Markup("div") {
            Markup("dt") { name }
            Markup("dd") {
                value
                note.map { text in Markup("small") { text } }
            }
        }
    }

    private func findings(_ group: Leaderboard.Group) -> Markup {
        let isBelieved = group.rows.contains { $0.isCalibrated == true }
        return Markup("div", ["class": isBelieved ? "verdict" : "verdict warn"]) {
            Markup("p") { Markup("strong") { group.title } }
            strongest(group).map { sentence in Markup("p") { sentence } }
            for sentence in LeaderboardVerdict(group: group).sentences {
                Markup("p") { Markup(prose: sentence) }
            }
        }
    }

    /// Which method takes most from the task, in a sentence.
    private func strongest(_ group: Leaderboard.Group) -> String? {
        let methods = group.rows.filter { $0.role == .method }
        guard let best = methods.filter({ $0.damage != nil }).max(by: { damage($0) < damage($1) }),
            let share = best.damage
        else { return nil }
        let clean = group.rows.first { $0.role == .clean }?.metric
        let name = best.metricName
        var text =
            "\(group.name(of: best)) takes most from the task: \(percent(share)) of what clean training "
            + "gains over chance"
        if let range = best.damageInterval {
            text += " (95 % interval \(percent(range.low)) to \(percent(range.high)))"
        }
        if let metric = best.metric, let clean {
            text +=
                ", \(name) \(Numeral.fixed(metric, 3)) where clean training has "
                + Numeral.fixed(clean, 3)
        }
        return text + "."
    }

    private func damage(_ row: LeaderboardRow) -> Double { row.damage ?? -.infinity }

    private func percent(_ value: Double) -> String { Numeral.fixed(value * 100, 0) + " %" }
}
