/// The code of a Swift text without its comments and the contents of its string literals: lines
/// stay where they were, so that a finding can be pointed at.
///
/// It knows line and nested block comments, one-line, multi-line and raw literals. What stands in an
/// interpolation is dropped with its literal, which is cheap and misses little.
struct SwiftCode {
    let lines: [String]

    init(_ text: String) {
        var lexer = Lexer(characters: Array(text))
        lines = lexer.code().split(separator: "\n", omittingEmptySubsequences: false)
            .map(String.init)
    }

    /// The lines, counted from 1, that force an optional, a cast or a throwing call.
    var forcedLineNumbers: [Int] {
        lines.indices.filter { Self.forces(Array(lines[$0])) }.map { $0 + 1 }
    }

    /// Whether a `!` stands right behind a value, a type, `try` or `as`: what negates stands in
    /// front, and `!=` keeps its blanks.
    private static func forces(_ line: [Character]) -> Bool {
        line.indices.contains { index in
            guard line[index] == "!", index > 0 else { return false }
            let before = line[index - 1]
            let follows = index + 1 < line.count ? line[index + 1] : " "
            let standsBehind =
                before.isLetter || before.isNumber || "_)]}>`\"?".contains(before)
            return standsBehind && follows != "="
        }
    }
}

/// Copies code and skips what is not, one character at a time.
private struct Lexer {
    let characters: [Character]
    var position = 0
    var output = ""

    init(characters: [Character]) {
        self.characters = characters
    }

    mutating func code() -> String {
        while position < characters.count {
            if starts(with: "//") {
                skipLine()
            } else if starts(with: "/*") {
                skipBlockComment()
            } else if let hashes = rawLiteralHashes() {
                skipLiteral(hashes: hashes)
            } else {
                output.append(characters[position])
                position += 1
            }
        }
        return output
    }

    private func starts(with text: String, at offset: Int = 0) -> Bool {
        let start = position + offset
        guard start + text.count <= characters.count else { return false }
        return characters[start..<start + text.count].elementsEqual(text)
    }

    private mutating func skipLine() {
        while position < characters.count, characters[position] != "\n" { position += 1 }
    }

    private mutating func skipBlockComment() {
        var depth = 0
        repeat {
            if starts(with: "/*") {
                depth += 1
                position += 2
            } else if starts(with: "*/") {
                depth -= 1
                position += 2
            } else {
                keepLineBreak()
            }
        } while depth > 0 && position < characters.count
    }

    /// How many `#` open a literal here; `nil` where none begins.
    private func rawLiteralHashes() -> Int? {
        var count = 0
        while starts(with: "#", at: count) { count += 1 }
        return starts(with: "\"", at: count) ? count : nil
    }

    private mutating func skipLiteral(hashes: Int) {
        position += hashes
        let quotes = starts(with: "\"\"\"") ? "\"\"\"" : "\""
        let hashText = String(repeating: "#", count: hashes)
        position += quotes.count
        output.append("\"")
        while position < characters.count, !starts(with: quotes + hashText) {
            skipLiteralCharacter(hashText)
        }
        position = min(position + quotes.count + hashes, characters.count)
        output.append("\"")
    }

    private mutating func skipLiteralCharacter(_ hashText: String) {
        if starts(with: "\\" + hashText + "(") {
            position += 1 + hashText.count
            skipInterpolation()
        } else if starts(with: "\\" + hashText), position + hashText.count + 1 < characters.count {
            position += 1 + hashText.count
            keepLineBreak()
        } else {
            keepLineBreak()
        }
    }

    /// From one parenthesis to its partner, through literals inside.
    private mutating func skipInterpolation() {
        var depth = 0
        repeat {
            if let hashes = rawLiteralHashes() {
                skipLiteral(hashes: hashes)
                continue
            }
            if characters[position] == "(" { depth += 1 }
            if characters[position] == ")" { depth -= 1 }
            keepLineBreak()
        } while depth > 0 && position < characters.count
    }

    /// Skips one character, but keeps the end of a line.
    private mutating func keepLineBreak() {
        if characters[position] == "\n" { output.append("\n") }
        position += 1
    }
}
