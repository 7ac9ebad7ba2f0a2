import FathomCoordinator
import FathomProtocol
import Foundation

/// Shows how far a sweep has come on standard error: one line that is written over on a terminal,
/// a line every few seconds elsewhere.
struct ProgressPrinter {
    private static let plainSeconds = 5.0
    /// What a file gets is read in an editor, not in 80 columns.
    private static let plainStyle = TerminalStyle(columns: 200)
    private let start = Instant.now()
    private var shown: Instant?
    private var entriesAtStart: Int?

    mutating func show(_ progress: SweepProgress) {
        let now = Instant.now()
        // Asked each time: a window may be made wider or narrower meanwhile.
        let facts = Terminal.facts(of: STDERR_FILENO)
        let finished = progress.kinds.reduce(0) { $0 + $1.progress.entriesFinished }
        let first = entriesAtStart ?? finished
        entriesAtStart = first
        if !facts.isTerminal, let shown, now.seconds(since: shown) < Self.plainSeconds { return }
        shown = now
        let rate = Double(finished - first) / max(now.seconds(since: start), 0.001)
        let style = facts.isTerminal ? TerminalStyle(facts, color: .auto) : Self.plainStyle
        let line = ProgressLine.text(progress, rate: rate, style: style)
        let isOverwritten = facts.isTerminal && facts.kind != "dumb"
        let text = isOverwritten ? "\r\u{1B}[K" + line : line + "\n"
        FileHandle.standardError.write(Data(text.utf8))
    }

    /// Ends the line on a terminal.
    func finish() {
        let facts = Terminal.facts(of: STDERR_FILENO)
        if facts.isTerminal && facts.kind != "dumb" && shown != nil {
            FileHandle.standardError.write(Data("\n".utf8))
        }
    }
}
