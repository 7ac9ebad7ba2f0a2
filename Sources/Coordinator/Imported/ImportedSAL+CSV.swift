import FathomCore
import FathomProtocol

extension ImportedSAL {
    private static let required = ["method", "seed", "epoch", "layer", "sal", "originLoss"]
    private static let optional = ["sMax", "sMin", "weightCount", "weightNorm", "testAccuracy"]

    /// Reads the text of a CSV file.
    public init(csv text: String) throws(ImportedSALError) {
        let table = try CSVTable(text)
        let known = Self.required + Self.optional
        if let strange = table.columns.first(where: { !known.contains($0) }) {
            throw .columnUnknown(strange, known: known)
        }
        if let missing = Self.required.first(where: { !table.columns.contains($0) }) {
            throw .columnMissing(missing, known: known)
        }
        var rows: [Row] = []
        var seen: Set<String> = []
        for (line, fields) in table.rows {
            let reader = RowReader(
                line: line, fields: Dictionary(zip(table.columns, fields)) { $1 })
            let row = try reader.row()
            let place =
                "\(row.method), seed \(row.seed), epoch \(row.epoch), \(row.measurement.layer)"
            guard seen.insert(place).inserted else { throw .twice(line: line, what: place) }
            rows.append(row)
        }
        try self.init(rows: rows, from: text)
    }
}

/// Reads the fields of one row.
private struct RowReader {
    let line: Int
    let fields: [String: String]

    func row() throws(ImportedSALError) -> ImportedSAL.Row {
        let method = try text("method")
        guard method.utf8.count <= Limits.nameCharacters else {
            throw .value(
                line: line, column: "method", value: method,
                right: "a name has at most \(Limits.nameCharacters) letters")
        }
        let sal = try number("sal", mayBeMissing: true)
        let accuracy = try number("testAccuracy", mayBeMissing: true)
        if let accuracy, !(0...1).contains(accuracy) {
            throw .value(
                line: line, column: "testAccuracy", value: "\(accuracy)", right: "it is 0 to 1")
        }
        let measurement = SALMeasurement(
            layer: try text("layer"),
            weightCount: Int(try number("weightCount", mayBeMissing: true) ?? 0),
            weightNorm: try number("weightNorm", mayBeMissing: true) ?? .nan,
            originLoss: try number("originLoss", mayBeMissing: sal == nil) ?? .nan,
            originAccuracy: .nan, down: SALWalk(), up: SALWalk(),
            sMax: try number("sMax", mayBeMissing: true) ?? .nan,
            sMin: try number("sMin", mayBeMissing: true) ?? .nan, sal: sal ?? .nan,
            salAccuracy: .nan, flag: sal == nil ? "diverged" : nil, forwardEquivalents: 0)
        return ImportedSAL.Row(
            method: method, seed: try whole("seed", in: 0...ImportedSAL.seedMax),
            epoch: try whole("epoch", in: 1...Limits.epochs), measurement: measurement,
            accuracy: accuracy)
    }

    private func text(_ column: String) throws(ImportedSALError) -> String {
        let value = fields[column] ?? ""
        guard !value.isEmpty, value.utf8.count <= 256 else {
            throw .value(
                line: line, column: column, value: "\"\(value.prefix(40))\"",
                right: "it has 1 to 256 letters")
        }
        return value
    }

    private func whole(
        _ column: String, in range: ClosedRange<Int>
    ) throws(ImportedSALError) -> Int {
        let value = fields[column] ?? ""
        guard let number = Int(value), range.contains(number) else {
            throw .value(
                line: line, column: column, value: "\"\(value)\"",
                right: "it is a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    /// A finite number; nothing, `nan` and `inf` stand for none.
    private func number(
        _ column: String, mayBeMissing: Bool
    ) throws(ImportedSALError) -> Double? {
        let value = fields[column] ?? ""
        let none = ["", "nan", "inf", "-inf", "null", "na"]
        if mayBeMissing, none.contains(value.lowercased()) { return nil }
        guard let number = Double(value), number.isFinite, abs(number) < 1e15 else {
            throw .value(
                line: line, column: column, value: "\"\(value)\"", right: "it is a number")
        }
        return number
    }
}
