/// What a dashboard shows at one time; the JSON that pages get.
struct DashboardSnapshot: Encodable, Sendable {
    struct Kind: Encodable, Sendable {
        var kind: String
        var done: Int
        var total: Int
        var open: Int
        var paused: Int
        var failed: Int
        var blocked: Int
        /// Mean computing seconds of a job lately; `nil` before one was measured.
        var seconds: Double?

        /// At the pace of so many slots; `nil` while a kind that is left has no measured cost.
        static func secondsLeft(of kinds: [Kind], slots: Int) -> Double? {
            var sum = 0.0
            for kind in kinds where kind.open > 0 {
                guard let seconds = kind.seconds else { return nil }
                sum += seconds * Double(kind.open)
            }
            if sum == 0 { return 0 }
            return slots > 0 ? sum / Double(slots) : nil
        }
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

    /// One row of the leaderboard, with the numbers unrounded.
    struct Rank: Encodable, Sendable {
        var rank: Int?
        var method: String
        var role: String
        var ud: Double?
        var udLow: Double?
        var udHigh: Double?
        var metric: Double?
        var metricLow: Double?
        var metricHigh: Double?
        var damage: Double?
        var n: Int
        var seeds: Int
        var why: String?
    }

    struct Group: Encodable, Sendable {
        var title: String
        var order: String
        var metricName: String
        var calibrated: Bool?
        var rows: [Rank]
    }

    struct Board: Encodable, Sendable {
        var groups: [Group]
        /// Rows that did not fit.
        var left: Int
        /// Finished jobs it was worked out from.
        var jobs: Int
    }

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
    /// Seconds until the end, at the pace of the slots there are; `nil`: nobody can say.
    var secondsLeft: Double?
    var workers: Workers
    var problems: Problems
    var cells: CellPage
    var board: Board
}

/// A cell and how far it is.
struct CellRow: Encodable, Sendable, Hashable {
    var cell: String
    var method: String
    var task: String
    var model: String
    var defense: String
    var done: Int
    var total: Int
    var failed: Int
    var blocked: Int
    var paused: Int
    /// Estimated computing seconds left, over all slots together; `nil`: nobody can say.
    var secondsLeft: Double?
}

/// Some cells of many.
struct CellPage: Encodable, Sendable {
    var total: Int
    var found: Int
    var offset: Int
    var rows: [CellRow]

    enum Order: String, Sendable, CaseIterable {
        /// As in the manifest.
        case plan
        /// What has problems, then what is least far.
        case problems
        case done
    }

    /// Cuts a page out of all cells.
    ///
    /// - Parameters:
    ///   - search: Words that must all occur in a row's names, in any case.
    ///   - offset: How many of the rows found stand before the page.
    init(_ cells: [CellRow], search: String, order: Order, offset: Int) {
        let words = search.lowercased().split(separator: " ")
        let fitting = cells.filter { cell in
            let text = "\(cell.cell) \(cell.method) \(cell.task) \(cell.model) \(cell.defense)"
                .lowercased()
            return words.allSatisfy { text.contains($0) }
        }
        func share(_ cell: CellRow) -> Double { Double(cell.done) / Double(max(1, cell.total)) }
        let sorted =
            switch order {
            case .plan: fitting
            case .done: fitting.sorted { (-share($0), $0.cell) < (-share($1), $1.cell) }
            case .problems:
                fitting.sorted {
                    (-($0.failed + $0.blocked), share($0), $0.cell)
                        < (-($1.failed + $1.blocked), share($1), $1.cell)
                }
            }
        total = cells.count
        found = fitting.count
        self.offset = min(max(0, offset), max(0, found - 1))
        rows = Array(sorted.dropFirst(self.offset).prefix(DashboardLimits.cellRows))
    }
}
