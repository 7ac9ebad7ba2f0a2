/// Why a job waits or failed: what it is, what it waits for, where it was tried.
public struct JobExplanation: Sendable {
    /// The jobs whose keys begin with the digits asked for; one, if they are enough.
    public let jobs: QueryResult
    public let waiting: QueryResult
    public let attempts: QueryResult
    public let events: QueryResult
    /// Workers that lack its data set.
    public let lacking: QueryResult
    /// Workers that are here, and what they have of the runner it asks for.
    public let runners: QueryResult
    /// One sentence that says what there is to do.
    public let advice: String

    /// - Parameters:
    ///   - digits: A job's key, or its first digits, in small letters.
    ///   - seconds: How long each query may take.
    /// - Throws: `StoreError.unknownJob` where no key begins so.
    public init(
        digits: String, reader: StoreReader, seconds: Double = StoreReader.querySecondsMax
    ) throws(StoreError) {
        guard digits.allSatisfy(\.isHexDigit) else { throw .unknownJob(digits) }
        let pattern = "'\(digits)*'"
        func rows(_ sql: String, _ limit: Int) throws(StoreError) -> QueryResult {
            try reader.query(sql, limit: limit, seconds: seconds)
        }
        jobs = try rows(Self.jobQuery(pattern), 20)
        guard !jobs.rows.isEmpty else { throw .unknownJob(digits) }
        waiting = try rows(Self.waitingQuery(pattern), 1_000)
        attempts = try rows(Self.attemptsQuery(pattern), 1_000)
        events = try rows(Self.eventsQuery(pattern), 1_000)
        lacking = try rows(Self.lackingQuery(pattern), 1_000)
        let state = try rows("SELECT state, paused FROM job WHERE key GLOB \(pattern)", 2)
        runners = try rows(Self.runnerQuery(pattern), 1_000)
        let asked = try rows(
            "SELECT \(Self.runnerNeed) FROM job j WHERE j.key GLOB \(pattern)", 1)
        let isRunnerHere = runners.rows.contains { $0.last?.text == "1" }
        let need = asked.rows.first?.first?.text ?? ""
        advice = Self.advice(
            state, waits: !waiting.rows.isEmpty, lacksRunner: isRunnerHere ? "" : need)
    }

    /// The parts with rows, by their titles; the first has none.
    public var parts: [(title: String, rows: QueryResult)] {
        [
            ("", jobs), ("waits for", waiting), ("tried", attempts), ("events", events),
            ("workers without its data set", lacking), ("workers and its runner", runners),
        ].filter { $0.0.isEmpty || !$0.1.rows.isEmpty }
    }

    /// All but the advice, for people.
    ///
    /// - Parameters:
    ///   - isFolded: Whether long values are broken to fit the columns.
    ///   - rowsMax: How many rows of each part; the latest are kept.
    public func text(
        _ style: TerminalStyle, isFolded: Bool, rowsMax: Int = .max
    ) -> String {
        parts.map { title, part in
            var shown = part
            shown.rows = Array(part.rows.suffix(rowsMax))
            let table = TextTable(shown)
            // What the job is has too long values for a table, however wide the screen.
            let text =
                title.isEmpty
                ? table.stacked(style, isFolded: isFolded)
                : table.wholeText(style, isFolded: isFolded)
            return title.isEmpty ? text : style.accented(title, .heading) + "\n" + text
        }.joined(separator: "\n")
    }

    /// - Parameter lacksRunner: What it asks for that no worker has; empty: nothing.
    private static func advice(
        _ state: QueryResult, waits: Bool, lacksRunner: String
    ) -> String {
        guard state.rows.count == 1, let row = state.rows.first else {
            return "several jobs begin like this; more digits tell one from the others"
        }
        return switch (row[0].text, row[1].text == "1") {
        case ("finished", _): "it is finished"
        case ("quarantined", _): "it was given up; `fathom retry` puts it back"
        case ("blocked", _): "it needs a job that was given up; `fathom retry` that one"
        case (_, true): "it is paused; `fathom resume` lets it go on"
        case _ where waits: "it waits for the jobs above"
        case _ where !lacksRunner.isEmpty:
            "no worker that is here can do it: it asks for \(lacksRunner); start one that has it "
                + "and the tags, `fathom worker --runner NAME=COMMAND --tag TAG`"
        default: "it is ready, or running: a free slot of a fitting worker takes it"
        }
    }

    /// What a job asks for, as the scheduler's events have it; NULL for the built-in engine.
    private static let runnerNeed = """
        j.kind || ' ' || json_extract(j.spec, '$.settings.model.runner.name') || ' revision '
          || json_extract(j.spec, '$.settings.model.runner.revision') || ' on '
          || json_extract(j.spec, '$.settings.model.runner.device')
        """

    /// What workers that are here said last.
    private static func runnerQuery(_ pattern: String) -> String {
        """
        SELECT substr(w.id, 1, 12) AS worker, w.host, e.detail, e.kind = 'runnerFits' AS fits
        FROM job j JOIN event e ON e.kind IN ('runnerFits', 'runnerLacking')
          AND e.detail LIKE \(runnerNeed) || ':%'
        JOIN worker w ON w.id = e.subject
        WHERE j.key GLOB \(pattern) AND j.state = 'open' AND w.leftAt IS NULL
          AND e.id = (SELECT max(x.id) FROM event x WHERE x.subject = e.subject
            AND x.kind IN ('runnerFits', 'runnerLacking') AND x.detail LIKE \(runnerNeed) || ':%')
        """
    }

    private static func jobQuery(_ pattern: String) -> String {
        """
        SELECT j.key, j.kind, (SELECT group_concat(DISTINCT c.method || ' ' || c.task || ' '
            || c.model) FROM runJob rj JOIN run r ON r.id = rj.run JOIN cell c ON c.id = r.cell
            WHERE rj.job = j.id) AS cells,
          j.state, j.paused, j.reason, j.spec
        FROM job j WHERE j.key GLOB \(pattern)
        """
    }

    /// The keys that the specification names are those of the jobs that it reads.
    private static func waitingQuery(_ pattern: String) -> String {
        """
        SELECT substr(d.key, 1, 12) AS job, d.kind, d.state, d.paused, d.reason
        FROM job j JOIN json_tree(j.spec) t JOIN job d ON d.key = t.value
        WHERE j.key GLOB \(pattern) AND j.state <> 'finished' AND t.type = 'text'
          AND length(t.value) = 64 AND d.state <> 'finished'
        """
    }

    private static func attemptsQuery(_ pattern: String) -> String {
        """
        SELECT a.attempt, a.term, substr(a.worker, 1, 12) AS worker, w.host, a.entryFirst,
          a.entryEnd, a.state, a.seconds, a.error, a.logTail
        FROM attempt a JOIN job j ON j.id = a.job LEFT JOIN worker w ON w.id = a.worker
        WHERE j.key GLOB \(pattern) ORDER BY j.key, a.attempt, a.term
        """
    }

    private static func eventsQuery(_ pattern: String) -> String {
        """
        SELECT datetime(e.at / 1000000, 'unixepoch') AS at, e.kind, e.detail
        FROM event e JOIN job j ON j.key = e.subject WHERE j.key GLOB \(pattern) ORDER BY e.id
        """
    }

    private static func lackingQuery(_ pattern: String) -> String {
        """
        SELECT DISTINCT substr(w.id, 1, 12) AS worker, w.host, e.detail
        FROM job j JOIN event e ON e.kind = 'dataLacking'
          AND e.detail LIKE json_extract(j.spec, '$.settings.data.settings.set') || ' '
            || substr(json_extract(j.spec, '$.settings.data.digest'), 1, 12) || ':%'
        JOIN worker w ON w.id = e.subject
        WHERE j.key GLOB \(pattern) AND j.state <> 'finished' AND w.leftAt IS NULL
        """
    }
}
