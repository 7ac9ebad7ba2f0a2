public import ArgumentParser
import FathomCoordinator
import FathomProtocol
import Foundation

extension TableFormat: ExpressibleByArgument {}
extension LeaderboardOrder: ExpressibleByArgument {}
extension ExportFormat: ExpressibleByArgument {}

/// Which store, which sweep in it, and how rows come out.
struct ReadOptions: ParsableArguments {
    @Argument(help: "The store, such as quickstart.fathom.sqlite.")
    var store: String

    @Option(help: "The sweep, where the store holds several.")
    var sweep: String?

    @Option(help: "table, json, csv, markdown or latex.")
    var format = TableFormat.table

    func open() throws -> (reader: StoreReader, sweep: SweepID) {
        let reader = try Store.openReadOnly(path: store)
        return (reader, try reader.sweep(named: sweep))
    }

    func show(_ result: QueryResult) {
        print(format.text(of: result), terminator: "")
    }
}

/// The ranked table.
struct LeaderboardCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "leaderboard", abstract: "Rank the methods of a sweep.")

    @OptionGroup var options: ReadOptions

    @Option(help: "Only this task.")
    var task: String?

    @Option(help: "Rank by ud, damage or metric.")
    var by: LeaderboardOrder?

    func run() throws {
        let (reader, sweep) = try options.open()
        let rows = try reader.leaderboard(of: sweep)
        let table = LeaderboardTable(
            Leaderboard(rows, task: task, order: by), sweep: try reader.name(of: sweep))
        print(table.text(as: options.format), terminator: "")
    }
}

/// Read-only SQL.
struct QueryCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "query", abstract: "Run a SELECT on a store.")

    @Argument(help: "The store.")
    var store: String

    @Argument(help: "One SELECT.")
    var sql: String

    @Option(help: "table, json, csv, markdown or latex.")
    var format = TableFormat.table

    @Option(help: "At most this many rows.")
    var limit = 1_000_000

    func run() throws {
        let result = try Store.openReadOnly(path: store).query(sql, limit: max(1, limit))
        print(format.text(of: result), terminator: "")
        if result.isCutOff { Failure.say("only the first \(limit) rows; --limit shows more") }
    }
}

/// All rows as files.
struct ExportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export", abstract: "Write a sweep's rows to files.")

    @Argument(help: "The store.")
    var store: String

    @Option(help: "The folder to write to.")
    var out: String

    @Option(help: "The sweep, where the store holds several.")
    var sweep: String?

    @Option(help: "csv or jsonl.")
    var format = ExportFormat.csv

    func run() throws {
        let reader = try Store.openReadOnly(path: store)
        let files = try reader.export(try reader.sweep(named: sweep), to: out, format: format)
        for file in files { print("\(out)/\(file)") }
    }
}

/// Text inside SQL.
enum SQLText {
    static func quoted(_ text: String) -> String {
        "'" + text.replacingOccurrences(of: "'", with: "''") + "'"
    }
}
