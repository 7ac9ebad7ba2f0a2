/// A CSV file with a header: fields by the names of their columns, and the lines they stand on.
struct CSVTable {
    let columns: [String]
    /// The fields of each row and its line, from 1.
    let rows: [(line: Int, fields: [String])]

    /// Reads comma-separated text; fields may be quoted, quotes doubled inside.
    ///
    /// - Throws: `ImportedSALError` naming the line.
    init(_ text: String) throws(ImportedSALError) {
        var records: [(Int, [String])] = []
        var fields: [String] = []
        var field = ""
        var isQuoted = false
        var wasQuote = false
        var (line, begun) = (1, 1)
        func isBlank() -> Bool { fields.isEmpty && field.isEmpty }
        for character in text {
            if isQuoted, !wasQuote {
                if character == "\"" { wasQuote = true } else { field.append(character) }
                if character.isNewline { line += 1 }
                continue
            }
            if wasQuote, character == "\"" {
                field.append(character)
                wasQuote = false
                continue
            }
            if wasQuote { (isQuoted, wasQuote) = (false, false) }
            switch character {
            case "\"" where field.isEmpty: isQuoted = true
            case ",":
                fields.append(field)
                field = ""
            case _ where character.isNewline:
                if !isBlank() { records.append((begun, fields + [field])) }
                (fields, field) = ([], "")
                line += 1
                begun = line
            default: field.append(character)
            }
        }
        guard !isQuoted || wasQuote else {
            throw .malformed(line: begun, reason: "a quote is open")
        }
        if !isBlank() { records.append((begun, fields + [field])) }
        guard let header = records.first else {
            throw .malformed(line: 1, reason: "the file is empty")
        }
        columns = header.1.map { $0.filter { !$0.isWhitespace && $0 != "\u{FEFF}" } }
        for (line, fields) in records.dropFirst() where fields.count != columns.count {
            throw .malformed(
                line: line, reason: "it has \(fields.count) fields, the header \(columns.count)")
        }
        rows = records.dropFirst().map { (line: $0.0, fields: $0.1) }
    }
}
