import FathomCore

/// A plan in figures: what `fathom plan` prints.
public struct PlanSummary: Hashable, Sendable, Codable {
    /// One cell of the grid. Jobs that several cells share are counted in each of them.
    public struct Row: Hashable, Sendable, Codable {
        public var dataSet: String
        public var task: String
        public var model: String
        public var defense: String
        public var method: String
        public var runs: Int
        public var poisonJobs: Int
        public var trainJobs: Int
        public var salJobs: Int
        public var salEntries: Int
        /// Why the cell has no runs; `nil`: it has.
        public var notApplicable: String?
    }

    public var name: String
    public var cells: Int
    public var runs: Int
    /// Jobs, each once: those that craft, train and measure.
    public var poisonJobs: Int
    public var trainJobs: Int
    public var salJobs: Int
    /// Layers to be measured, over all checkpoints.
    public var salEntries: Int
    /// Jobs that sample a loss landscape, and the points they sample.
    public var landscapeJobs: Int
    public var landscapePoints: Int
    public var rows: [Row]
    public var notes: [String]

    public init(_ plan: SweepPlan) {
        let entryCounts = Dictionary(
            plan.jobs.filter { $0.spec.kind == .sal }.map { ($0.key, $0.entryCount) },
            uniquingKeysWith: { first, _ in first })
        func count(_ kind: JobSpec.Kind) -> Int { plan.jobs.count { $0.spec.kind == kind } }
        name = plan.name
        cells = plan.cells.count
        runs = plan.cells.reduce(0) { $0 + $1.runs.count }
        poisonJobs = count(.poison)
        trainJobs = count(.train)
        salJobs = count(.sal)
        salEntries = entryCounts.values.reduce(0, +)
        landscapeJobs = count(.landscape)
        landscapePoints = plan.jobs.reduce(0) {
            $0 + ($1.spec.kind == .landscape ? $1.entryCount : 0)
        }
        let poisons = Set(plan.jobs.filter { $0.spec.kind == .poison }.map(\.key))
        rows = plan.cells.map { Row($0, entryCounts, poisons: poisons) }
        notes = plan.notes
    }

    /// A table for people, as wide as it needs to be.
    public var text: String {
        let header = ["data", "task", "model", "defense", "method", "runs", "poison", "train"]
        let body = rows.map(\.fields)
        let table = [header + ["sal", "entries"]] + body
        let widths = table[0].indices.map { column in
            table.map { $0[column].count }.max() ?? 0
        }
        let lines = table.map { Self.line($0, widths) }
        let jobs = poisonJobs + trainJobs + salJobs + landscapeJobs
        let drawn = landscapeJobs > 0
        let total =
            "\(name): \(cells) cells, \(runs) runs, \(jobs) jobs (\(poisonJobs) poison, "
            + "\(trainJobs) train, \(salJobs) sal" + (drawn ? ", \(landscapeJobs) landscape" : "")
            + "), \(salEntries) SAL entries"
            + (drawn ? ", \(landscapePoints) points of landscapes" : "")
        return ([total, ""] + lines + notes.map { "note: \($0)" }).joined(separator: "\n") + "\n"
    }

    /// Words to the left, numbers to the right.
    private static func line(_ fields: [String], _ widths: [Int]) -> String {
        let padded = zip(fields, widths).enumerated().map { column, pair in
            let space = String(repeating: " ", count: pair.1 - pair.0.count)
            return column < 5 ? pair.0 + space : space + pair.0
        }
        return padded.joined(separator: "  ")
    }
}

extension PlanSummary.Row {
    fileprivate init(_ cell: PlannedCell, _ entryCounts: [JobKey: Int], poisons: Set<JobKey>) {
        let before = Set(cell.runs.flatMap { $0.prerequisites + [$0.poison].compactMap { $0 } })
        let measured = cell.runs.flatMap(\.measurements)
        self.init(
            dataSet: cell.data.set, task: cell.task, model: cell.modelLabel,
            defense: cell.defenseLabel, method: cell.methodLabel, runs: cell.runs.count,
            poisonJobs: before.intersection(poisons).count,
            trainJobs: before.subtracting(poisons).count
                + cell.runs.reduce(0) { $0 + $1.segments.count },
            salJobs: measured.count,
            salEntries: measured.reduce(0) { $0 + (entryCounts[$1.job] ?? 0) },
            notApplicable: cell.notApplicable)
    }

    fileprivate var fields: [String] {
        let numbers = [runs, poisonJobs, trainJobs, salJobs, salEntries]
        return [dataSet, task, model, defense, method]
            + numbers.map { notApplicable == nil ? String($0) : "-" }
    }
}
