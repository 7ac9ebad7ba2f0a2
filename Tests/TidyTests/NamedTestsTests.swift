import Testing

/// Pages that say which test holds what.
@Suite("tests that pages name")
struct NamedTestsTests {
    /// Suites by the names of their types, and tests by what they are called.
    private static func known() throws -> (suites: Set<String>, tests: Set<String>) {
        var suites: Set<String> = []
        var tests: Set<String> = []
        for file in try Repository.swiftFiles(under: "Tests/") {
            for match in file.text.matches(of: /\b(?:struct|class) ([A-Za-z0-9]+Tests)\b/) {
                suites.insert(String(match.1))
            }
            for match in file.text.matches(of: /@Test\(\s*"((?:[^"\\]|\\.)*)"/) {
                tests.insert(String(match.1))
            }
        }
        return (suites, tests)
    }

    /// What stands between backticks in the last cell of each row of a page's tables.
    private static func named(in page: SourceFile) -> [String] {
        var names: [String] = []
        for line in page.lines where line.hasPrefix("|") && !line.hasPrefix("|--") {
            guard let cell = line.dropLast().split(separator: "|").last else { continue }
            names += cell.matches(of: /`([^`]+)`/).map { String($0.1) }
        }
        return names
    }

    @Test("every test that the method checks name is there")
    func methodChecks() throws {
        let page = try #require(
            try Repository.textFiles().first { $0.path == "docs/science/method-checks.md" })
        let text = try #require(page.text.split(separator: "## What is not covered").first)
        let names = Self.named(in: SourceFile(path: page.path, text: String(text)))
        #expect(names.count > 60, "\(names.count) names were found")
        let (suites, tests) = try Self.known()
        for name in names {
            if name.wholeMatch(of: /[A-Z][A-Za-z0-9]+Tests/) != nil {
                #expect(suites.contains(name), "there is no suite \(name)")
                continue
            }
            // A name that ends in an ellipsis is the beginning of one.
            let isCut = name.hasSuffix("…")
            let begin = isCut ? String(name.dropLast()).trimmed : name
            let isThere = isCut ? tests.contains { $0.hasPrefix(begin) } : tests.contains(begin)
            #expect(isThere, "no test is called \(name)")
        }
    }
}

extension String {
    fileprivate var trimmed: String {
        var text = Substring(self)
        while text.last == " " { text.removeLast() }
        return String(text)
    }
}
