import FathomCoordinator
import FathomCore

/// Some rows of a long list, found by words.
struct ListPage<Row: Encodable & Sendable>: Encodable, Sendable {
    var total: Int
    var found: Int
    /// How many of the rows found stand before these.
    var offset: Int
    var rows: [Row]

    /// Cuts a page out of a list.
    ///
    /// - Parameters:
    ///   - search: Words that must all occur among a row's `names`, in any case of A to Z.
    ///   - sorted: Brings the rows found into order.
    init(
        _ all: [Row], names: (Row) -> [String], search: String, offset: Int, limit: Int,
        sorted: ([Row]) -> [Row] = { $0 }
    ) {
        let words = search.split(separator: " ").map { $0.utf8.map(Self.lowercased) }
        let fitting =
            words.isEmpty
            ? all
            : all.filter { row in
                let texts = names(row).map { $0.utf8.map(Self.lowercased) }
                return words.allSatisfy { word in texts.contains { Self.holds($0, word) } }
            }
        total = all.count
        found = fitting.count
        self.offset = min(max(0, offset), max(0, found - 1))
        rows = Array(sorted(fitting).dropFirst(self.offset).prefix(limit))
    }

    private static func lowercased(_ byte: UInt8) -> UInt8 {
        (0x41...0x5A).contains(byte) ? byte + 0x20 : byte
    }

    /// Whether bytes hold others in a row; ten times as fast as text that knows of languages.
    private static func holds(_ text: [UInt8], _ word: [UInt8]) -> Bool {
        guard let first = word.first, word.count <= text.count else { return word.isEmpty }
        for start in 0...(text.count - word.count)
        where text[start] == first && text[start..<(start + word.count)].elementsEqual(word) {
            return true
        }
        return false
    }
}

/// A cell and how far it is.
struct CellRow: Encodable, Sendable, Hashable {
    var cell: String
    var method: String
    var task: String
    var model: String
    var defense: String
    var jobs: JobCounts
    /// Estimated computing seconds left, over all slots together; `nil`: nobody can say.
    var secondsLeft: Double?

    private var trouble: Int { jobs.failed + jobs.blocked }
    private var share: Double { Double(jobs.done) / Double(max(1, jobs.total)) }

    enum Order: String, Sendable, CaseIterable {
        /// As in the manifest.
        case plan
        /// What has problems, then what is least far.
        case problems
        case done

        func sorted(_ cells: [CellRow]) -> [CellRow] {
            switch self {
            case .plan: cells
            case .done: cells.sorted { (-$0.share, $0.cell) < (-$1.share, $1.cell) }
            case .problems:
                cells.sorted {
                    (-$0.trouble, $0.share, $0.cell) < (-$1.trouble, $1.share, $1.cell)
                }
            }
        }
    }
}

extension ListPage<CellRow> {
    init(_ cells: [CellRow], search: String = "", order: CellRow.Order = .plan, offset: Int = 0) {
        self.init(
            cells, names: { [$0.cell, $0.method, $0.task, $0.model, $0.defense] },
            search: search, offset: offset, limit: DashboardLimits.cellRows, sorted: order.sorted)
    }
}

/// The leaderboard, as it forms.
struct DashboardBoard: Sendable {
    var groups: [Group]
    /// Finished jobs it was worked out from.
    var jobs: Int

    /// A number over seeds and where it may lie, unrounded.
    struct Estimate: Encodable, Sendable {
        var value: Double
        var low: Double?
        var high: Double?

        init?(_ value: Double?, _ interval: Interval?) {
            guard let value else { return nil }
            (self.value, low, high) = (value, interval?.low, interval?.high)
        }
    }

    struct Rank: Encodable, Sendable {
        var rank: Int?
        var method: String
        var role: String
        var ud: Estimate?
        var metric: Estimate?
        var damage: Double?
        /// Seeds that count, of those planned.
        var n: Int
        var seeds: Int
        var why: String?
    }

    /// Methods that may be compared.
    struct Group: Encodable, Sendable {
        var title: String
        var order: String
        var metricName: String
        var calibrated: Bool?
        /// Rows that did not fit.
        var left: Int
        var rows: [Rank]
    }

    /// Some groups, and what they were worked out from.
    struct Page: Encodable, Sendable {
        var jobs: Int
        var groups: ListPage<Group>
    }

    func page(search: String = "", offset: Int = 0) -> Page {
        Page(
            jobs: jobs,
            groups: ListPage(
                groups, names: { [$0.title] + $0.rows.map(\.method) }, search: search,
                offset: offset, limit: DashboardLimits.boardGroups))
    }
}

extension DashboardBoard {
    init(_ leaderboard: Leaderboard, jobs: Int) {
        self.init(groups: leaderboard.groups.map(Group.init), jobs: jobs)
    }
}

extension DashboardBoard.Group {
    init(_ group: Leaderboard.Group) {
        let shown = group.rows.prefix(DashboardLimits.boardRows)
        self.init(
            title: group.title, order: group.order.rawValue,
            metricName: shown.first?.metricName ?? "",
            calibrated: shown.contains { $0.ud != nil }
                ? shown.first { $0.role == .method }?.isCalibrated ?? nil : nil,
            left: group.rows.count - shown.count,
            rows: shown.enumerated().map { index, row in
                DashboardBoard.Rank(
                    row, rank: group.rank(index),
                    method: group.name(of: row))
            })
    }
}

extension DashboardBoard.Rank {
    init(_ row: LeaderboardRow, rank: Int?, method: String) {
        self.init(
            rank: rank, method: method, role: row.role.rawValue,
            ud: .init(row.ud, row.udInterval), metric: .init(row.metric, row.metricInterval),
            damage: row.damage, n: row.seedCount, seeds: row.seeds,
            why: row.ud == nil ? row.udReason : nil)
    }
}
