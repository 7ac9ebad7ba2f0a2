import FathomCore
import Foundation
import GRDB

/// How exported tables are written.
public enum ExportFormat: String, Sendable, Hashable, CaseIterable {
    case csv, jsonl
}

extension StoreReader {
    /// Writes a sweep's tables to files: `results/` holds what equal seeds and settings give byte
    /// for byte, `timings/` what differs from one execution to the next, `manifest.json` what
    /// every file is, with its digest.
    ///
    /// - Returns: The paths written, relative to `folder`, sorted.
    @discardableResult
    public func export(
        _ sweep: SweepID, to folder: String, format: ExportFormat
    ) throws(StoreError) -> [String] {
        let name = try name(of: sweep)
        var written: [ExportedFile] = []
        // One view of the store for all files: a coordinator may be writing it.
        try read { db in
            for table in ExportedTable.all {
                let path = "\(table.folder)/\(table.name).\(format.rawValue)"
                let file = try ExportFile(path: folder + "/" + path)
                let rows = try TableExport(db: db, format: format).write(
                    table, sweep: sweep, name: name, to: file)
                written.append(try file.finish(as: path, rows: rows))
            }
            written += try MatrixExport(db: db, sweep: name).write(to: folder)
        }
        written.sort { $0.path < $1.path }
        try writeManifest(of: sweep, name: name, written, format: format, to: folder)
        return written.map(\.path) + ["manifest.json"]
    }

    private func writeManifest(
        of sweep: SweepID, name: String, _ files: [ExportedFile], format: ExportFormat,
        to folder: String
    ) throws(StoreError) {
        let entries = files.map { file in
            "    {\"path\":\(JSONText.quoted(file.path)),\"rows\":\(file.rows),\"bytes\":"
                + "\(file.bytes),\"sha256\":\"\(file.digest.hex)\"}"
        }
        let text = """
            {
              "format": "fathom export 1",
              "sweep": \(JSONText.quoted(name)),
              "schema": \(StoreSchema.current.version),
              "tables": "\(format.rawValue)",
              "settings": \(try manifest(of: sweep)),
              "files": [
            \(entries.joined(separator: ",\n"))
              ]
            }

            """
        let file = try ExportFile(path: folder + "/manifest.json")
        try file.add(Array(text.utf8))
        _ = try file.finish(as: "manifest.json", rows: 0)
    }
}

/// A file that was written, for the manifest.
struct ExportedFile {
    var path: String
    var rows: Int
    var bytes: Int
    var digest: Digest
}

/// Writes the rows of a table.
private struct TableExport {
    let db: Database
    let format: ExportFormat

    func write(
        _ table: ExportedTable, sweep: SweepID, name: String, to file: ExportFile
    ) throws -> Int {
        let statement = try db.makeStatement(sql: table.sql)
        let columns = statement.columnNames
        if format == .csv { try file.add(Array(CSVText.line(columns).utf8)) }
        let names = columns.map { Array((JSONText.quoted($0) + ":").utf8) }
        let cursor = try Row.fetchCursor(
            statement,
            arguments: [table.byName ? name.databaseValue : sweep.number.databaseValue])
        var line: [UInt8] = []
        var rows = 0
        while let row = try cursor.next() {
            line.removeAll(keepingCapacity: true)
            switch format {
            case .csv: add(row, columns.count, to: &line)
            case .jsonl: add(row, names, to: &line)
            }
            try file.add(line)
            rows += 1
        }
        return rows
    }

    private func add(_ row: Row, _ count: Int, to line: inout [UInt8]) {
        for index in 0..<count {
            if index > 0 { line.append(UInt8(ascii: ",")) }
            let value: DatabaseValue = row[index]
            switch value.storage {
            case .null: break
            case .int64(let number): line.append(contentsOf: number.description.utf8)
            case .double(let number): line.append(contentsOf: number.description.utf8)
            case .string(let text):
                if text.utf8.contains(where: CSVText.needsQuotes) {
                    line.append(contentsOf: CSVText.field(text).utf8)
                } else {
                    line.append(contentsOf: text.utf8)
                }
            case .blob: line.append(contentsOf: StoreReader.value(value).text.utf8)
            }
        }
        line.append(UInt8(ascii: "\n"))
    }

    private func add(_ row: Row, _ names: [[UInt8]], to line: inout [UInt8]) {
        line.append(UInt8(ascii: "{"))
        for (index, name) in names.enumerated() {
            if index > 0 { line.append(UInt8(ascii: ",")) }
            line.append(contentsOf: name)
            let value: DatabaseValue = row[index]
            line.append(contentsOf: StoreReader.value(value).json.utf8)
        }
        line.append(UInt8(ascii: "}"))
        line.append(UInt8(ascii: "\n"))
    }
}

/// Writes each run's SAL as an array of NumPy's, and an index that says which is which.
private struct MatrixExport {
    let db: Database
    let sweep: String

    private struct Matrix {
        var cell: String
        var facts: [String]
        var seed: Int
        var epochs: [Int] = []
        var values: [Double] = []
    }

    func write(to folder: String) throws -> [ExportedFile] {
        var written: [ExportedFile] = []
        let index = try ExportFile(path: folder + "/results/sal/index.csv")
        let head = [
            "file", "cell", "method", "task", "model", "defense", "granularity", "seed", "epochs",
            "entries",
        ]
        try index.add(Array(CSVText.line(head).utf8))
        var open: Matrix?
        func close() throws {
            guard let matrix = open else { return }
            let file = "\(matrix.cell)-\(matrix.seed).npy"
            written.append(try write(matrix, as: "results/sal/" + file, in: folder))
            let epochs = matrix.epochs.map { "\($0)" }.joined(separator: " ")
            let entries = matrix.values.count / max(matrix.epochs.count, 1)
            let line = [file, matrix.cell] + matrix.facts
            try index.add(
                Array(CSVText.line(line + ["\(matrix.seed)", epochs, "\(entries)"]).utf8))
        }
        let cursor = try Row.fetchCursor(
            db,
            sql: "SELECT cell, seed, epoch, sal, method, task, model, defense, granularity "
                + "FROM salMatrix WHERE sweep = ? ORDER BY cell, seed, epoch, entry",
            arguments: [sweep])
        while let row = try cursor.next() {
            let seed: Int = row[1]
            let cell: String = row[0]
            if open?.seed != seed || open?.cell != cell {
                try close()
                open = Matrix(cell: cell, facts: (4...8).map { row[$0] }, seed: seed)
            }
            let epoch: Int = row[2]
            if open?.epochs.last != epoch { open?.epochs.append(epoch) }
            let value: Double? = row[3]
            open?.values.append(value ?? .nan)
        }
        try close()
        written.append(try index.finish(as: "results/sal/index.csv", rows: written.count))
        return written
    }

    /// `[epochs, entries]`, little-endian 64-bit floats, NaN where SAL is missing. A run that is
    /// not completely measured is one row of what there is.
    private func write(
        _ matrix: Matrix, as path: String, in folder: String
    ) throws -> ExportedFile {
        let epochs = matrix.epochs.count
        let isWhole = matrix.values.count % epochs == 0
        let shape = isWhole ? [epochs, matrix.values.count / epochs] : [1, matrix.values.count]
        let array = NPYFile(StoredArray(shape: shape, values: .float64(matrix.values)))
        let file = try ExportFile(path: folder + "/" + path)
        try file.add(array.encoded())
        return try file.finish(as: path, rows: shape[0])
    }
}
