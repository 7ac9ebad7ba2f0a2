import FathomProtocol
import Foundation

/// How far a sweep has come, on one line that fits.
public enum ProgressLine {
    /// A bar, jobs by kind, what is in trouble, and the time left, as much as fits in the columns;
    /// what matters least goes first.
    ///
    /// - Parameters:
    ///   - progress: Of the time left only what was measured is told: "over" so much, while no job
    ///     of a kind that is left has been timed.
    ///   - rate: Entries finished a second.
    ///   - style: The terminal's; colour marks failures, which words tell as well.
    public static func text(
        _ progress: SweepProgress, rate: Double, style: TerminalStyle
    ) -> String {
        let finished = progress.kinds.reduce(0) { $0 + $1.progress.entriesFinished }
        let all = progress.kinds.reduce(0) { $0 + $1.progress.entries }
        var parts = [Part(text: share(finished, of: all), rank: 0)]
        for (kind, count) in progress.kinds {
            parts.append(
                Part(text: "\(kind.rawValue) \(count.entriesFinished)/\(count.entries)", rank: 2))
        }
        parts += troubles(progress)
        parts.append(Part(text: String(format: "%.1f/s", rate), rank: 4))
        let known = progress.secondsLeft - progress.secondsGuessed
        if progress.slots > 0 && known >= 1 {
            let left = duration(known / Double(progress.slots))
            let word = progress.secondsGuessed > 0 ? "over" : "about"
            parts.append(Part(text: "\(word) \(left) left", rank: 1))
        } else if progress.slots == 0 && finished < all {
            parts.append(Part(text: "no worker", rank: 1))
        }
        let bar = style.columns >= 100 ? bar(finished, of: all, columns: 24) + " " : ""
        return bar + fitting(parts, columns: style.columns - 1 - bar.count, style)
    }

    private struct Part {
        var text: String
        /// 0 stays longest.
        var rank: Int
        var isBad = false
    }

    private static func troubles(_ progress: SweepProgress) -> [Part] {
        let failed = progress.kinds.reduce(0) { $0 + $1.progress.jobsQuarantined }
        let blocked = progress.kinds.reduce(0) { $0 + $1.progress.jobsBlocked }
        var parts: [Part] = []
        if failed > 0 { parts.append(Part(text: "\(failed) failed", rank: 1, isBad: true)) }
        if blocked > 0 { parts.append(Part(text: "\(blocked) blocked", rank: 1, isBad: true)) }
        if progress.paused > 0 { parts.append(Part(text: "\(progress.paused) paused", rank: 3)) }
        if progress.audits > 0 { parts.append(Part(text: "\(progress.audits) to audit", rank: 5)) }
        return parts
    }

    private static let separator = " | "

    private static func fitting(
        _ parts: [Part], columns: Int, _ style: TerminalStyle
    ) -> String {
        func width(_ parts: [Part]) -> Int {
            parts.reduce(0) { $0 + TerminalText.width($1.text) }
                + max(0, parts.count - 1) * separator.count
        }
        var kept = parts
        while width(kept) > columns, kept.count > 1,
            let last = kept.indices.max(by: { (kept[$0].rank, $0) < (kept[$1].rank, $1) })
        {
            kept.remove(at: last)
        }
        return kept.map { style.accented($0.text, $0.isBad ? .bad : nil) }
            .joined(separator: separator)
    }

    private static func share(_ finished: Int, of all: Int) -> String {
        // Rounded down: a hundred means that nothing is left.
        all == 0 ? "100 %" : "\(finished * 100 / all) %"
    }

    private static func bar(_ finished: Int, of all: Int, columns: Int) -> String {
        let full = all == 0 ? columns : finished * columns / all
        return "[" + String(repeating: "#", count: full)
            + String(repeating: "-", count: columns - full) + "]"
    }

    /// `2 h 5 min`, `3 min 20 s`, `8 s`.
    static func duration(_ seconds: Double) -> String {
        let whole = Int(min(max(seconds, 0), 1e9))
        return whole >= 3_600
            ? "\(whole / 3_600) h \(whole % 3_600 / 60) min"
            : whole >= 60 ? "\(whole / 60) min \(whole % 60) s" : "\(whole) s"
    }
}
