/// A set of entry indices as sorted, disjoint, non-touching ranges.
///
/// Nearly all sets are one range or none, and there may be two million of them: those own no
/// memory.
struct EntryRanges: Hashable, Sendable {
    private var lower: Int32 = 0
    private var upper: Int32 = 0
    /// The ranges behind the first.
    private var rest: [Range<Int>] = []

    init() {}

    init(_ range: Range<Int>) {
        guard !range.isEmpty else { return }
        first = range
    }

    init(_ indices: Set<Int>) {
        for index in indices.sorted() { insert(index..<index + 1) }
    }

    private init(sorted ranges: [Range<Int>]) {
        guard let head = ranges.first else { return }
        first = head
        if ranges.count > 1 { rest = Array(ranges.dropFirst()) }
    }

    private var first: Range<Int> {
        get { Int(lower)..<Int(upper) }
        set {
            lower = Int32(newValue.lowerBound)
            upper = Int32(newValue.upperBound)
        }
    }

    var ranges: [Range<Int>] { isEmpty ? [] : [first] + rest }
    var isEmpty: Bool { lower == upper }
    var count: Int { rest.reduce(first.count) { $0 + $1.count } }
    /// The only range; `nil` when there are several or none.
    var single: Range<Int>? { isEmpty || !rest.isEmpty ? nil : first }

    func contains(_ range: Range<Int>) -> Bool {
        if first.lowerBound <= range.lowerBound && range.upperBound <= first.upperBound {
            return !isEmpty
        }
        return rest.contains {
            $0.lowerBound <= range.lowerBound && range.upperBound <= $0.upperBound
        }
    }

    func overlaps(_ range: Range<Int>) -> Bool {
        first.overlaps(range) || rest.contains { $0.overlaps(range) }
    }

    mutating func insert(_ range: Range<Int>) {
        guard !range.isEmpty else { return }
        if isEmpty {
            first = range
            return
        }
        if rest.isEmpty, range.lowerBound <= first.upperBound, range.upperBound >= first.lowerBound
        {
            let end = max(first.upperBound, range.upperBound)
            first = min(first.lowerBound, range.lowerBound)..<end
            return
        }
        var merged = range
        var before: [Range<Int>] = []
        var after: [Range<Int>] = []
        for other in ranges {
            if other.upperBound < merged.lowerBound {
                before.append(other)
            } else if other.lowerBound > merged.upperBound {
                after.append(other)
            } else {
                let lower = min(merged.lowerBound, other.lowerBound)
                merged = lower..<max(merged.upperBound, other.upperBound)
            }
        }
        self = EntryRanges(sorted: before + [merged] + after)
    }

    mutating func subtract(_ range: Range<Int>) {
        guard overlaps(range) else { return }
        if rest.isEmpty {
            if range.lowerBound <= first.lowerBound && first.upperBound <= range.upperBound {
                self = EntryRanges()
                return
            }
            if range.lowerBound <= first.lowerBound {
                first = range.upperBound..<first.upperBound
                return
            }
        }
        var kept: [Range<Int>] = []
        for other in ranges {
            guard other.overlaps(range) else {
                kept.append(other)
                continue
            }
            if other.lowerBound < range.lowerBound {
                kept.append(other.lowerBound..<range.lowerBound)
            }
            if range.upperBound < other.upperBound {
                kept.append(range.upperBound..<other.upperBound)
            }
        }
        self = EntryRanges(sorted: kept)
    }

    /// What of `range` is in the set.
    func intersection(_ range: Range<Int>) -> EntryRanges {
        guard overlaps(range) else { return EntryRanges() }
        if rest.isEmpty { return EntryRanges(first.clamped(to: range)) }
        return EntryRanges(
            sorted: ranges.filter { $0.overlaps(range) }.map { $0.clamped(to: range) })
    }

    /// What of `range` is not in the set.
    func gaps(in range: Range<Int>) -> EntryRanges {
        var result = EntryRanges(range)
        guard overlaps(range) else { return result }
        for other in ranges { result.subtract(other) }
        return result
    }

    /// Takes up to `countMax` indices from the front of the first range.
    mutating func takeFirst(atMost countMax: Int) -> Range<Int>? {
        guard !isEmpty else { return nil }
        let end = min(first.upperBound, first.lowerBound + max(1, countMax))
        let taken = first.lowerBound..<end
        subtract(taken)
        return taken
    }
}
