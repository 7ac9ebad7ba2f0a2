import FathomProtocol
import Foundation

/// A program that this worker may start for jobs that ask for a runner of its name: the worker's
/// own setting, which no message can change.
public struct RunnerCommand: Codable, Hashable, Sendable {
    public var name: String
    /// The program and its arguments.
    public var words: [String]

    public init(name: String, words: [String]) {
        self.name = name
        self.words = words
    }

    /// Reads `NAME=COMMAND`, where the command is split at spaces as a shell would, quotes
    /// respected and nothing expanded. Words that are relative paths of what exists, and names of
    /// files that exist, are made absolute, because a runner's own folder is another.
    ///
    /// - Parameter folder: What paths are relative to.
    public init(argument: String, folder: String) throws(RunnerCommandError) {
        guard let equals = argument.firstIndex(of: "=") else { throw .noCommand(argument) }
        name = String(argument[..<equals])
        guard RunnerOffer.isWord(name) else { throw .badName(name) }
        let text = argument[argument.index(after: equals)...]
        guard let split = Self.words(of: text) else { throw .openQuote(argument) }
        guard !split.isEmpty else { throw .noCommand(argument) }
        words = split.enumerated().map { Self.absolute($1, in: folder, isProgram: $0 == 0) }
        if !words[0].contains("/") {
            guard let found = Self.find(words[0]) else { throw .notFound(words[0]) }
            words[0] = found
        }
    }

    /// A folder is meant by a path only, and a program without one is looked for in `PATH`.
    private static func absolute(_ word: String, in folder: String, isProgram: Bool) -> String {
        let path = folder + "/" + word
        var isFolder: ObjCBool = false
        guard !word.isEmpty, !word.hasPrefix("/"),
            FileManager.default.fileExists(atPath: path, isDirectory: &isFolder),
            word.contains("/") || !isFolder.boolValue && !isProgram
        else { return word }
        return path
    }

    private static func words(of text: Substring) -> [String]? {
        var words: [String] = []
        var word: String?
        var quote: Character?
        var isEscaped = false
        for character in text {
            if isEscaped {
                word = (word ?? "") + String(character)
                isEscaped = false
            } else if character == "\\", quote != "'" {
                isEscaped = true
            } else if let open = quote {
                if character == open { quote = nil } else { word = (word ?? "") + [character] }
            } else if character == "'" || character == "\"" {
                quote = character
                word = word ?? ""
            } else if character.isWhitespace {
                if let whole = word { words.append(whole) }
                word = nil
            } else {
                word = (word ?? "") + [character]
            }
        }
        guard quote == nil, !isEscaped else { return nil }
        return words + [word].compactMap { $0 }
    }

    /// The program of a name, in the folders of `PATH`.
    private static func find(_ program: String) -> String? {
        let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
        return path.split(separator: ":").map { "\($0)/\(program)" }.first {
            FileManager.default.isExecutableFile(atPath: $0)
        }
    }
}

/// What is wrong with a runner as a user wrote it.
public enum RunnerCommandError: Error, Sendable, CustomStringConvertible {
    case noCommand(String)
    case badName(String)
    case openQuote(String)
    case notFound(String)

    public var description: String {
        switch self {
        case .noCommand(let text):
            "--runner is \(text); it takes NAME=COMMAND, such as torch='python3 -m fathom_torch'"
        case .badName(let name):
            "--runner names \"\(name)\"; a name is 1 to 32 letters a-z, digits, dots, dashes and "
                + "underscores"
        case .openQuote(let text): "--runner is \(text); a quote in it is not closed"
        case .notFound(let program):
            "--runner starts \(program), which is no program in PATH; give its whole path"
        }
    }
}
