/// One value of a row.
public enum QueryValue: Sendable, Hashable {
    case null
    case integer(Int64)
    case real(Double)
    case text(String)
    /// Bytes, as lower-case hexadecimal digits.
    case blob(String)

    /// As text: nothing for NULL, numbers in shortest round-trip form.
    public var text: String {
        switch self {
        case .null: ""
        case .integer(let value): "\(value)"
        case .real(let value): "\(value)"
        case .text(let value), .blob(let value): value
        }
    }

    /// About how much memory it takes.
    var byteCount: Int {
        switch self {
        case .text(let value), .blob(let value): 16 + value.utf8.count
        default: 16
        }
    }

    /// As JSON.
    public var json: String {
        switch self {
        case .null: "null"
        case .integer(let value): "\(value)"
        case .real(let value): value.isFinite ? "\(value)" : "null"
        case .text(let value), .blob(let value): JSONText.quoted(value)
        }
    }
}

/// The rows of a query, in its order.
public struct QueryResult: Sendable, Hashable {
    public var columns: [String]
    public var rows: [[QueryValue]]
    /// Whether there were more rows than asked for.
    public var isCutOff: Bool

    public init(columns: [String], rows: [[QueryValue]], isCutOff: Bool = false) {
        self.columns = columns
        self.rows = rows
        self.isCutOff = isCutOff
    }

    /// One JSON object for the row with this index.
    public func jsonObject(_ index: Int) -> String {
        let fields = zip(columns, rows[index]).map { JSONText.quoted($0) + ":" + $1.json }
        return "{" + fields.joined(separator: ",") + "}"
    }
}

/// Writes JSON strings.
enum JSONText {
    static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            default:
                if scalar.value < 0x20 {
                    let digits = String(scalar.value, radix: 16)
                    result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
                } else {
                    result.unicodeScalars.append(scalar)
                }
            }
        }
        return result + "\""
    }
}

/// Writes comma-separated values (RFC 4180).
enum CSVText {
    /// Whether a field with this byte stands in quotes.
    static func needsQuotes(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: ",") || byte == UInt8(ascii: "\"") || byte == 10 || byte == 13
    }

    static func field(_ text: String) -> String {
        guard text.utf8.contains(where: needsQuotes) else { return text }
        return "\"" + text.replacing("\"", with: "\"\"") + "\""
    }

    static func line(_ fields: [String]) -> String {
        fields.map(field).joined(separator: ",") + "\n"
    }
}
