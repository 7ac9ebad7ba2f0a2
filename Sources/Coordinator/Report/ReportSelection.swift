import FathomProtocol

/// Which groups, cells and runs of a sweep have figures, within the limits.
struct ReportSelection {
    /// Cells that may be compared, as the figures show them.
    struct Group {
        var id: String
        var title: String
        /// Clean training first, then controls, then methods in the order of the leaderboard.
        var rows: [LeaderboardRow]
        var cells: [ScoredCell]
        /// How many cells of the group are left out.
        var hiddenCount: Int
        var metricName: String
    }

    /// A run with the clean one it is compared with.
    struct Pair {
        var group: Int
        var row: LeaderboardRow
        var seed: Int
        /// The label of the clean cell, where there is one.
        var clean: String?
    }

    private(set) var groups: [Group] = []
    let hiddenGroups: Int
    private(set) var pairs: [Pair] = []
    /// How many runs would have had a heat map.
    private(set) var pairCount = 0

    init(_ data: ReportData, limits: ReportLimits) {
        let cells = Dictionary(
            data.cells.map { ($0.label, $0) }, uniquingKeysWith: { first, _ in first })
        let all = Leaderboard(data.rows.filter { !$0.isNotApplicable }).groups
        hiddenGroups = max(0, all.count - limits.groups)
        for (index, group) in all.prefix(limits.groups).enumerated() {
            let rows = ReportSelection.order(group.rows).filter { cells[$0.cell] != nil }
            let shown = Array(rows.prefix(limits.cellsPerGroup))
            groups.append(
                Group(
                    id: "g\(index + 1)", title: group.title, rows: shown,
                    cells: shown.compactMap { cells[$0.cell] },
                    hiddenCount: rows.count - shown.count,
                    metricName: group.rows.first?.metricName ?? "metric"))
        }
        choosePairs(data, cells: cells, limit: limits.runs)
    }

    /// All cells of all groups.
    var cells: [ScoredCell] { groups.flatMap(\.cells) }

    /// The runs whose matrices are drawn, each once.
    var matrices: [(cell: String, seed: Int)] {
        var seen: Set<String> = []
        var runs: [(cell: String, seed: Int)] = []
        for pair in pairs {
            for cell in [pair.row.cell, pair.clean].compactMap({ $0 })
            where seen.insert("\(cell) \(pair.seed)").inserted {
                runs.append((cell, pair.seed))
            }
        }
        return runs
    }

    private static func order(_ rows: [LeaderboardRow]) -> [LeaderboardRow] {
        rows.filter { $0.role == .clean } + rows.filter { $0.role == .control }
            + rows.filter { $0.role == .method }
    }

    /// The first seed of every cell, then the second of each, until there are enough.
    private mutating func choosePairs(
        _ data: ReportData, cells: [String: ScoredCell], limit: Int
    ) {
        let scoring = UDScoring(cells: data.cells)
        var bySeed: [[Pair]] = []
        for (index, group) in groups.enumerated() {
            for row in group.rows where row.role != .clean {
                guard let cell = cells[row.cell] else { continue }
                let clean = scoring.baselineCell(
                    of: cell, row.baseline == "defended" ? .defended : .vanilla)
                for (place, run) in cell.runs.enumerated() {
                    if bySeed.count == place { bySeed.append([]) }
                    bySeed[place].append(
                        Pair(group: index, row: row, seed: run.seed, clean: clean?.label))
                }
            }
        }
        let all = bySeed.flatMap { $0 }
        pairCount = all.count
        pairs = Array(all.prefix(limit))
    }
}
