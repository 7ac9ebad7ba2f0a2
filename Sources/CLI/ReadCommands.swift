public import ArgumentParser
import FathomCoordinator
import FathomCore
import FathomProtocol
import Foundation

extension TableFormat: ExpressibleByArgument {}
extension LeaderboardOrder: ExpressibleByArgument {}
extension ExportFormat: ExpressibleByArgument {}
extension ThresholdRule: ExpressibleByArgument {}
extension CountKind: ExpressibleByArgument {}
extension ComparisonSettings.Baseline: ExpressibleByArgument {}

/// Which store, which sweep in it, and how rows come out.
struct ReadOptions: ParsableArguments {
    @Argument(help: "The store, such as quickstart.fathom.sqlite.")
    var store: String

    @Option(help: "The sweep, where the store holds several.")
    var sweep: String?

    @Option(help: "table, json, csv, markdown or latex.")
    var format = TableFormat.table

    @Option(help: "auto, always or never; NO_COLOR counts as never.")
    var color = ColorChoice.auto

    var style: TerminalStyle { Terminal.output(color: color) }

    func open() throws -> (reader: StoreReader, sweep: SweepID) {
        let reader = try Store.openReadOnly(path: store)
        return (reader, try reader.sweep(named: sweep))
    }

    /// A sentence, on a terminal as lines that fit.
    func folded(_ text: String) -> String {
        let isTerminal = Terminal.facts(of: STDOUT_FILENO).isTerminal
        return TerminalText.lines(of: text, columns: isTerminal ? style.columns : nil)
            .joined(separator: "\n")
    }

    /// Prints rows; on a terminal they are made to fit.
    ///
    /// - Parameter idle: Columns that people do not see where they hold nothing but noughts.
    func show(_ result: QueryResult, idle: Set<String> = []) {
        guard format == .table else {
            return print(format.text(of: result, style: style), terminator: "")
        }
        let table = TextTable(result).dropping(ifZero: idle)
        let isTerminal = Terminal.facts(of: STDOUT_FILENO).isTerminal
        print(
            isTerminal ? table.fittedText(style) : format.text(of: table, style: style),
            terminator: "")
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

    @Option(help: "Count by another threshold rule than the sweep file's, from the stored rows.")
    var threshold: ThresholdRule?

    @Option(help: "Count layers or parameters.")
    var count: CountKind?

    @Option(help: "Compare with clean training without a defense (vanilla) or under it (defended).")
    var baseline: ComparisonSettings.Baseline?

    @Flag(help: "Show what cells cost. Without it equal results give equal tables.")
    var cost = false

    func validate() throws {
        if baseline == .both { throw ValidationError("--baseline takes vanilla or defended") }
    }

    func run() throws {
        let (reader, sweep) = try options.open()
        var rows = try chosenRows(reader, sweep)
        if cost {
            let costs = try reader.costs(of: sweep)
            for index in rows.rows.indices { rows.rows[index].cost = costs[rows.rows[index].cell] }
        }
        let table = LeaderboardTable(
            Leaderboard(rows.rows, task: task, order: by), sweep: try reader.name(of: sweep),
            agreements: rows.agreements, style: options.style)
        print(table.text(as: options.format), terminator: "")
    }

    /// As merged, or, when asked for another way of counting, worked out now.
    private func chosenRows(
        _ reader: StoreReader, _ sweep: SweepID
    ) throws -> (rows: [LeaderboardRow], agreements: [RankAgreement]) {
        guard threshold != nil || count != nil || baseline != nil else {
            return (try reader.leaderboard(of: sweep), try reader.rankAgreements(of: sweep))
        }
        var comparison = try reader.comparison(of: sweep)
        if let threshold {
            comparison.threshold = .init(rawValue: threshold.rawValue) ?? comparison.threshold
        }
        if let baseline { comparison.baseline = baseline }
        let troubles = try reader.troubles(of: sweep)
        var rows = LeaderboardScoring.rows(
            of: try reader.scoredCells(of: sweep), comparison: comparison,
            countKind: count ?? .layers)
        for index in rows.indices { rows[index].trouble = troubles[rows[index].cell] }
        return (rows, Leaderboard(rows).groups.flatMap { RankAgreement.all(of: $0.rows) })
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

    @Option(help: "Break the query off after this many seconds.")
    var seconds = StoreReader.querySecondsMax

    private static let heapBytes = 1 << 30

    func validate() throws {
        guard limit >= 1 else {
            throw ValidationError("--limit is \(limit); it takes a whole number from 1")
        }
        guard seconds > 0, seconds <= 86_400 else {
            throw ValidationError("--seconds is \(seconds); it takes up to a day")
        }
    }

    func run() throws {
        let reader = try Store.openReadOnly(path: store)
        try reader.limitHeap(bytes: Self.heapBytes)
        let result = try reader.query(sql, limit: limit, seconds: seconds)
        print(format.text(of: result, style: Terminal.output()), terminator: "")
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
