import ArgumentParser
import FathomCoordinator
import Foundation

/// How far every cell has come.
struct StatusCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Show how far a sweep has come, and what failed.")

    @Argument(help: "The store, such as quickstart.fathom.sqlite.")
    var store: String

    @Option(help: "The sweep, where the store holds several.")
    var sweep: String?

    @Option(help: "table, json, csv, markdown, latex, or prometheus: figures of the coordinator.")
    var format = StatusFormat.rows(.table)

    @Flag(help: "Show every kind of job of every cell.")
    var kinds = false

    @Flag(help: "Show what every worker has done instead.")
    var workers = false

    func run() throws {
        guard case .rows(let format) = format else { return try showMetrics() }
        // Options come into being by parsing only.
        let named = sweep.map { ["--sweep", $0] } ?? []
        let options = try ReadOptions.parse(
            named + ["--format", format.rawValue, "--", store])
        let (reader, sweep) = try options.open()
        guard !workers else { return options.show(try reader.query(Self.workersQuery)) }
        let name = SQLText.quoted(try reader.name(of: sweep))
        // Eight digits of a cell tell it from others, here and to `retry` and its like.
        let cell = format == .table ? "substr(cell, 1, 8) AS cell" : "cell"
        options.show(
            try reader.query(kinds ? Self.kindsQuery(name, cell) : Self.cellsQuery(name, cell)),
            idle: ["paused", "failed", "blocked"])
        let problems = try reader.query(Self.problemsQuery(name), limit: 100)
        // Programs read the progress only; people want to see at once what is wrong.
        guard options.format == .table, !problems.rows.isEmpty else { return }
        print()
        options.show(problems)
        let hint = "`fathom explain \(options.store) JOB` says more of one."
        print("\n" + options.folded(hint))
    }

    /// A running coordinator's figures, or what the store alone can say.
    private func showMetrics() throws {
        if let text = try ControlClient.metrics(ofStore: store) {
            return print(text, terminator: "")
        }
        let reader = try Store.openReadOnly(path: store)
        let rows = try reader.query("SELECT kind, state, count(*) FROM job GROUP BY 1, 2").rows
        var out = MetricText()
        out.add(
            "jobs", "gauge", "Jobs of the store.",
            rows.compactMap { row in
                guard case .text(let kind) = row[0], case .text(let state) = row[1],
                    case .integer(let count) = row[2]
                else { return nil }
                return ("kind=\"\(kind)\",state=\"\(state)\"", Double(count))
            })
        out.add("workers", "gauge", "Workers connected.", 0)
        print(out.text, terminator: "")
    }

    private static func cellsQuery(_ sweep: String, _ cell: String) -> String {
        """
        SELECT \(cell), method, task, model, defense, sum(done) AS done, sum(total) AS total,
          sum(open) AS open, sum(paused) AS paused, sum(quarantined) AS failed,
          sum(blocked) AS blocked
        FROM progress WHERE sweep = \(sweep)
        GROUP BY method, task, model, defense, progress.cell
        """
    }

    private static func kindsQuery(_ sweep: String, _ cell: String) -> String {
        """
        SELECT \(cell), method, task, model, defense, kind, done, total, open, paused,
          quarantined AS failed, blocked
        FROM progress WHERE sweep = \(sweep)
        ORDER BY method, task, model, defense, progress.cell, kind
        """
    }

    private static func problemsQuery(_ sweep: String) -> String {
        """
        SELECT method, kind, substr(job, 1, 12) AS job, state, reason FROM problem
        WHERE sweep = \(sweep) ORDER BY method, kind, job
        """
    }

    private static let workersQuery = """
        SELECT substr(w.id, 1, 12) AS worker, w.host, w.processID, w.slots, w.build,
          sum(a.state = 'accepted') AS done, sum(a.state IN ('error', 'slotDeath')) AS failed,
          sum(a.state = 'probation') AS onProbation,
          sum(a.state IN ('workerLost', 'handedBack')) AS lost,
          (SELECT group_concat(DISTINCT substr(e.detail, 1, instr(e.detail, ' ') - 1))
            FROM event e WHERE e.kind = 'dataLacking' AND e.subject = w.id) AS lacks,
          sum(a.state = 'agreed') AS agreed, sum(a.state = 'disagreed') AS disagreed,
          datetime(w.lastSeenAt / 1000000, 'unixepoch') AS came,
          datetime(w.leftAt / 1000000, 'unixepoch') AS "left"
        FROM worker w LEFT JOIN attempt a ON a.worker = w.id GROUP BY w.id ORDER BY w.firstSeenAt
        """
}

/// How a status is shown.
enum StatusFormat: ExpressibleByArgument {
    case rows(TableFormat)
    case prometheus

    init?(argument: String) {
        if argument == "prometheus" {
            self = .prometheus
        } else {
            guard let format = TableFormat(argument: argument) else { return nil }
            self = .rows(format)
        }
    }

    var defaultValueDescription: String {
        switch self {
        case .rows(let format): format.rawValue
        case .prometheus: "prometheus"
        }
    }
}

/// Why a job waits or failed.
struct ExplainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain", abstract: "Show why a job waits or failed.",
        discussion: "What it is, what it waits for, where it was tried and how that ended.")

    @Argument(help: "The store.")
    var store: String

    @Argument(help: "The job's key, or its first digits, as `fathom status` shows them.")
    var job: String

    @Option(help: "table, json, csv, markdown or latex.")
    var format = TableFormat.table

    @Option(help: "auto, always or never; NO_COLOR counts as never.")
    var color = ColorChoice.auto

    func run() throws {
        guard !job.isEmpty, job.count <= 64, job.allSatisfy(\.isHexDigit) else {
            throw InputError(
                description: "JOB is \(job); it is a key of up to 64 hexadecimal digits")
        }
        let reader = try Store.openReadOnly(path: store)
        let found = try JobExplanation(digits: job.lowercased(), reader: reader)
        guard format == .table else {
            for part in found.parts { print(format.text(of: part.rows), terminator: "") }
            return
        }
        let style = Terminal.output(color: color)
        let isTerminal = Terminal.facts(of: STDOUT_FILENO).isTerminal
        print(found.text(style, isFolded: isTerminal))
        for line in TerminalText.lines(of: found.advice, columns: isTerminal ? style.columns : nil)
        { print(line) }
    }
}
