import FathomCore
import FathomProtocol
import Foundation
import Testing

/// The shortest manifest there is; nothing of it is a default.
let smallestManifest = """
    version: 1
    name: small
    data: { set: mnist, train: 2000, test: 1000 }
    methods: [clean, rand-s, lsp]
    models: [lenet5]
    seeds: 2

    """

func parsed(_ text: String, file: String = "small.yaml") throws -> Manifest {
    try Manifest.parse(text, file: file, capabilities: .forTests)
}

/// What a user is told about a manifest that is wrong.
func complaint(_ text: String) -> String {
    do {
        _ = try Manifest.parse(text, file: "q.yaml", capabilities: .forTests)
        return "no complaint"
    } catch {
        return error.description
    }
}

/// A manifest with one more line, the seventh, and what is said of it.
func complaint(about line: String) -> String { complaint(smallestManifest + line + "\n") }

let digestForTests = Digest(of: Array("images".utf8))
let factsForTests = DataFacts(
    digest: digestForTests, channels: 1, height: 28, width: 28, classCount: 10,
    trainCount: 60_000, testCount: 10_000)

func planned(_ text: String, revisions: Revisions = Revisions()) throws -> SweepPlan {
    try planned(try parsed(text), revisions: revisions)
}

func planned(_ manifest: Manifest, revisions: Revisions = Revisions()) throws -> SweepPlan {
    try SweepPlanner.plan(
        manifest,
        facts: ["mnist": factsForTests, "fashion-mnist": factsForTests, "kmnist": factsForTests],
        measuredLayers: { model, _, _ in
            model.name == "lenet5" ? [6, 16, 120, 84, 10] : Array(repeating: 64, count: 21)
        },
        revisions: revisions)
}

/// A directory of a test's own, gone when the test is.
func withFolder<Result>(_ body: (String) throws -> Result) throws -> Result {
    let path = NSTemporaryDirectory() + "fathom-manifest-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: path) }
    return try body(path)
}

func write(_ text: String, _ path: String) throws {
    try Data(text.utf8).write(to: URL(fileURLWithPath: path))
}

/// The root of the repository, from where this file lies.
let repositoryRoot = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().path
