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

/// How far every cell has come.
struct StatusCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Show how far a sweep has come, and what failed.")

    @OptionGroup var options: ReadOptions

    @Flag(help: "Show what every worker has done instead.")
    var workers = false

    func run() throws {
        let (reader, sweep) = try options.open()
        guard !workers else { return options.show(try reader.query(Self.workersQuery)) }
        let name = SQLText.quoted(try reader.name(of: sweep))
        options.show(
            try reader.query(
                "SELECT cell, kind, done, total, open, quarantined, blocked FROM progress "
                    + "WHERE sweep = \(name) ORDER BY cell, kind"))
        let problems = try reader.query(
            "SELECT cell, kind, substr(job, 1, 12) AS job, state, reason FROM problem "
                + "WHERE sweep = \(name) ORDER BY cell, kind, job", limit: 100)
        guard !problems.rows.isEmpty else { return }
        // Programs read the progress only; people want to see at once what is wrong.
        if options.format == .table { print() }
        if options.format == .table { options.show(problems) }
    }

    private static let workersQuery = """
        SELECT substr(w.id, 1, 12) AS worker, w.host, w.processID, w.slots, w.build,
          sum(a.state = 'accepted') AS done, sum(a.state IN ('error', 'slotDeath')) AS failed,
          sum(a.state IN ('workerLost', 'handedBack')) AS lost,
          datetime(w.lastSeenAt / 1000000, 'unixepoch') AS seen
        FROM worker w LEFT JOIN attempt a ON a.worker = w.id GROUP BY w.id ORDER BY w.firstSeenAt
        """
}

/// Why a job waits or failed.
struct ExplainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain", abstract: "Show why a job waits or failed.")

    @Argument(help: "The store.")
    var store: String

    @Argument(help: "The job's key, or its first digits, as `fathom status` shows them.")
    var job: String

    @Option(help: "table, json, csv, markdown or latex.")
    var format = TableFormat.table

    func run() throws {
        guard !job.isEmpty, job.count <= 64, job.allSatisfy(\.isHexDigit) else {
            throw InputError(
                description: "JOB is \(job); it is a key of up to 64 hexadecimal digits")
        }
        let reader = try Store.openReadOnly(path: store)
        let pattern = "'\(job.lowercased())%'"
        let found = try reader.query(
            "SELECT key, kind, state, reason, spec FROM job WHERE key LIKE \(pattern)", limit: 20)
        guard !found.rows.isEmpty else { throw StoreError.unknownJob(job) }
        print(format.text(of: found), terminator: "")
        let attempts = try reader.query(
            """
            SELECT a.attempt, a.term, a.worker, a.entryFirst, a.entryEnd, a.state, a.seconds,
              a.error, a.logTail
            FROM attempt a JOIN job j ON j.id = a.job WHERE j.key LIKE \(pattern)
            ORDER BY j.key, a.attempt
            """)
        if format == .table { print() }
        print(format.text(of: attempts), terminator: "")
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
