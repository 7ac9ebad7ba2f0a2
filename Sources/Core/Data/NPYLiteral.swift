/// Parses the one Python dictionary that heads an `.npy` file, by a grammar of its own; nothing
/// is ever evaluated.
///
///     dict  = "{" [ pair { "," pair } [ "," ] ] "}" { " " } LF
///     pair  = string ":" ( string | "True" | "False" | "(" [ int { "," int } [ "," ] ] ")" )
struct NPYLiteral {
    struct Fields {
        var descriptor: String
        var columnMajor: Bool
        var shape: [Int]
    }

    private let bytes: ArraySlice<UInt8>
    private let file: String
    private var position: Int
    private var descriptor: String?
    private var columnMajor: Bool?
    private var shape: [Int]?

    init(bytes: ArraySlice<UInt8>, file: String) {
        self.bytes = bytes
        self.file = file
        position = bytes.startIndex
    }

    /// Reads the dictionary, which must have exactly the three keys, and nothing after it.
    mutating func fields() throws(DataError) -> Fields {
        try take("{")
        while !taken("}") {
            try pair()
            if !taken(",") {
                try take("}")
                break
            }
        }
        skipSpaces()
        guard position == bytes.endIndex else { throw refusal("the end of the header") }
        guard let descriptor, let columnMajor, let shape else {
            throw refusal("the keys descr, fortran_order and shape")
        }
        return Fields(descriptor: descriptor, columnMajor: columnMajor, shape: shape)
    }

    private mutating func pair() throws(DataError) {
        skipSpaces()
        let start = position
        let key = try string()
        try take(":")
        switch key {
        case "descr" where descriptor == nil: descriptor = try string()
        case "fortran_order" where columnMajor == nil: columnMajor = try boolean()
        case "shape" where shape == nil: shape = try sizes()
        default:
            position = start
            throw refusal("each of descr, fortran_order and shape once")
        }
    }

    private mutating func string() throws(DataError) -> String {
        skipSpaces()
        guard let quote = current, quote == 0x27 || quote == 0x22 else {
            throw refusal("a quoted string")
        }
        let start = position + 1
        guard let end = bytes[start...].firstIndex(of: quote),
            bytes[start..<end].allSatisfy({ (0x20..<0x7F).contains($0) && $0 != 0x5C })
        else { throw refusal("a quoted string without escapes") }
        position = end + 1
        return String(decoding: bytes[start..<end], as: UTF8.self)
    }

    private mutating func boolean() throws(DataError) -> Bool {
        if taken("True") { return true }
        if taken("False") { return false }
        throw refusal("True or False")
    }

    private mutating func sizes() throws(DataError) -> [Int] {
        var sizes: [Int] = []
        try take("(")
        while !taken(")") {
            sizes.append(try size())
            if !taken(",") {
                // Without a comma, (3) is a number and not a shape.
                guard sizes.count > 1 else { throw refusal("a comma after the only size") }
                try take(")")
                break
            }
        }
        return sizes
    }

    private mutating func size() throws(DataError) -> Int {
        skipSpaces()
        let digits = bytes[position...].prefix { (48...57).contains($0) }
        guard !digits.isEmpty, digits.count <= 18 else { throw refusal("a size of 0 or more") }
        position = digits.endIndex
        return digits.reduce(0) { $0 * 10 + Int($1) - 48 }
    }

    private var current: UInt8? { position < bytes.endIndex ? bytes[position] : nil }

    private mutating func skipSpaces() {
        while let byte = current, byte == 0x20 || byte == 0x0A { position += 1 }
    }

    private mutating func taken(_ word: String) -> Bool {
        skipSpaces()
        guard bytes[position...].starts(with: word.utf8) else { return false }
        position += word.utf8.count
        return true
    }

    private mutating func take(_ word: String) throws(DataError) {
        guard taken(word) else { throw refusal(word) }
    }

    private func refusal(_ expected: String) -> DataError {
        .malformed(
            file: file, offset: position, expected: expected,
            found: position < bytes.endIndex
                ? "'\(String(decoding: bytes[position...].prefix(16), as: UTF8.self))'"
                : "the end of the header")
    }
}
