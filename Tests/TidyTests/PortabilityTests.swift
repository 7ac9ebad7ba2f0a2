import Foundation
import Testing

/// Nothing that is kept may know the machine it was written on.
@Suite("portability")
struct PortabilityTests {
    @Test("no file names a folder of the machine it was written on")
    func noMachinePaths() throws {
        // Put together here, so that this file does not break its own rule.
        let personal = ["home", "Users", "root"].map { "/\($0)/" }
        let root = Repository.root.standardizedFileURL.path
        let here = root.split(separator: "/").count > 1 ? [root] : []
        for file in try Repository.textFiles() {
            let named = (personal + here).filter { Self.names($0, in: file.text) }
            #expect(named.isEmpty, "\(file.path) names \(named); say it relative to the repository")
        }
    }

    /// Whether the text has this path at the start of a path, not within a longer one or a URL.
    private static func names(_ path: String, in text: String) -> Bool {
        text.ranges(of: path).contains { range in
            guard range.lowerBound > text.startIndex else { return true }
            let before = text[text.index(before: range.lowerBound)]
            return !(before.isLetter || before.isNumber || "._-/$}~*".contains(before))
        }
    }

    @Test("addresses in files are public ones, not those of a mirror or a private network")
    func noPrivateHosts() throws {
        for file in try Repository.textFiles() {
            for match in file.text.matches(of: /https?:\/\/([A-Za-z0-9.\-]+)/) {
                let host = String(match.output.1)
                #expect(!Self.isPrivate(host), "\(file.path) names \(host), which is not for all")
            }
        }
    }

    private static func isPrivate(_ host: String) -> Bool {
        let loopback: Set<String> = ["localhost", "127.0.0.1", "0.0.0.0"]
        guard !loopback.contains(host) else { return false }
        let words = ["registry", "mirror", "artifactory", "nexus", "proxy", "pypi"]
        let endings = [".internal", ".local", ".lan", ".corp", ".intranet"]
        return words.contains(where: host.contains) || endings.contains(where: host.hasSuffix)
            || host.allSatisfy { $0.isNumber || $0 == "." }
    }
}
