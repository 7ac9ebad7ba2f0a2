public import FathomCore
import FathomProtocol

/// SAL values that somebody measured elsewhere: one row a method, seed, epoch and layer.
public struct ImportedSAL: Sendable {
    struct Row: Sendable {
        var method: String
        var seed: Int
        var epoch: Int
        var measurement: SALMeasurement
        /// Of the network on clean test images after the epoch, 0...1.
        var accuracy: Double?

        var run: RunName { RunName(method: method, seed: seed) }
    }

    struct RunName: Hashable, Comparable {
        var method: String
        var seed: Int

        static func < (left: RunName, right: RunName) -> Bool {
            (left.method, left.seed) < (right.method, right.seed)
        }
    }

    /// Seeds are 0 to this.
    public static let seedMax = Int(Int32.max)

    let rows: [Row]
    /// Of the file that each run was read from.
    let digests: [RunName: Digest]

    /// - Parameter text: What the rows were read from.
    init(rows: [Row], from text: String) throws(ImportedSALError) {
        self.rows = rows
        let digest = Digest(of: Array(text.utf8))
        digests = Dictionary(rows.map { ($0.run, digest) }) { first, _ in first }
        try checkEven()
    }

    /// Puts the runs of several files together.
    ///
    /// - Throws: When two files have the same run.
    public init(joining parts: [ImportedSAL]) throws(ImportedSALError) {
        var digests: [RunName: Digest] = [:]
        for part in parts {
            for (run, digest) in part.digests {
                guard digests[run] == nil else {
                    throw .runTwice(method: run.method, seed: run.seed)
                }
                digests[run] = digest
            }
        }
        self.digests = digests
        rows = parts.flatMap(\.rows)
    }

    /// Every epoch of a run measures the same number of layers.
    private func checkEven() throws(ImportedSALError) {
        var counts: [RunName: [Int: Int]] = [:]
        for row in rows { counts[row.run, default: [:]][row.epoch, default: 0] += 1 }
        for (run, epochs) in counts.sorted(by: { $0.key < $1.key }) {
            let expected = epochs.values.max() ?? 0
            for (epoch, count) in epochs.sorted(by: { $0.key < $1.key }) where count != expected {
                throw .uneven(
                    method: run.method, seed: run.seed, epoch: epoch, count: count,
                    expected: expected)
            }
        }
    }
}

extension ImportedSAL {
    /// What all runs of a file have in common, which its rows do not say.
    public struct Setting: Sendable {
        public var sweep: String
        public var dataSet: String
        public var classes: Int
        public var task: String
        public var model: ModelSettings
        public var defense: String

        public init(
            sweep: String, dataSet: String, classes: Int, task: String, model: ModelSettings,
            defense: String
        ) {
            self.sweep = sweep
            self.dataSet = dataSet
            self.classes = classes
            self.task = task
            self.model = model
            self.defense = defense
        }
    }
}
