public import FathomCore

/// Methods beside each other over tasks: what a poison made for one task does to others.
public struct CrossTask: Sendable, Hashable {
    /// One method's row in each task, in the order of `tasks`.
    public struct Line: Sendable, Hashable {
        public var method: String
        public var role: LeaderboardRow.Role
        public var rows: [LeaderboardRow?]
        /// Claims on the tasks that have a damage, corrected over them.
        public var claims: [UnlearnabilityClaims.Claim]

        /// The smallest damage over tasks, which is biased low: of several noisy numbers the
        /// smallest is small by chance, too.
        public var damageMin: Double? { rows.compactMap { $0?.damage }.min() }

        /// The claim on the task at this place, if there is one.
        public func claim(onTask task: String) -> UnlearnabilityClaims.Claim? {
            claims.first { $0.task == task }
        }
    }

    /// What may be compared: one data set, model, defense and other settings, and one way of
    /// training (each task alone, or several together).
    public var title: String
    public var tasks: [String]
    /// Methods in the order of the plan, then controls and clean training.
    public var lines: [Line]

    /// The cross-task tables of a sweep: of all groups with two tasks or more.
    public static func tables(_ rows: [LeaderboardRow]) -> [CrossTask] {
        var titles: [String] = []
        var members: [String: [LeaderboardRow]] = [:]
        for row in rows.sorted(by: { ($0.position, $0.cell) < ($1.position, $1.cell) }) {
            let title = CrossTask.title(row)
            if members[title] == nil { titles.append(title) }
            members[title, default: []].append(row)
        }
        return titles.compactMap { title in
            let table = CrossTask(title: title, rows: members[title] ?? [])
            return table.tasks.count > 1 ? table : nil
        }
    }

    private static func title(_ row: LeaderboardRow) -> String {
        let defense = row.defense == "none" ? "no defense" : row.defense
        let parts = row.task.split(separator: "@", maxSplits: 1)
        let together = parts.count == 2 ? "\(parts[1]) together" : nil
        return [
            row.dataSet, together, row.model, defense, row.settings.isEmpty ? nil : row.settings,
        ]
        .compactMap { $0 }.joined(separator: ", ")
    }

    /// The task as a column is headed: `depth` for `depth@cls+depth`.
    static func column(_ task: String) -> String {
        String(task.split(separator: "@").first ?? "")
    }

    private init(title: String, rows: [LeaderboardRow]) {
        self.title = title
        var tasks: [String] = []
        var methods: [String] = []
        for row in rows {
            if !tasks.contains(row.task) { tasks.append(row.task) }
            if !methods.contains(row.method) { methods.append(row.method) }
        }
        self.tasks = tasks
        let lines = methods.compactMap { method -> Line? in
            let own = tasks.map { task in
                rows.first { $0.method == method && $0.task == task }
            }
            guard let first = own.compactMap({ $0 }).first else { return nil }
            return Line(
                method: method, role: first.role, rows: own,
                claims: first.role == .method ? CrossTask.claims(own) : [])
        }
        let order: [LeaderboardRow.Role] = [.method, .control, .clean]
        self.lines = order.flatMap { role in lines.filter { $0.role == role } }
    }

    private static func claims(_ rows: [LeaderboardRow?]) -> [UnlearnabilityClaims.Claim] {
        UnlearnabilityClaims.claims(
            rows.compactMap { row in
                guard let row, row.damage != nil else { return nil }
                let damages = row.seedValues.compactMap(\.damage)
                return damages.isEmpty ? nil : (row.task, damages)
            })
    }
}
