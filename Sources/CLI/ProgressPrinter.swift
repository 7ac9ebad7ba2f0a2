import FathomProtocol
import FathomCoordinator
import Foundation

/// Shows how far a sweep has come on standard error: one line that is written over on a terminal,
/// a line every few seconds elsewhere.
struct ProgressPrinter {
    private static let plainSeconds = 5.0
    private let isTerminal = isatty(STDERR_FILENO) == 1
    private let start = Instant.now()
    private var shown: Instant?
    private var entriesAtStart: Int?
    private var lastLine = ""

    mutating func show(_ progress: SweepProgress) {
        let now = Instant.now()
        let finished = progress.kinds.reduce(0) { $0 + $1.progress.entriesFinished }
        let first = entriesAtStart ?? finished
        entriesAtStart = first
        if !isTerminal, let shown, now.seconds(since: shown) < Self.plainSeconds { return }
        shown = now
        let rate = Double(finished - first) / max(now.seconds(since: start), 0.001)
        lastLine = Self.line(progress, rate: rate)
        let text = isTerminal ? "\r\u{1B}[K" + lastLine : lastLine + "\n"
        FileHandle.standardError.write(Data(text.utf8))
    }

    /// Ends the line on a terminal.
    func finish() {
        if isTerminal && shown != nil { FileHandle.standardError.write(Data("\n".utf8)) }
    }

    private static func line(_ progress: SweepProgress, rate: Double) -> String {
        var parts = progress.kinds.map { kind, count in
            var text = "\(kind.rawValue) \(count.entriesFinished)/\(count.entries)"
            if count.jobsQuarantined > 0 { text += ", \(count.jobsQuarantined) failed" }
            if count.jobsBlocked > 0 { text += ", \(count.jobsBlocked) blocked" }
            return text
        }
        if progress.audits > 0 { parts.append("\(progress.audits) to audit") }
        if progress.paused > 0 { parts.append("\(progress.paused) paused") }
        parts.append(String(format: "%.1f/s", rate))
        if progress.slots > 0 && progress.secondsLeft >= 1 {
            parts.append("about \(duration(progress.secondsLeft / Double(progress.slots))) left")
        }
        return parts.joined(separator: " | ")
    }

    private static func duration(_ seconds: Double) -> String {
        let whole = Int(min(seconds, 1e9))
        return whole >= 3_600
            ? "\(whole / 3_600) h \(whole % 3_600 / 60) min"
            : whole >= 60 ? "\(whole / 60) min \(whole % 60) s" : "\(whole) s"
    }
}
