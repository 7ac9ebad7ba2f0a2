import FathomProtocol
import Foundation
import Logging

/// Writes log lines to standard error: time, level, sentence, facts.
struct ErrorStreamLog: LogHandler {
    var metadata: Logger.Metadata = [:]
    var logLevel: Logger.Level

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let facts = metadata.merging(event.metadata ?? [:]) { $1 }
            .sorted { $0.key < $1.key }
            .map { "\($0.key)=\($0.value)" }.joined(separator: " ")
        // A carriage return and a clear, so that a progress line is not written into.
        let start = isatty(STDERR_FILENO) == 1 ? "\r\u{1B}[K" : ""
        Failure.say("\(start)\(event.level): \(event.message)\(facts.isEmpty ? "" : " (\(facts))")")
    }

    static func logger(verbose: Bool) -> Logger {
        Logger(label: "fathom") { _ in
            ErrorStreamLog(logLevel: verbose ? .debug : .warning)
        }
    }
}
