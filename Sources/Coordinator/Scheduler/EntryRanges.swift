/// A set of entry indices as sorted, disjoint, non-touching ranges. Empty sets own no memory.
struct EntryRanges: Hashable, Sendable {
    private(set) var ranges: [Range<Int>] = []

    init() {}

    init(_ range: Range<Int>) {
        if !range.isEmpty { ranges = [range] }
    }

    init(_ indices: Set<Int>) {
        for index in indices.sorted() { insert(index..<index + 1) }
    }

    var isEmpty: Bool { ranges.isEmpty }
    var count: Int { ranges.reduce(0) { $0 + $1.count } }

    func contains(_ range: Range<Int>) -> Bool {
        ranges.contains { $0.lowerBound <= range.lowerBound && range.upperBound <= $0.upperBound }
    }

    func overlaps(_ range: Range<Int>) -> Bool {
        ranges.contains { $0.overlaps(range) }
    }

    mutating func insert(_ range: Range<Int>) {
        guard !range.isEmpty else { return }
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
        ranges = before + [merged] + after
    }

    mutating func subtract(_ range: Range<Int>) {
        guard overlaps(range) else { return }
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
        ranges = kept
    }

    /// What of `range` is in the set.
    func intersection(_ range: Range<Int>) -> EntryRanges {
        var result = EntryRanges()
        for other in ranges where other.overlaps(range) {
            result.ranges.append(other.clamped(to: range))
        }
        return result
    }

    /// What of `range` is not in the set.
    func gaps(in range: Range<Int>) -> EntryRanges {
        var result = EntryRanges(range)
        for other in ranges { result.subtract(other) }
        return result
    }

    /// Takes up to `countMax` indices from the front of the first range.
    mutating func takeFirst(atMost countMax: Int) -> Range<Int>? {
        guard let first = ranges.first else { return nil }
        let taken = first.lowerBound..<min(first.upperBound, first.lowerBound + max(1, countMax))
        subtract(taken)
        return taken
    }
}
