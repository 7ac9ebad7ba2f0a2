/// What a dashboard shows at one time. Pages get three parts of it, each when it has changed.
struct DashboardSnapshot: Sendable {
    var figures: DashboardFigures
    /// Every cell, in the order of the plan.
    var cells: [CellRow]
    var board: DashboardBoard
}

/// How far a sweep is: what changes all the time.
struct DashboardFigures: Encodable, Sendable {
    var store: String
    var sweep: String
    var sweeps: Int
    var term: Int
    var isRunning: Bool
    /// Seconds since 1970.
    var at: Double
    var kinds: [Kind]
    /// Jobs finished a second, over the last minute.
    var rate: Double
    /// `nil`: nobody can say.
    var timeLeft: TimeLeft?
    var workers: Workers
    var problems: Problems

    struct Kind: Encodable, Sendable {
        var kind: String
        var jobs: JobCounts
        /// Mean computing seconds of a job lately; `nil` before one was measured.
        var seconds: Double?
    }

    struct Worker: Encodable, Sendable {
        var worker: String
        var host: String
        var slots: Int
        var done: Int
        var failed: Int
        var isHere: Bool
    }

    struct Workers: Encodable, Sendable {
        var here: Int
        var slots: Int
        var total: Int
        var rows: [Worker]

        /// Without a coordinator nobody is here.
        mutating func retire() {
            (here, slots) = (0, 0)
            for index in rows.indices { rows[index].isHere = false }
        }
    }

    struct Problem: Encodable, Sendable {
        var cell: String
        var method: String
        var kind: String
        var job: String
        var state: String
        var reason: String
    }

    struct Problems: Encodable, Sendable {
        /// As far as they were counted.
        var total: Int
        var isMore: Bool
        var rows: [Problem]
    }
}

/// Jobs by state, of a kind or of a cell.
struct JobCounts: Encodable, Sendable, Hashable {
    var done = 0
    var total = 0
    var open = 0
    /// Among the open ones.
    var paused = 0
    var failed = 0
    var blocked = 0

    static func + (one: JobCounts, other: JobCounts) -> JobCounts {
        JobCounts(
            done: one.done + other.done, total: one.total + other.total,
            open: one.open + other.open, paused: one.paused + other.paused,
            failed: one.failed + other.failed, blocked: one.blocked + other.blocked)
    }
}

/// Until a sweep's end, at the pace of the slots there are.
struct TimeLeft: Encodable, Sendable, Hashable {
    var seconds: Double
    /// Whether it takes longer than that, because of some jobs that are left none like them was
    /// timed yet.
    var isAtLeast: Bool
}

extension TimeLeft {
    /// - Returns: `nil` where nobody can say.
    init?(of kinds: [DashboardFigures.Kind], slots: Int) {
        let left = kinds.filter { $0.jobs.open > 0 }
        let sum = left.reduce(0) { $0 + ($1.seconds ?? 0) * Double($1.jobs.open) }
        guard slots > 0, sum > 0 else { return nil }
        self.init(
            seconds: sum / Double(slots), isAtLeast: left.contains { $0.seconds == nil })
    }
}
