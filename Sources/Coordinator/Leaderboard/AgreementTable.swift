import FathomCore

/// Agreement between tasks, for each model, defense and method of a sweep: what
/// `fathom agreement` prints.
public struct AgreementTable: Sendable {
    /// One value of `salMatrix`.
    public struct Entry: Hashable, Sendable {
        public var group: String
        public var task: String
        public var seed: Int
        public var layer: String
        public var value: Double

        public init(group: String, task: String, seed: Int, layer: String, value: Double) {
            self.group = group
            self.task = task
            self.seed = seed
            self.layer = layer
            self.value = value
        }
    }

    /// Vectors over layers, a seed each, by task, of what may be compared.
    private struct Group {
        var name: String
        var tasks: [String] = []
        var values: [String: [Int: [String: Double]]] = [:]
    }

    private let groups: [Group]

    /// - Parameter entries: Of one epoch, in the order of tasks and layers.
    public init(_ entries: [Entry]) {
        var groups: [Group] = []
        for entry in entries {
            let place: Int
            if let known = groups.firstIndex(where: { $0.name == entry.group }) {
                place = known
            } else {
                place = groups.count
                groups.append(Group(name: entry.group))
            }
            if groups[place].values[entry.task] == nil { groups[place].tasks.append(entry.task) }
            groups[place].values[entry.task, default: [:]][entry.seed, default: [:]][entry.layer] =
                entry.value
        }
        self.groups = groups
    }

    /// Reads the last measured epoch of a sweep from its store.
    public static func of(
        _ sweep: SweepID, in reader: StoreReader
    ) throws(StoreError) -> AgreementTable {
        let name = try reader.name(of: sweep).replacing("'", with: "''")
        let result = try reader.query(
            """
            SELECT s.model, s.defense, s.method, s.task, s.seed, s.layer, s.sal FROM salMatrix s
            WHERE s.sweep = '\(name)' AND s.filter IS NULL AND s.sal IS NOT NULL
              AND s.epoch = (SELECT max(t.epoch) FROM salMatrix t
                WHERE t.sweep = s.sweep AND t.cell = s.cell)
            ORDER BY s.model, s.defense, s.method, s.task, s.seed, s.layerIndex
            """, limit: 10_000_000)
        return AgreementTable(
            result.rows.compactMap { row in
                guard case .integer(let seed) = row[4], case .real(let value) = row[6] else {
                    return nil
                }
                let group = [row[0], row[1], row[2]].map(\.text).joined(separator: ", ")
                return Entry(
                    group: group, task: row[3].text, seed: Int(seed), layer: row[5].text,
                    value: value)
            })
    }

    /// A row a pair of tasks; a task beside itself is the ceiling.
    public var result: QueryResult {
        QueryResult(
            columns: [
                "group", "task", "other", "pairs", "layers", "cosine", "cosineLow", "cosineHigh",
                "pearson", "pearsonLow", "pearsonHigh", "spearman", "spearmanLow", "spearmanHigh",
                "pearsonOfChance",
            ], rows: groups.flatMap(rows))
    }

    private func rows(_ group: Group) -> [[QueryValue]] {
        group.tasks.indices.flatMap { left in
            group.tasks.indices.dropFirst(left).map { right in
                row(group, group.tasks[left], group.tasks[right])
            }
        }
    }

    private func row(_ group: Group, _ task: String, _ other: String) -> [QueryValue] {
        let own = group.values[task] ?? [:]
        let others = group.values[other] ?? [:]
        // Heads belong to one task each; only what all seeds of both have is compared.
        let layers = (Array(own.values) + Array(others.values)).reduce(nil) {
            (common: Set<String>?, seed) in
            common?.intersection(seed.keys) ?? Set(seed.keys)
        }
        let order = (layers ?? []).sorted()
        func vectors(_ seeds: [Int: [String: Double]]) -> [[Double]] {
            seeds.sorted { $0.key < $1.key }.map { seed in order.compactMap { seed.value[$0] } }
        }
        let random = RandomStream(seed: 2_509_080_58).derived(group.name).derived(
            task + " " + other)
        let agreement = TaskAgreement(
            vectors(own), task == other ? nil : vectors(others), random: random)
        return [
            .text(group.name), .text(task), .text(other), .integer(Int64(agreement.pairCount)),
            .integer(Int64(agreement.layerCount)),
        ] + fields(agreement.cosine) + fields(agreement.pearson) + fields(agreement.spearman)
            + [agreement.pearsonOfChance.map { .real($0) } ?? .null]
    }

    private func fields(_ measure: TaskAgreement.Measure?) -> [QueryValue] {
        func real(_ value: Double?) -> QueryValue { value.map { .real($0) } ?? .null }
        return [
            real(measure?.mean), real(measure?.interval?.low), real(measure?.interval?.high),
        ]
    }
}
