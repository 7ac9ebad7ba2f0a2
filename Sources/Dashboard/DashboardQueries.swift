import FathomCoordinator
import FathomCore
import FathomProtocol
import Foundation

/// Reads what a dashboard shows, by queries whose work is bounded.
struct DashboardQueries {
    let reader: StoreReader
    private let seconds = DashboardLimits.refreshSecondsMax

    private func rows(_ sql: String, limit: Int) throws -> [[QueryValue]] {
        try reader.query(sql, limit: limit, seconds: seconds).rows
    }

    /// The sweep that was registered last, or the one of that name.
    func sweep(named name: String?) throws -> (name: String, count: Int)? {
        let names = try rows(
            "SELECT name FROM sweep ORDER BY registeredAt DESC, id DESC", limit: 10_000
        )
        .map { $0[0].text }
        guard let chosen = name.map({ wanted in names.first { $0 == wanted } }) ?? names.first
        else { return nil }
        return (chosen, names.count)
    }

    /// Rises with every change that somebody else makes.
    func version() throws -> Int {
        try rows("SELECT data_version FROM pragma_data_version", limit: 1).first?[0].whole ?? 0
    }

    func term() throws -> Int {
        try rows("SELECT coalesce(max(number), 0) FROM term", limit: 1).first.map {
            $0[0].whole
        } ?? 0
    }

    /// Jobs by kind, and what one takes lately.
    func kinds(_ sweep: String) throws -> [DashboardFigures.Kind] {
        let recent = try rows(
            """
            SELECT j.kind, sum(a.seconds) / sum(a.entryEnd - a.entryFirst)
            FROM attempt a JOIN job j ON j.id = a.job
            WHERE a.id > (SELECT max(id) FROM attempt) - 2000 AND a.state = 'accepted'
            GROUP BY j.kind
            """, limit: 20)
        let costs = Dictionary(
            recent.map { ($0[0].text, $0[1].number) }, uniquingKeysWith: { first, _ in first })
        let found = try rows(
            """
            SELECT j.kind, sum(j.state = 'finished'), count(*), sum(j.state = 'open'),
              sum(j.state = 'open' AND j.paused), sum(j.state = 'quarantined'),
              sum(j.state = 'blocked'), avg(j.entryCount)
            FROM sweep s JOIN sweepJob sj ON sj.sweep = s.id JOIN job j ON j.id = sj.job
            WHERE s.name = \(quoted(sweep)) GROUP BY j.kind
            """, limit: 20
        ).map { row in
            let each = costs[row[0].text] ?? nil
            return DashboardFigures.Kind(
                kind: row[0].text, jobs: counts(row, from: 1),
                seconds: each.flatMap { each in row[7].number.map { each * $0 } })
        }
        // In the order in which a run needs them.
        let order = JobSpec.Kind.allCases.map(\.rawValue)
        func place(_ kind: DashboardFigures.Kind) -> Int {
            order.firstIndex(of: kind.kind) ?? order.count
        }
        return found.sorted { (place($0), $0.kind) < (place($1), $1.kind) }
    }

    /// Done, total, open, paused, failed and blocked, in columns beside each other.
    private func counts(_ row: [QueryValue], from first: Int) -> JobCounts {
        JobCounts(
            done: row[first].whole, total: row[first + 1].whole, open: row[first + 2].whole,
            paused: row[first + 3].whole, failed: row[first + 4].whole,
            blocked: row[first + 5].whole)
    }

    /// Every cell, in the order of the plan.
    ///
    /// - Parameter costs: Seconds of a job by kind.
    func cells(_ sweep: String, costs: [String: Double]) throws -> [CellRow] {
        var cells: [CellRow] = []
        for row in try rows(
            """
            SELECT cell, method, task, model, defense, kind, done, total, open, paused,
              quarantined, blocked
            FROM progress WHERE sweep = \(quoted(sweep))
            """, limit: 500_000)
        {
            if cells.last?.cell != row[0].text {
                cells.append(
                    CellRow(
                        cell: row[0].text, method: row[1].text, task: row[2].text,
                        model: row[3].text, defense: row[4].text, jobs: JobCounts(),
                        secondsLeft: 0))
            }
            let last = cells.count - 1
            let jobs = counts(row, from: 6)
            cells[last].jobs = cells[last].jobs + jobs
            if jobs.open > 0 {
                let more = costs[row[5].text].map { $0 * Double(jobs.open) }
                cells[last].secondsLeft = more.flatMap { more in
                    cells[last].secondsLeft.map { $0 + more }
                }
            }
        }
        return cells
    }

    /// Results of the last minute, a second.
    func rate() throws -> Double {
        let now = Int64(Date().timeIntervalSince1970 * 1_000_000)
        let row = try rows(
            """
            SELECT count(*), min(endedAt) FROM attempt
            WHERE id > (SELECT max(id) FROM attempt) - 20000 AND state = 'accepted'
              AND endedAt > \(now - 60_000_000)
            """, limit: 1
        ).first
        guard let row, row[0].whole > 1 else { return 0 }
        let span = max(1, Double(now - Int64(row[1].whole)) / 1e6)
        return Double(row[0].whole) / span
    }

    func workers() throws -> DashboardFigures.Workers {
        let here =
            "leftAt IS NULL AND host IS NOT NULL "
            + "AND lastSeenAt >= (SELECT coalesce(max(startedAt), 0) FROM term)"
        let sums = try rows(
            """
            SELECT coalesce(sum(\(here)), 0), coalesce(sum((\(here)) * slots), 0), count(*)
            FROM worker WHERE host IS NOT NULL
            """, limit: 1
        ).first
        let found = try rows(
            """
            SELECT substr(w.id, 1, 12), w.host, w.slots, coalesce(r.done, 0),
              coalesce(r.failed, 0), w.isHere
            FROM (SELECT id, host, slots, (\(here)) AS isHere, lastSeenAt FROM worker
                WHERE host IS NOT NULL ORDER BY isHere DESC, lastSeenAt DESC
                LIMIT \(DashboardLimits.workerRows)) w
              LEFT JOIN (SELECT worker, sum(state = 'accepted') AS done,
                  sum(state IN ('error', 'slotDeath')) AS failed FROM attempt
                WHERE id > (SELECT max(id) FROM attempt) - 20000 GROUP BY worker) r
                ON r.worker = w.id
            ORDER BY w.isHere DESC, w.lastSeenAt DESC
            """, limit: DashboardLimits.workerRows)
        return DashboardFigures.Workers(
            here: sums?[0].whole ?? 0, slots: sums?[1].whole ?? 0,
            total: sums?[2].whole ?? 0,
            rows: found.map {
                .init(
                    worker: $0[0].text, host: $0[1].text, slots: $0[2].whole,
                    done: $0[3].whole, failed: $0[4].whole, isHere: $0[5].whole == 1)
            })
    }

    func problems(_ sweep: String) throws -> DashboardFigures.Problems {
        let most = 1_000
        let result = try reader.query(
            """
            SELECT cell, method, kind, job, state, substr(reason, 1, 400) FROM problem
            WHERE sweep = \(quoted(sweep))
            """, limit: most, seconds: seconds)
        // One job that several cells need is one problem; failures before those who wait.
        var seen: Set<String> = []
        let order = ["disagreement": 0, "quarantined": 1]
        let distinct = result.rows.filter { seen.insert($0[3].text + $0[4].text).inserted }
        let sorted = distinct.enumerated().sorted {
            (order[$0.element[4].text] ?? 2, $0.offset) < (
                order[$1.element[4].text] ?? 2, $1.offset
            )
        }
        return DashboardFigures.Problems(
            total: distinct.count, isMore: result.isCutOff,
            rows: sorted.prefix(DashboardLimits.problemRows).map { _, row in
                .init(
                    cell: row[0].text, method: row[1].text, kind: row[2].text, job: row[3].text,
                    state: row[4].text, reason: row[5].text)
            })
    }

    private func quoted(_ text: String) -> String {
        "'" + text.replacingOccurrences(of: "'", with: "''") + "'"
    }
}

extension QueryValue {
    var whole: Int {
        switch self {
        case .integer(let number): Int(number)
        case .real(let number): Int(exactly: number.rounded()) ?? 0
        default: 0
        }
    }

    var number: Double? {
        switch self {
        case .integer(let number): Double(number)
        case .real(let number): number
        default: nil
        }
    }
}
