import FathomCore
import FathomProtocol
import Foundation
import Testing

@Suite("External methods in a sweep")
struct ManifestExternalTests {
    private func methods(_ text: String) -> String {
        smallestManifest.replacingOccurrences(of: "[clean, rand-s, lsp]", with: text)
    }

    @Test("a path is read with its settings, and written out again")
    func reading() throws {
        let manifest = try parsed(
            methods(
                "[clean, { name: mine, kind: external, path: some/folder, sign: positive, "
                    + "allowPartial: true }]"))
        let mine = try #require(manifest.methods.last)
        let (path, settings) = try #require(mine.external)
        #expect(mine.name == "mine" && mine.isExternal && path == "some/folder")
        #expect(settings == ExternalSettings(sign: .positive, allowsPartial: true))
        #expect(manifest.methods.first?.external == nil)
        #expect(try parsed(manifest.yaml) == manifest)
        #expect(try parsed(manifest.canonicalJSON) == manifest)
    }

    static let slips: [(String, String)] = [
        ("{ name: mine, kind: external }", "methods[0].path is missing"),
        ("{ kind: external, path: a }", "methods[0].name is missing"),
        ("{ name: lsp, kind: external, path: a }", "methods[0].name is lsp; that is a method of"),
        ("{ name: a b, kind: external, path: a }", "methods[0].name is a b; it must be 1 to 64"),
        ("{ name: mine, kind: extrnal, path: a }", "did you mean external?"),
        ("{ name: mine, kind: external, path: a, sgin: both }", "did you mean sign?"),
        ("{ name: mine, kind: external, path: a, sign: negative }", "one of both, positive"),
        ("{ name: mine, kind: external, path: a, epsilon: 1 }", "epsilon is not a known key"),
        (
            "{ name: mine, kind: external, path: a, allowPartial: maybe }",
            "it must be true or false"
        ),
    ]

    @Test("a slip is told with the field and what would be right", arguments: slips)
    func slip(method: String, says: String) {
        let told = complaint(methods("[\(method)]"))
        #expect(told.contains(says) && !told.contains("\n"), "\(told)")
    }

    @Test("jobs know content instead of paths, and equal content is one job")
    func contents() throws {
        func plan(_ path: String, digest: String) throws -> SweepPlan {
            let text = methods("[clean, { name: mine, kind: external, path: \(path) }]")
            return try SweepPlanner.plan(
                try parsed(text), facts: ["mnist": factsForTests],
                measuredLayers: { _, _, _ in [6] },
                resolveMethod: { method, _ in
                    guard method.isExternal else { return method }
                    return MethodSettings(
                        name: method.name, words: ["kind": "external", "digest": digest])
                }, revisions: Revisions())
        }
        let one = try plan("a", digest: "one")
        #expect(try plan("b", digest: "one").jobs.map(\.key) == one.jobs.map(\.key))
        #expect(try plan("a", digest: "two").jobs.map(\.key) != one.jobs.map(\.key))
        #expect(one.jobs.allSatisfy { $0.key == $0.spec.key })
        #expect(one.cells.last?.methodLabel == "mine")
    }
}
