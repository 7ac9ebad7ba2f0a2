import Foundation
import Testing

/// The pieces of `docs/runner.md` that are run, and what tests of runners share.
enum RunnerPage {
    static let hasPython = FileManager.default.isExecutableFile(atPath: "/usr/bin/python3")

    /// What starts its runner, in the folder that it lies in.
    static let command = "python3 runner.py"

    /// The first block of a language, as it stands on the page.
    static func block(_ language: String) throws -> String {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        let page = try String(
            contentsOf: root.appendingPathComponent("docs/runner.md"), encoding: .utf8)
        try #require(page.contains("fathom run plain.yaml --runner plain=\"\(command)\"\n"))
        let parts = page.components(separatedBy: "```\(language)\n")
        try #require(parts.count > 1, "docs/runner.md has no \(language)")
        return parts[1].components(separatedBy: "```")[0]
    }

    /// Writes the page's runner and its sweep into a folder, with pieces of either changed.
    ///
    /// - Parameter pause: Seconds that every job takes longer, so that kills hit jobs.
    static func write(
        to folder: String, changing changes: [(String, String)] = [], pause: Double = 0
    ) throws {
        var runner = try block("python")
        var sweep = try block("yaml")
        let last = "    say(type=\"done\")\n"
        let slow = (last, "    __import__(\"time\").sleep(\(pause))\n" + last)
        for (old, new) in changes + (pause > 0 ? [slow] : []) {
            try #require(sweep.contains(old) || runner.contains(old), "the page has no \(old)")
            sweep = sweep.replacingOccurrences(of: old, with: new)
            runner = runner.replacingOccurrences(of: old, with: new)
        }
        try Data(runner.utf8).write(to: URL(fileURLWithPath: folder + "/runner.py"))
        try Data(sweep.utf8).write(to: URL(fileURLWithPath: folder + "/plain.yaml"))
    }
}
