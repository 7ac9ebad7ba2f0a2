import Foundation

/// The repository that these tests belong to, as files on disk.
enum Repository {
    /// The folder of `Package.swift`, found from where this file was compiled.
    static let root = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    /// Names that hold what was built or measured, never what is kept under version control.
    private static let ignoredFolders: Set<String> = [".git", "results", "timings"]
    private static let textEndings: Set<String> = [
        "swift", "c", "h", "modulemap", "md", "py", "sh", "yaml", "yml", "proto", "html", "css",
        "js", "toml", "",
    ]

    /// The text files of the repository, by path relative to its root, sorted.
    static func textFiles() throws -> [SourceFile] {
        var found: [SourceFile] = []
        var folders = [root]
        while let folder = folders.popLast() {
            for url in try contents(of: folder) {
                let values = try url.resourceValues(forKeys: [.isDirectoryKey, .isRegularFileKey])
                if values.isDirectory == true {
                    folders.append(url)
                } else if values.isRegularFile == true, textEndings.contains(url.pathExtension) {
                    found.append(contentsOf: source(at: url))
                }
            }
        }
        return found.sorted { $0.path < $1.path }
    }

    /// Our Swift files under a folder such as `Sources/`, without generated ones.
    static func swiftFiles(under prefix: String) throws -> [SourceFile] {
        try textFiles().filter {
            $0.path.hasPrefix(prefix) && $0.path.hasSuffix(".swift")
                && !$0.path.hasSuffix(".pb.swift")
        }
    }

    private static func contents(of folder: URL) throws -> [URL] {
        try FileManager.default.contentsOfDirectory(
            at: folder, includingPropertiesForKeys: [.isDirectoryKey, .isRegularFileKey]
        ).filter { url in
            let name = url.lastPathComponent
            return !ignoredFolders.contains(name) && !name.hasPrefix(".build")
                && !name.contains(".fathom.")
        }
    }

    /// Nothing when the file is not UTF-8: then it is data, not text.
    private static func source(at url: URL) -> [SourceFile] {
        guard let text = try? String(contentsOf: url, encoding: .utf8) else { return [] }
        let base = root.standardizedFileURL.path
        let path = String(url.standardizedFileURL.path.dropFirst(base.count + 1))
        return [SourceFile(path: path, text: text)]
    }
}

/// One text file: its path from the repository's root, and what it says.
struct SourceFile: Sendable {
    let path: String
    let text: String

    var lines: [Substring] { text.split(separator: "\n", omittingEmptySubsequences: false) }

    /// The modules a Swift file imports, submodules cut off.
    var imports: Set<String> {
        var modules: Set<String> = []
        for line in SwiftCode(text).lines {
            let words = line.split(separator: " ").map(String.init)
            guard let position = words.firstIndex(of: "import"), position + 1 < words.count,
                words[..<position].allSatisfy(Self.mayPrecedeImport)
            else { continue }
            let kinds: Set<String> = ["struct", "class", "enum", "protocol", "func", "typealias"]
            let name = kinds.contains(words[position + 1]) ? position + 2 : position + 1
            guard name < words.count else { continue }
            modules.insert(String(words[name].prefix { $0 != "." }))
        }
        return modules
    }

    private static func mayPrecedeImport(_ word: String) -> Bool {
        word.hasPrefix("@")
            || ["public", "package", "internal", "fileprivate", "private"].contains(word)
    }
}
