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
        options.show(try reader.query(kinds ? Self.kindsQuery(name) : Self.cellsQuery(name)))
        let problems = try reader.query(Self.problemsQuery(name), limit: 100)
        // Programs read the progress only; people want to see at once what is wrong.
        guard options.format == .table, !problems.rows.isEmpty else { return }
        print()
        options.show(problems)
        print("\n`fathom explain \(options.store) JOB` says more of one.")
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

    private static func cellsQuery(_ sweep: String) -> String {
        """
        SELECT cell, method, task, model, defense, sum(done) AS done, sum(total) AS total,
          sum(open) AS open, sum(paused) AS paused, sum(quarantined) AS failed,
          sum(blocked) AS blocked
        FROM progress WHERE sweep = \(sweep)
        GROUP BY method, task, model, defense, cell
        """
    }

    private static func kindsQuery(_ sweep: String) -> String {
        """
        SELECT cell, method, task, model, defense, kind, done, total, open, paused,
          quarantined AS failed, blocked
        FROM progress WHERE sweep = \(sweep) ORDER BY method, task, model, defense, cell, kind
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

    func run() throws {
        guard !job.isEmpty, job.count <= 64, job.allSatisfy(\.isHexDigit) else {
            throw InputError(
                description: "JOB is \(job); it is a key of up to 64 hexadecimal digits")
        }
        let reader = try Store.openReadOnly(path: store)
        let pattern = "'\(job.lowercased())%'"
        let found = try reader.query(Self.jobQuery(pattern), limit: 20)
        guard !found.rows.isEmpty else { throw StoreError.unknownJob(job) }
        let parts = try [
            ("", found), ("waits for", reader.query(Self.waitingQuery(pattern))),
            ("tried", reader.query(Self.attemptsQuery(pattern))),
            ("events", reader.query(Self.eventsQuery(pattern))),
            ("workers without its data set", reader.query(Self.lackingQuery(pattern))),
        ]
        for (title, rows) in parts where title.isEmpty || !rows.rows.isEmpty {
            if format == .table && !title.isEmpty { print("\n\(title)") }
            print(format.text(of: rows), terminator: "")
        }
        if format == .table { print("\n" + (try advice(reader, pattern))) }
    }

    /// One sentence that says what there is to do.
    private func advice(_ reader: StoreReader, _ pattern: String) throws -> String {
        let state = try reader.query("SELECT state, paused FROM job WHERE key LIKE \(pattern)")
        guard state.rows.count == 1, let row = state.rows.first else {
            return "several jobs begin like this; more digits tell one from the others"
        }
        let waits = try !reader.query(Self.waitingQuery(pattern)).rows.isEmpty
        return switch (row[0].text, row[1].text == "1") {
        case ("finished", _): "it is finished"
        case ("quarantined", _): "it was given up; `fathom retry` puts it back"
        case ("blocked", _): "it needs a job that was given up; `fathom retry` that one"
        case (_, true): "it is paused; `fathom resume` lets it go on"
        case _ where waits: "it waits for the jobs above"
        default: "it is ready, or running: a free slot of a fitting worker takes it"
        }
    }

    private static func jobQuery(_ pattern: String) -> String {
        """
        SELECT j.key, j.kind, (SELECT group_concat(DISTINCT c.method || ' ' || c.task || ' '
            || c.model) FROM runJob rj JOIN run r ON r.id = rj.run JOIN cell c ON c.id = r.cell
            WHERE rj.job = j.id) AS cells,
          j.state, j.paused, j.reason, j.spec
        FROM job j WHERE j.key LIKE \(pattern)
        """
    }

    /// The keys that the specification names are those of the jobs that it reads.
    private static func waitingQuery(_ pattern: String) -> String {
        """
        SELECT substr(d.key, 1, 12) AS job, d.kind, d.state, d.paused, d.reason
        FROM job j JOIN json_tree(j.spec) t JOIN job d ON d.key = t.value
        WHERE j.key LIKE \(pattern) AND j.state <> 'finished' AND t.type = 'text'
          AND length(t.value) = 64 AND d.state <> 'finished'
        """
    }

    private static func attemptsQuery(_ pattern: String) -> String {
        """
        SELECT a.attempt, a.term, substr(a.worker, 1, 12) AS worker, w.host, a.entryFirst,
          a.entryEnd, a.state, a.seconds, a.error, a.logTail
        FROM attempt a JOIN job j ON j.id = a.job LEFT JOIN worker w ON w.id = a.worker
        WHERE j.key LIKE \(pattern) ORDER BY j.key, a.attempt, a.term
        """
    }

    /// Workers that are here and said that they do not have what the job reads.
    private static func lackingQuery(_ pattern: String) -> String {
        """
        SELECT DISTINCT substr(w.id, 1, 12) AS worker, w.host, e.detail
        FROM job j JOIN event e ON e.kind = 'dataLacking'
          AND e.detail LIKE json_extract(j.spec, '$.settings.data.settings.set') || ' '
            || substr(json_extract(j.spec, '$.settings.data.digest'), 1, 12) || ':%'
        JOIN worker w ON w.id = e.subject
        WHERE j.key LIKE \(pattern) AND j.state <> 'finished' AND w.leftAt IS NULL
        """
    }

    private static func eventsQuery(_ pattern: String) -> String {
        """
        SELECT datetime(e.at / 1000000, 'unixepoch') AS at, e.kind, e.detail
        FROM event e JOIN job j ON j.key = e.subject WHERE j.key LIKE \(pattern) ORDER BY e.id
        """
    }
}
