import FathomCore
import Foundation
import SwiftProtobuf

// Outcomes of many leases in one message, column by column.

extension MessageCodec {
    /// How many outcomes one message holds at most, and how many metric rows it begins to fill.
    static let outcomesPerMessage = 4_096
    private static let rowsPerMessage = 65_536

    /// One message for as many of the results as fit, taken from the front.
    static func takeResults(_ rest: inout ArraySlice<WorkerMessage>) -> Fathom_Results {
        var leases: [Lease] = []
        var seconds: [Double] = []
        var counts: [UInt32] = []
        var table = MetricColumns()
        var result = Fathom_Results()
        while leases.count < outcomesPerMessage, table.count < rowsPerMessage,
            case .result(let lease, let outcome)? = rest.first
        {
            if outcome.isMoreThanMetrics {
                result.others.append(wire(outcome))
                result.otherPlaces.append(UInt32(leases.count))
            }
            leases.append(lease)
            seconds.append(outcome.seconds)
            counts.append(UInt32(clamping: outcome.metrics.count))
            for row in outcome.metrics { table.append(row) }
            rest = rest.dropFirst()
        }
        result.leases = wire(leases)
        result.seconds = Column.packed(seconds)
        result.metricCounts = Column.packed(counts)
        if table.count > 0 { result.metrics = table.wire }
        return result
    }

    /// - Parameter budget: How many rows the rest of the frame may hold.
    static func value(
        _ results: Fathom_Results, budget: inout FrameBudget
    ) throws(MessageError) -> [WorkerMessage] {
        let leases = try value(results.leases)
        try budget.spend(leases: leases.count)
        let seconds = try Column(results.seconds, of: "results.seconds", count: leases.count)
        let counts = try Column(
            results.metricCounts, of: "results.metric_counts", count: leases.count)
        var rowCount = 0
        for place in leases.indices {
            try check("outcome.metrics", Int(counts[place]), MessageLimits.rowsPerOutcome)
            rowCount += Int(counts[place])
        }
        try budget.spend(rows: rowCount)
        let table = try MetricReader(results.metrics, count: rowCount)
        var messages: [WorkerMessage] = []
        messages.reserveCapacity(leases.count)
        var row = 0
        var other = 0
        guard results.others.count == results.otherPlaces.count else {
            throw .outOfRange(field: "results.other_places", value: results.otherPlaces.count)
        }
        for (place, lease) in leases.enumerated() {
            var outcome = JobOutcome()
            if other < results.others.count, Int(results.otherPlaces[other]) == place {
                outcome = try value(results.others[other])
                other += 1
            }
            outcome.seconds = seconds[place].isFinite ? max(seconds[place], 0) : 0
            outcome.metrics = try table.rows(row..<row + Int(counts[place]))
            row += Int(counts[place])
            messages.append(.result(lease, outcome))
        }
        // Places rise; whatever is left over is out of order or of nobody.
        guard other == results.others.count else {
            throw .outOfRange(field: "results.other_places", value: other)
        }
        return messages
    }
}

extension JobOutcome {
    /// Whether there is something in it that does not lie in columns.
    fileprivate var isMoreThanMetrics: Bool {
        !sal.isEmpty || poison != nil || !artifacts.isEmpty || !landscape.isEmpty || plane != nil
    }
}

/// Metric rows on their way into columns.
private struct MetricColumns {
    private var words = WordList()
    private var numbers: [[UInt32]] = Array(repeating: [], count: 6)
    private var values: [Double] = []

    var count: Int { values.count }

    mutating func append(_ row: MetricRow) {
        numbers[0].append(UInt32(clamping: row.epoch))
        numbers[1].append(words.place(of: row.task))
        numbers[2].append(words.place(of: row.split))
        numbers[3].append(words.place(of: row.name))
        numbers[4].append(row.flag.map { words.place(of: $0) + 1 } ?? 0)
        numbers[5].append(row.value == nil ? 1 : 0)
        values.append(row.value ?? 0)
    }

    var wire: Fathom_MetricTable {
        .with {
            $0.words = words.words
            $0.epochs = Column.packed(numbers[0])
            $0.tasks = Column.packed(numbers[1])
            $0.splits = Column.packed(numbers[2])
            $0.names = Column.packed(numbers[3])
            $0.flags = Column.packed(numbers[4])
            $0.missing = Column.packed(numbers[5])
            // Zeroes of two signs are equal and not the same bits, and NaN is not even equal.
            let first = values[0].bitPattern
            $0.values = values.allSatisfy { $0.bitPattern == first } ? [values[0]] : values
        }
    }
}

/// Metric rows out of their columns.
private struct MetricReader {
    private let words: [String]
    private let epochs: Column<UInt32>
    private let tasks: Column<UInt32>
    private let splits: Column<UInt32>
    private let names: Column<UInt32>
    private let flags: Column<UInt32>
    private let missing: Column<UInt32>
    private let values: Column<Double>

    init(_ table: Fathom_MetricTable, count: Int) throws(MessageError) {
        try MessageCodec.check("metrics.words", table.words.count, MessageLimits.wordsPerTable)
        for word in table.words { _ = try MessageCodec.word("metrics.words", word) }
        words = table.words
        epochs = try Column(table.epochs, of: "metrics.epochs", count: count)
        tasks = try Column(table.tasks, of: "metrics.tasks", count: count)
        splits = try Column(table.splits, of: "metrics.splits", count: count)
        names = try Column(table.names, of: "metrics.names", count: count)
        flags = try Column(table.flags, of: "metrics.flags", count: count)
        missing = try Column(table.missing, of: "metrics.missing", count: count)
        values = try Column(table.values, of: "metrics.values", count: count)
    }

    func rows(_ range: Range<Int>) throws(MessageError) -> [MetricRow] {
        var rows: [MetricRow] = []
        rows.reserveCapacity(range.count)
        for place in range {
            let flag = flags[place]
            rows.append(
                MetricRow(
                    epoch: try MessageCodec.ordinal("metrics.epochs", epochs[place]),
                    task: try word(tasks[place]), split: try word(splits[place]),
                    name: try word(names[place]),
                    value: missing[place] == 0 ? values[place] : nil,
                    flag: flag == 0 ? nil : try word(flag - 1)))
        }
        return rows
    }

    private func word(_ place: UInt32) throws(MessageError) -> String {
        guard place < words.count else {
            throw .outOfRange(field: "metrics.words", value: Int(place))
        }
        return words[Int(place)]
    }
}

/// What a frame may still unfold to: columns of one value take no room on the wire.
struct FrameBudget {
    private var leasesLeft = MessageLimits.leasesPerFrame
    private var rowsLeft = MessageLimits.rowsPerFrame

    mutating func spend(leases: Int) throws(MessageError) {
        leasesLeft -= leases
        guard leasesLeft >= 0 else {
            throw .tooLong(
                field: "leases of the frame", count: MessageLimits.leasesPerFrame - leasesLeft,
                limit: MessageLimits.leasesPerFrame)
        }
    }

    mutating func spend(rows: Int) throws(MessageError) {
        rowsLeft -= rows
        guard rowsLeft >= 0 else {
            throw .tooLong(
                field: "metric rows of the frame", count: MessageLimits.rowsPerFrame - rowsLeft,
                limit: MessageLimits.rowsPerFrame)
        }
    }
}
