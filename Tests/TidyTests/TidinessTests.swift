import Foundation
import Testing

/// What keeps the sources readable and the repository fit for any machine.
@Suite("tidiness")
struct TidinessTests {
    private static let linesMax = 500

    @Test("no source file is longer than 500 lines")
    func filesAreShort() throws {
        let endings = [".swift", ".c", ".h"]
        for file in try Repository.textFiles()
        where endings.contains(where: file.path.hasSuffix) && !file.path.hasSuffix(".pb.swift") {
            let count = file.lines.count - (file.text.hasSuffix("\n") ? 1 : 0)
            #expect(count <= Self.linesMax, "\(file.path) has \(count) lines; split it")
        }
    }

    @Test("outside tests nothing is forced")
    func nothingIsForced() throws {
        for file in try Repository.swiftFiles(under: "Sources/") {
            let numbers = SwiftCode(file.text).forcedLineNumbers
            #expect(
                numbers.isEmpty,
                "\(file.path) forces a value in line \(numbers); bind it, or throw an error")
        }
    }

    @Test(
        "the lexer sees what forces and passes over what does not",
        arguments: [
            ("let a = b!", true), ("try! open()", true), ("x as! Int", true), ("f()!.g", true),
            ("var a: Int!", true), ("if !a { }", false), ("a != b", false), ("\"b!\"", false),
            ("// b!", false), ("/* a /* b! */ c! */", false), ("#\"a\"b!\"#", false),
            ("\"\\(a[\"k\"])!\"", false), ("\"\"\"\nHello!\n\"\"\"", false), ("!(a)", false),
        ])
    func lexerFindsForcing(code: String, forces: Bool) {
        #expect(SwiftCode(code).forcedLineNumbers.isEmpty != forces, "\(code)")
    }

    @Test("what a file declares in public at its top level is documented")
    func publicTypesAreDocumented() throws {
        let pattern = #/^public (?:final )?(?:struct|enum|class|actor|protocol|func|typealias)\b/#
        for file in try Repository.swiftFiles(under: "Sources/") {
            let lines = file.lines
            for (index, line) in lines.enumerated() where line.starts(with: pattern) {
                let before = lines[..<index].last { !$0.hasPrefix("@") } ?? ""
                #expect(
                    before.hasPrefix("///"),
                    "\(file.path):\(index + 1) is public and says nothing about itself: \(line)")
            }
        }
    }

    @Test("every dependency is pinned to one exact version")
    func dependenciesAreExact() throws {
        let package = try #require(try Repository.textFiles().first { $0.path == "Package.swift" })
        let dependencies = package.text.matches(of: /\.package\(\s*(?:url|path|name):[^)]*\)/)
        #expect(!dependencies.isEmpty)
        for dependency in dependencies {
            #expect(dependency.output.contains("exact: \""), "\(dependency.output)")
        }
    }
}
