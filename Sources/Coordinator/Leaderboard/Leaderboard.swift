import FathomCore

/// What a leaderboard is sorted by.
public enum LeaderboardOrder: String, Sendable, Hashable, CaseIterable {
    /// Lowest unlearnable distance first.
    case ud
    /// Largest damage first.
    case damage
    /// Worst task metric first.
    case metric
}

/// A sweep's leaderboard in groups whose rows may be compared, each in its order.
public struct Leaderboard: Sendable, Hashable {
    /// The rows of one data set, task, model and defense.
    public struct Group: Sendable, Hashable {
        public var title: String
        public var order: LeaderboardOrder
        /// Sorted; methods first, then controls and clean training.
        public var rows: [LeaderboardRow]

        /// A row's method without the settings that this group's title tells: `lsp` for
        /// `lsp (momentum=0.9)` below `…, training.momentum 0.9`.
        public func name(of row: LeaderboardRow) -> String {
            let method = row.method
            guard method.hasSuffix(")"), let start = method.firstRange(of: " (") else {
                return method
            }
            let told = row.settings.split(separator: ", ").filter { $0.hasPrefix("training.") }
                .map { String($0.dropFirst("training.".count)) }
            let settings = method[start.upperBound...].dropLast().split(separator: ", ")
                .map { $0.replacing("=", with: " ", maxReplacements: 1) }
            return settings.allSatisfy { told.contains(String($0)) }
                ? String(method[..<start.lowerBound]) : method
        }

        /// The row's rank from 1 among methods, or `nil` where a rank would mislead: for controls
        /// and clean training, without a value, and by UD where UD cannot be believed.
        public func rank(_ index: Int) -> Int? {
            let row = rows[index]
            guard row.role == .method, Leaderboard.value(row, order) != nil else { return nil }
            if order == .ud, row.isCalibrated != true { return nil }
            return index + 1
        }
    }

    public var groups: [Group]

    /// - Parameters:
    ///   - rows: Of one sweep, in any order.
    ///   - task: Only this task's, unless `nil`.
    ///   - order: `nil` sorts by UD where it is calibrated, else by damage, else by the metric.
    public init(_ rows: [LeaderboardRow], task: String? = nil, order: LeaderboardOrder? = nil) {
        let kept = rows.filter { row in task.map { $0 == row.task } ?? true }
            .sorted { ($0.position, $0.cell) < ($1.position, $1.cell) }
        var titles: [String] = []
        var members: [String: [LeaderboardRow]] = [:]
        for row in kept {
            let title = Leaderboard.title(row)
            if members[title] == nil { titles.append(title) }
            members[title, default: []].append(row)
        }
        groups = titles.map { title in
            let rows = members[title] ?? []
            let order = order ?? Leaderboard.fittingOrder(rows)
            return Group(title: title, order: order, rows: Leaderboard.sorted(rows, order))
        }
    }

    private static func title(_ row: LeaderboardRow) -> String {
        let defense = row.defense == "none" ? "no defense" : row.defense
        return
            ([row.dataSet, row.task, row.model, defense]
            + (row.settings.isEmpty ? [] : [row.settings]))
            .joined(separator: ", ")
    }

    private static func fittingOrder(_ rows: [LeaderboardRow]) -> LeaderboardOrder {
        let methods = rows.filter { $0.role == .method }
        if methods.contains(where: { $0.isCalibrated == true && $0.ud != nil }) { return .ud }
        return methods.contains { $0.damage != nil } ? .damage : .metric
    }

    static func value(_ row: LeaderboardRow, _ order: LeaderboardOrder) -> Double? {
        switch order {
        case .ud: row.ud
        case .damage: row.damage.map { -$0 }
        case .metric:
            // The worst first, whichever way is up.
            ScoredCell.metric(ofTask: row.task).isHigherBetter
                ? row.metric : row.metric.map { -$0 }
        }
    }

    private static func sorted(
        _ rows: [LeaderboardRow], _ order: LeaderboardOrder
    ) -> [LeaderboardRow] {
        func rank(_ role: LeaderboardRow.Role) -> Int {
            switch role {
            case .method: 0
            case .control: 1
            case .clean: 2
            }
        }
        func key(_ row: LeaderboardRow) -> (Int, Double, Int, String) {
            (rank(row.role), value(row, order) ?? .infinity, row.position, row.cell)
        }
        return rows.sorted { key($0) < key($1) }
    }
}
